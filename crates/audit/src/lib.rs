//! What happened, so that nobody can quietly change it: an append-only Merkle log (RFC 6962 hashing).
//!
//! Start with [`append`], which adds one [`Entry`] in the transaction of the change it records, at the cost of O(log n) small
//! rows. [`sign_checkpoint`] commits to everything so far in the form of C2SP tlog-checkpoint, a signed note others can
//! keep. [`verify`] recomputes the whole log from its leaves and says where it was changed; [`prove`] shows one entry to
//! be in it without the others.
//!
//! A log verified only against its own checkpoints can still be replaced as a whole by whoever holds the key, or cut back
//! with its checkpoints: keep a note elsewhere and hand it to [`verify_against`].
//!
//! This crate does not know who may read the log, where the key is kept, or what an action means.

mod canonical;
mod checkpoint;
mod entry;
mod error;
mod hash;
mod key;
mod log;
mod proof;
mod store;
mod verify;

use bedplate_db::Migration;

pub use checkpoint::{Checkpoint, latest_checkpoint, sign_checkpoint};
pub use entry::Entry;
pub use error::AuditError;
pub use hash::leaf_hash;
pub use key::{PublicKey, Signer};
pub use log::{Head, append, entries, head, root_at};
pub use proof::{Proof, prove};
pub use verify::{Verified, verify, verify_against};

/// The log's tables: leaves as written, the hash of every complete subtree (level 0: of every leaf), and signed notes.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "audit_0001_log",
    sql: "CREATE TABLE audit_leaves (idx BIGINT PRIMARY KEY, body BLOB NOT NULL);
          CREATE TABLE audit_nodes (
              level BIGINT NOT NULL,
              idx BIGINT NOT NULL,
              hash BLOB NOT NULL,
              PRIMARY KEY (level, idx)
          );
          CREATE TABLE audit_checkpoints (size BIGINT PRIMARY KEY, note TEXT NOT NULL);",
}];

//! What happened, so that nobody can quietly change it: an append-only Merkle log (RFC 6962 hashing).
//!
//! Start with [`append`], which adds one [`Entry`] in the transaction of the change it records, at the cost of O(log n) small
//! rows. [`sign_checkpoint`] commits to everything so far in the form of C2SP tlog-checkpoint, a signed note others can
//! keep. [`verify`] recomputes the whole log from its leaves and says where it was changed; [`prove`] shows one entry to
//! be in it without the others.
//!
//! [`export`] hands the log out as the static files of C2SP tlog-tiles, and [`Archive`] verifies such files without a
//! database, naming the leaf or file that was changed. [`Receipt`] is one entry with its proof as a text of its own
//! (C2SP tlog-proof). [`submission`] is what a log says to a witness (C2SP tlog-witness), [`hear`] what the answer means; the
//! cosignatures that came are handed out with the checkpoint, and [`witnesses`] tells how it stands.
//!
//! A log verified only against its own checkpoints can still be replaced as a whole by whoever holds the key, or cut back
//! with its checkpoints: keep a note elsewhere and hand it to [`verify_against`] or [`Archive::must_extend`], or have a
//! witness keep it.
//!
//! This crate does not know who may read the log, where the key is kept, or what an action means. It opens no file and no
//! connection of its own.

mod archive;
mod bundle;
mod canonical;
mod checkpoint;
mod consistency;
mod cosigned;
mod entry;
mod error;
mod export;
mod fault;
mod hash;
mod key;
mod log;
mod note;
mod proof;
mod receipt;
mod search;
mod store;
mod submit;
mod tile;
mod tree;
mod verify;
mod vkey;
mod witness;

use bedplate_db::Migration;

pub use archive::{Archive, Read};
pub use checkpoint::{Checkpoint, latest_checkpoint, sign_checkpoint};
pub use consistency::{Consistency, prove_consistency};
pub use cosigned::{COSIGNED, Standing, Witness, cosigned_checkpoint, witnesses};
pub use entry::Entry;
pub use error::AuditError;
pub use export::{CHECKPOINT, MAX_FILE_BYTES, VKEY, Write, export, published, read_tile};
pub use fault::Fault;
pub use hash::leaf_hash;
pub use key::{PublicKey, Signer};
pub use log::{Head, append, entries, head, root_at};
pub use proof::{Proof, prove};
pub use receipt::{Receipt, receipt};
pub use search::{Filter, Page, search};
pub use submit::{Answer, Next, Submission, hear, submission};
pub use tile::{Content, NotATile, TILE_WIDTH, Tile, tiles};
pub use verify::{Verified, verify, verify_against};
pub use vkey::VerifierKey;
pub use witness::{Cosignature, add_checkpoint, cosignatures, known_size};

/// The log's tables: leaves as written, the hash of every complete subtree (level 0: of every leaf), signed notes; what
/// witnesses said of them.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "audit_0001_log",
        sql: "CREATE TABLE audit_leaves (idx BIGINT PRIMARY KEY, body BLOB NOT NULL);
              CREATE TABLE audit_nodes (
                  level BIGINT NOT NULL,
                  idx BIGINT NOT NULL,
                  hash BLOB NOT NULL,
                  PRIMARY KEY (level, idx)
              );
              CREATE TABLE audit_checkpoints (size BIGINT PRIMARY KEY, note TEXT NOT NULL);",
    },
    Migration {
        name: "audit_0002_witnesses",
        sql: "CREATE TABLE audit_witnesses (
                  url TEXT PRIMARY KEY,
                  name TEXT NOT NULL,
                  known BIGINT NOT NULL,
                  cosigned_size BIGINT NOT NULL,
                  cosigned_at BIGINT,
                  standing TEXT NOT NULL,
                  why TEXT NOT NULL,
                  asked_at BIGINT NOT NULL
              );
              CREATE TABLE audit_cosignatures (size BIGINT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (size, line));",
    },
];

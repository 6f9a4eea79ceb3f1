//! The log on a real database, and what becomes of somebody who edits it.

mod archive;
mod folder;
mod grow;
mod independent;
mod proofs;
mod publish;
mod search;
mod submit;
mod tamper;
mod witness;

use std::sync::LazyLock;

use bedplate_audit::{AuditError, Entry, MIGRATIONS, Signer, append, sign_checkpoint};
use bedplate_db::{Db, Value};
use bedplate_types::Timestamp;
use serde_json::json;

pub const ORIGIN: &str = "bedplate.example/audit";

/// One leaf more than two levels of full tiles need, and a few.
pub const BIG: u64 = 65_536 + 256 + 8;

/// A log of [`BIG`] leaves, signed at its end, made once.
pub fn big() -> &'static Log {
    static LOG: LazyLock<Log> = LazyLock::new(|| Log::new(BIG, &[BIG]));
    &LOG
}

/// A new database of the engine the tests of this process run on.
fn database(folder: &tempfile::TempDir) -> Db {
    match bedplate_testkit::postgres_database() {
        Some(url) => Db::connect(&url, MIGRATIONS).unwrap(),
        None => Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap(),
    }
}

pub struct Log {
    pub db: Db,
    _folder: tempfile::TempDir,
}

impl Log {
    /// A log of `leaves` entries, signed at each of the sizes in `signed`.
    pub fn new(leaves: u64, signed: &'static [u64]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = database(&folder);
        db.write(move |tx| {
            for index in 0..leaves {
                assert_eq!(append(tx, &entry(index))?, index);
                if signed.contains(&(index + 1)) {
                    sign_checkpoint(tx, &signer(), ORIGIN)?;
                }
            }
            Ok::<_, AuditError>(())
        })
        .unwrap();
        Self { db, _folder: folder }
    }

    pub fn run(&self, sql: &'static str, args: &[Value]) {
        let args = args.to_vec();
        let changed = self.db.write(move |tx| tx.execute(sql, &args)).unwrap();
        assert!(changed > 0, "{sql} changed nothing");
    }
}

pub fn signer() -> Signer {
    Signer::from_seed([42; 32])
}

pub fn entry(index: u64) -> Entry {
    Entry {
        at: Timestamp::from_micros(i64::try_from(index).unwrap()),
        actor: "user:admin".into(),
        action: "create".into(),
        object: format!("Dataset flights/d{index}"),
        detail: json!({ "index": index }),
    }
}

#[test]
fn everything_once_more_on_postgres() {
    // A log of 65,800 leaves takes minutes to make there, and what is asked of it is arithmetic.
    let need_the_big_log = [
        "faults_above_the_first_level",
        "a_log_of_three_levels",
        "an_independent_reader",
        "a_consistency_proof_holds",
        "a_receipt_reads_as",
    ];
    bedplate_testkit::suite_on_postgres(&[&["everything_once_more_on_postgres"], need_the_big_log.as_slice()].concat());
}

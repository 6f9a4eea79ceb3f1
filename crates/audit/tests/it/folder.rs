//! An export in memory, and what the platform's own verifier says of it.

use std::collections::BTreeMap;

use bedplate_audit::{Archive, AuditError, Checkpoint, Fault, Verified, VerifierKey, export};

use crate::{Log, ORIGIN, signer};

pub type Files = BTreeMap<String, Vec<u8>>;

pub fn key() -> VerifierKey {
    VerifierKey::of_log(ORIGIN, signer().public_key())
}

/// What an export hands out to somebody who has the first `had` leaves, in order.
pub fn handed_out(log: &Log, had: u64) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let exported = log.db.read(|tx| {
        export::<AuditError>(tx, &signer().public_key(), had, &mut |path, bytes| {
            files.push((path.to_owned(), bytes.to_vec()));
            Ok(())
        })
    });
    exported.unwrap();
    files
}

pub fn exported(log: &Log) -> Files {
    handed_out(log, 0).into_iter().collect()
}

pub fn with_archive<T>(files: &Files, f: impl FnOnce(&Archive<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let read = |path: &str| Ok(files.get(path).cloned());
    Archive::open(&read, &key()).and_then(|archive| f(&archive))
}

pub fn verified(files: &Files) -> Result<Verified, Fault> {
    with_archive(files, |archive| archive.verify())
}

pub fn checkpoint(files: &Files) -> Checkpoint {
    Checkpoint::parse(std::str::from_utf8(&files["checkpoint"]).unwrap()).unwrap()
}

use bedplate_audit::{AuditError, Signer, append, leaf_hash, sign_checkpoint, verify, verify_against};
use bedplate_db::{Db, DbError, Tx};
use bedplate_types::{ErrorKind, Explained};
use sha2::{Digest as _, Sha256};

use crate::{Log, ORIGIN, entry, signer};

const SIGNED: &[u64] = &[10, 21];

fn log() -> Log {
    Log::new(23, SIGNED)
}

fn caught(db: &Db) -> AuditError {
    let error = db.read(|tx| verify(tx, &signer().public_key())).expect_err("it should have been caught");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    error
}

fn flip(db: &Db, index: i64, byte: usize) {
    db.write(move |tx| {
        let mut body = tx.query("SELECT body FROM audit_leaves WHERE idx = $1", &[index.into()])?[0].blob(0)?.to_vec();
        body[byte] ^= 1;
        tx.execute("UPDATE audit_leaves SET body = $1 WHERE idx = $2", &[body.into(), index.into()])
    })
    .unwrap();
}

#[test]
fn a_flipped_bit_is_found_in_its_leaf() {
    for index in [0, 9, 10, 21, 22] {
        let log = log();
        flip(&log.db, index, 30);
        let error = caught(&log.db);
        assert_eq!(error.first_bad_leaf(), u64::try_from(index).ok(), "{error}");
        assert!(error.to_string().contains(&format!("leaf {index} was changed")) && error.fix().is_some());
    }
}

#[test]
fn the_first_of_two_changes_is_named() {
    let log = log();
    flip(&log.db, 17, 3);
    flip(&log.db, 4, 3);
    assert_eq!(caught(&log.db).first_bad_leaf(), Some(4));
}

#[test]
fn a_leaf_turned_into_text_is_found() {
    let log = log();
    log.run("UPDATE audit_leaves SET body = 'x' WHERE idx = 3", &[]);
    assert_eq!(caught(&log.db).first_bad_leaf(), Some(3));
}

#[test]
fn a_removed_leaf_is_found() {
    for index in [0, 5, 22] {
        let log = log();
        log.run("DELETE FROM audit_leaves WHERE idx = $1", &[index.into()]);
        let error = caught(&log.db);
        assert!(matches!(error, AuditError::Missing { .. }), "{error}");
        assert_eq!(error.first_bad_leaf(), u64::try_from(index).ok());
    }
}

#[test]
fn a_tail_removed_with_its_hashes_is_found_by_the_checkpoint() {
    let log = log();
    log.run("DELETE FROM audit_leaves WHERE idx >= 20", &[]);
    log.run("DELETE FROM audit_nodes WHERE (idx + 1) << CAST(level AS INTEGER) > 20", &[]);
    assert_eq!(caught(&log.db).first_bad_leaf(), Some(20));
}

#[test]
fn a_changed_leaf_with_its_own_hash_is_found_by_the_hash_above() {
    let log = log();
    rewrite(&log.db, 6, false);
    let error = caught(&log.db);
    assert!(matches!(error, AuditError::Node { first: 6, last: 7 }), "{error}");
}

#[test]
fn a_wholly_recomputed_log_is_found_by_the_checkpoint_and_narrowed_by_the_one_before() {
    let log = log();
    rewrite(&log.db, 13, true);
    let error = caught(&log.db);
    assert!(matches!(error, AuditError::Root { size: 21, first: 10, last: 20 }), "{error}");
}

#[test]
fn a_changed_inner_hash_is_found() {
    let log = log();
    log.run("UPDATE audit_nodes SET hash = $1 WHERE level = 2 AND idx = 1", &[vec![0u8; 32].into()]);
    assert!(matches!(caught(&log.db), AuditError::Node { first: 4, last: 7 }));
    let log = self::log();
    log.run("DELETE FROM audit_nodes WHERE level = 3 AND idx = 1", &[]);
    assert!(matches!(caught(&log.db), AuditError::Node { first: 8, last: 15 }));
}

#[test]
fn a_rewritten_checkpoint_is_found() {
    for sql in [
        "UPDATE audit_checkpoints SET note = REPLACE(note, '21', '22') WHERE size = 21",
        "UPDATE audit_checkpoints SET note = REPLACE(note, 'bedplate', 'badplate') WHERE size = 21",
        "UPDATE audit_checkpoints SET note = SUBSTR(note, 1, LENGTH(note) - 10) WHERE size = 21",
    ] {
        let log = log();
        log.run(sql, &[]);
        assert!(matches!(caught(&log.db), AuditError::Checkpoint { size: 21, .. }), "{sql}");
    }
    let log = log();
    log.run("UPDATE audit_checkpoints SET note = 'gone' WHERE size = 10", &[]);
    assert!(matches!(caught(&log.db), AuditError::Checkpoint { size: 10, .. }));
}

#[test]
fn an_older_checkpoint_with_another_root_is_found_to_be_unsigned() {
    let (log, other) = (log(), Log::new(11, &[]));
    rewrite(&other.db, 3, true);
    let root = |note: &str| note.lines().nth(2).unwrap().to_owned();
    let forged = other.db.write(|tx| sign_checkpoint(tx, &signer(), ORIGIN)).unwrap();
    let forged_root = root(&forged.note);
    log.db
        .write(move |tx| {
            let rows = tx.query("SELECT note FROM audit_checkpoints WHERE size = 10", &[])?;
            let note = rows[0].text(0)?.to_owned();
            let note = note.replace(&root(&note), &forged_root);
            tx.execute("UPDATE audit_checkpoints SET note = $1 WHERE size = 10", &[note.into()])
        })
        .unwrap();
    let error = caught(&log.db);
    assert!(matches!(error, AuditError::Checkpoint { size: 10, .. }), "{error}");
}

#[test]
fn another_key_is_not_believed() {
    let log = log();
    log.db.write(|tx| sign_checkpoint(tx, &Signer::from_seed([1; 32]), ORIGIN)).unwrap();
    let error = caught(&log.db);
    assert_eq!(error.to_string(), "the checkpoint of 23 leaves was rewritten: it is not signed by the log's key");
}

#[test]
fn a_note_kept_elsewhere_shows_a_log_that_was_replaced_or_cut_back() {
    let key = signer().public_key();
    let log = log();
    let kept = log.db.write(|tx| sign_checkpoint(tx, &signer(), ORIGIN)).unwrap().note;
    log.db.write(|tx| append(tx, &entry(23))).unwrap();
    assert_eq!(log.db.read(|tx| verify_against(tx, &kept, &key)).unwrap().size, 23);
    let shorter = Log::new(20, &[]);
    let error = shorter.db.read(|tx| verify_against(tx, &kept, &key)).unwrap_err();
    assert!(matches!(error, AuditError::Missing { index: 20 }), "{error}");
    let replaced = Log::new(23, &[]);
    rewrite(&replaced.db, 2, true);
    assert!(replaced.db.read(|tx| verify(tx, &key)).is_ok(), "by itself it looks right");
    let error = replaced.db.read(|tx| verify_against(tx, &kept, &key)).unwrap_err();
    assert!(matches!(error, AuditError::Root { size: 23, .. }), "{error}");
}

/// Changes a leaf and its hash, and with `all` every hash above it: what somebody with the database but without the key
/// could do.
fn rewrite(db: &Db, index: i64, all: bool) {
    db.write(move |tx| {
        let body = entry(999).body();
        let mut hash = leaf_hash(&body).as_bytes().to_vec();
        tx.execute("UPDATE audit_leaves SET body = $1 WHERE idx = $2", &[body.into(), index.into()])?;
        let (mut level, mut at) = (0i64, index);
        loop {
            let sql = "UPDATE audit_nodes SET hash = $1 WHERE level = $2 AND idx = $3";
            if tx.execute(sql, &[hash.clone().into(), level.into(), at.into()])? == 0 || !all {
                return Ok::<_, DbError>(());
            }
            let Some(beside) = stored(tx, level, at ^ 1)? else { return Ok(()) };
            let pair = if at % 2 == 0 { [hash, beside] } else { [beside, hash] };
            hash = Sha256::digest([vec![1], pair.concat()].concat()).to_vec();
            (level, at) = (level + 1, at / 2);
        }
    })
    .unwrap();
}

fn stored(tx: &mut dyn Tx, level: i64, index: i64) -> Result<Option<Vec<u8>>, DbError> {
    let rows = tx.query("SELECT hash FROM audit_nodes WHERE level = $1 AND idx = $2", &[level.into(), index.into()])?;
    rows.first().map(|row| row.blob(0).map(<[u8]>::to_vec)).transpose()
}

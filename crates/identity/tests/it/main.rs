//! Tokens on a real database.

mod certificates;
mod oidc;
mod runs;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bedplate_db::Db;
use bedplate_identity::{Authenticator, IdentityError, MIGRATIONS, NewToken, Principal, issue, list, revoke, token_id};
use bedplate_types::{Clock, ErrorKind, Explained, Timestamp};

/// A clock the test turns.
#[derive(Default)]
struct Turned(AtomicI64);

impl Turned {
    fn forward(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for Turned {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    db: Db,
    clock: Arc<Turned>,
    gate: Authenticator,
}

/// A new database of the engine the tests of this process run on.
fn database(folder: &tempfile::TempDir) -> Db {
    match bedplate_testkit::postgres_database() {
        Some(url) => Db::connect(&url, MIGRATIONS).unwrap(),
        None => Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap(),
    }
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    let clock = Arc::new(Turned::default());
    let gate = Authenticator::new(db.clone(), clock.clone());
    Fixture { folder, db, clock, gate }
}

fn ana() -> Principal {
    Principal { name: "user:ana".into(), groups: vec!["data".into(), "ops".into()] }
}

fn give(db: &Db, random: u8, expires_at: Option<i64>) -> String {
    let expires_at = expires_at.map(Timestamp::from_micros);
    let new = NewToken { expires_at, ..NewToken::new(ana(), "laptop") };
    db.write(move |tx| issue(tx, &new, Timestamp::from_micros(0), [random; 32])).unwrap()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn a_token_is_believed_and_is_nowhere_on_the_disk() {
    let Fixture { folder, db, gate, .. } = fixture();
    let token = give(&db, 1, None);
    assert_eq!(gate.authenticate(Some(&bearer(&token))).unwrap(), ana());
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(20).any(|part| part == &token.as_bytes()[3..23]));
    }
    let listed = db.read(list).unwrap();
    assert_eq!((listed.len(), &listed[0].id, listed[0].revoked), (1, &token_id(&token).unwrap(), false));
    assert_eq!(listed[0].principal, ana());
}

#[test]
fn strangers_are_refused_without_repeating_what_they_sent() {
    let Fixture { folder: _folder, db, gate, .. } = fixture();
    give(&db, 1, None);
    let strange = format!("bp_{}", "Zm9v".repeat(10) + "Zm8");
    for header in [None, Some(bearer("bp_secret")), Some(bearer(&strange)), Some("Negotiate secret".to_owned())] {
        let error = gate.authenticate(header.as_deref()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        let said = format!("{error} {error:?} {:?}", error.fix());
        assert!(!said.contains("secret") && !said.contains("Zm9v"), "{said}");
        assert!(error.fix().unwrap().contains("credentials"));
    }
    assert!(matches!(gate.authenticate(Some(&bearer(&strange))), Err(IdentityError::Unknown)));
}

#[test]
fn a_token_expires_even_while_it_is_remembered() {
    let Fixture { folder: _folder, db, clock, gate, .. } = fixture();
    let token = give(&db, 1, Some(500_000));
    assert!(gate.authenticate(Some(&bearer(&token))).is_ok());
    clock.forward(500_000);
    let error = gate.authenticate(Some(&bearer(&token))).unwrap_err();
    assert!(matches!(error, IdentityError::Expired { .. }), "{error}");
    assert!(error.to_string().contains("user:ana") && !error.to_string().contains(&token));
}

#[test]
fn revoking_through_the_authenticator_is_effective_at_once() {
    let Fixture { folder: _folder, db, gate, .. } = fixture();
    let token = give(&db, 1, None);
    assert!(gate.authenticate(Some(&bearer(&token))).is_ok());
    let id = token_id(&token).unwrap();
    assert!(gate.clone().revoke(&id).unwrap());
    assert!(matches!(gate.authenticate(Some(&bearer(&token))), Err(IdentityError::Revoked { .. })));
    assert!(!gate.revoke(&id).unwrap(), "a second time there is nothing to revoke");
}

#[test]
fn revoking_elsewhere_is_effective_in_less_than_a_second() {
    let Fixture { folder: _folder, db, clock, gate, .. } = fixture();
    let token = give(&db, 1, None);
    gate.authenticate(Some(&bearer(&token))).unwrap();
    let id = token_id(&token).unwrap();
    db.write(move |tx| revoke(tx, &id)).unwrap();
    assert!(gate.authenticate(Some(&bearer(&token))).is_ok(), "remembered");
    clock.forward(500_000);
    assert!(gate.authenticate(Some(&bearer(&token))).is_err());
}

#[test]
fn a_principal_loses_all_its_tokens() {
    let Fixture { folder: _folder, db, gate, .. } = fixture();
    let tokens = [give(&db, 1, None), give(&db, 2, None)];
    assert_eq!(gate.revoke_principal("user:bob").unwrap(), 0);
    assert_eq!(gate.revoke_principal("user:ana").unwrap(), 2);
    assert!(tokens.iter().all(|token| gate.authenticate(Some(&bearer(token))).is_err()));
    assert!(db.read(list).unwrap().iter().all(|token| token.revoked));
}

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres"]);
}

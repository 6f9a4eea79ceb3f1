//! What belongs together: a database, the keys it was first started with, and the home whose tables it tells of.

use bedplate_db::{Db, DbError, Migration, Tx};
use bedplate_types::{ErrorKind, Problem};
use sha2::{Digest, Sha256};

use super::of;
use crate::home::{Home, write_private};
use crate::keys;
use crate::storage::Storage;

pub const MIGRATIONS: &[Migration] = &[Migration { name: "platform_0001_belongs", sql: include_str!("belongs.sql") }];

const DATABASE: &str = "database";
const SECRETS: &str = "keys/secrets.key";
const AUDIT: &str = "keys/audit-signing.seed";
const MODELS: &str = "keys/model-signing.pem";

/// In a home whose database is elsewhere: which one that is.
const MARKER: &str = "database";

/// Refuses to open one database where another was in use: half of what the home holds would be of the other.
pub fn check_home(home: &Home, storage: &Storage) -> Result<(), Problem> {
    let own = home.path("bedplate.db").exists();
    let elsewhere = home.path(MARKER).exists();
    let problem = |why: &str, fix: &str| {
        Problem::new(ErrorKind::Invalid, format!("home {}", home.path("").display()), why).with_fix(fix)
    };
    match storage.database() {
        Some(_) if own => {
            Err(problem("it keeps a database of its own (bedplate.db)", "leave --database out, or use another --home"))
        }
        None if elsewhere => Err(problem(
            "its database is a PostgreSQL database",
            "say which: BEDPLATE_DATABASE=postgres://…, or use another --home",
        )),
        _ => Ok(()),
    }
}

/// Notes the keys at the first start and refuses others ever after; the same for a home and a database that is elsewhere.
pub fn check(home: &Home, storage: &Storage, db: &Db) -> Result<(), Problem> {
    refuse_lost_keys(home, db)?;
    let fresh = hex::encode(keys::random::<16>()?);
    let of_keys = [
        (SECRETS, fingerprint(SECRETS, &keys::secrets(home)?)),
        (AUDIT, fingerprint(AUDIT, &keys::audit_seed(home)?)),
        (MODELS, fingerprint(MODELS, keys::model_signing(home)?.public_pem().map_err(of(MODELS))?.as_bytes())),
        (DATABASE, fresh),
    ];
    let noted = of_keys.clone();
    let found =
        db.write(move |tx| noted.iter().map(|(name, mine)| note(tx, name, mine)).collect::<Result<Vec<_>, _>>());
    let found = found.map_err(of("the database"))?;
    for ((name, mine), noted) in of_keys.iter().zip(&found).filter(|((name, _), _)| *name != DATABASE) {
        if mine != noted {
            return Err(other_key(home, name, "it is not the key that the database was first started with"));
        }
    }
    if storage.database().is_some() { check_marker(home, &found[found.len() - 1]) } else { Ok(()) }
}

/// What tells this platform from others: its database's own name, of which [`check`] has seen to it that there is one.
pub fn database_id(db: &Db) -> Result<String, Problem> {
    let noted = "SELECT fingerprint FROM platform_belongs WHERE name = $1";
    let rows = db.read(|tx| tx.query(noted, &[DATABASE.into()])).map_err(of("the database"))?;
    let id = rows.first().map(|row| row.text(0)).transpose().map_err(of("the database"))?;
    let unknown = || Problem::new(ErrorKind::Internal, "the database", "it has no name of its own yet");
    id.map(str::to_owned).ok_or_else(unknown)
}

/// A key that is gone is not made anew: what the old one sealed could not be read, and what it signed not be gone on with.
fn refuse_lost_keys(home: &Home, db: &Db) -> Result<(), Problem> {
    let noted = db.read(|tx| tx.query("SELECT name FROM platform_belongs", &[])).map_err(of("the database"))?;
    for row in &noted {
        let name = row.text(0).map_err(of("the database"))?;
        if name != DATABASE && !home.path(name).exists() {
            return Err(other_key(home, name, "it is missing, and the database was first started with one"));
        }
    }
    Ok(())
}

/// What is noted under this name; `mine` if nothing was.
fn note(tx: &mut dyn Tx, name: &str, mine: &str) -> Result<String, DbError> {
    let insert = "INSERT INTO platform_belongs (name, fingerprint) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    tx.execute(insert, &[name.into(), mine.into()])?;
    let rows = tx.query("SELECT fingerprint FROM platform_belongs WHERE name = $1", &[name.into()])?;
    rows.first().map_or(Ok(mine), |row| row.text(0)).map(str::to_owned)
}

/// Of 256 random bits: nothing of the key can be guessed from it.
fn fingerprint(name: &str, key: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(name).chain_update([0]).chain_update(key).finalize())
}

fn other_key(home: &Home, name: &str, why: &str) -> Problem {
    let path = home.path(name);
    let fix = "start every replica with the same --keys DIR, or put the key back from where it is kept";
    Problem::new(ErrorKind::Invalid, path.display().to_string(), why).with_fix(fix)
}

fn check_marker(home: &Home, database: &str) -> Result<(), Problem> {
    match home.known_secret(MARKER)? {
        None => write_private(&home.path(MARKER), database.as_bytes()),
        Some(known) if known == database.as_bytes() => Ok(()),
        Some(_) => Err(Problem::new(
            ErrorKind::Invalid,
            format!("home {}", home.path("").display()),
            "it was in use with another database than this",
        )
        .with_fix("name the database it was used with, or use another --home")),
    }
}

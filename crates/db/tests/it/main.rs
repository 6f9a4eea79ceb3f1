//! The store as its callers see it.

mod kill;
mod open;
mod write;

use std::path::PathBuf;

use bedplate_db::{Db, DbError, Migration, Tx};

pub const SCHEMA: &[Migration] = &[Migration {
    name: "it_0001",
    sql: "CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT NOT NULL);
          CREATE TABLE replies (note TEXT NOT NULL REFERENCES notes (id));",
}];

pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn make() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("it.db")
    }

    pub fn open(&self) -> Db {
        Db::open(&self.path(), SCHEMA).unwrap()
    }
}

pub fn note(tx: &mut dyn Tx, id: &str) -> Result<(), DbError> {
    tx.execute("INSERT INTO notes (id, body) VALUES ($1, $2)", &[id.into(), "text".into()]).map(|_| ())
}

pub fn count(db: &Db) -> i64 {
    db.read(count_in).unwrap()
}

pub fn count_in(tx: &mut dyn Tx) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM notes", &[])?[0].int(0)
}

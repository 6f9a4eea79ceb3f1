//! The store as its callers see it.

mod contract;
mod full;
mod kill;
mod open;
mod postgres;
mod replicas;
mod schema;
mod write;

use std::path::PathBuf;

use bedplate_db::{Db, DbError, Migration, Tx};
use bedplate_testkit::Postgres;

pub const SCHEMA: &[Migration] = &[Migration {
    name: "it_0001",
    sql: "CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT NOT NULL);
          CREATE TABLE replies (note TEXT NOT NULL REFERENCES notes (id));",
}];

/// Where a test's database is.
pub enum Home {
    Sqlite(tempfile::TempDir),
    Postgres { server: &'static Postgres, url: String },
}

impl Home {
    pub fn make() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub fn on_postgres(what: &str) -> Option<Self> {
        let server = Postgres::shared(what)?;
        Some(Self::Postgres { server, url: server.database() })
    }

    pub fn path(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("it.db"),
            Self::Postgres { .. } => panic!("it is no file"),
        }
    }

    pub fn open(&self) -> Db {
        self.open_with(SCHEMA).unwrap()
    }

    pub fn open_with(&self, migrations: &[Migration]) -> Result<Db, DbError> {
        match self {
            Self::Sqlite(_) => Db::open(&self.path(), migrations),
            Self::Postgres { url, .. } => Db::connect(url, migrations),
        }
    }
}

/// Makes a test for each engine of each function that takes a [`Home`].
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test]
            fn $name() {
                super::$name(&crate::Home::make());
            })*
        }
        mod on_postgres {
            $(#[test]
            fn $name() {
                if let Some(home) = crate::Home::on_postgres(concat!("the store's contract: ", stringify!($name))) {
                    super::$name(&home);
                }
            })*
        }
    };
}
pub(crate) use on_both;

pub fn note(tx: &mut dyn Tx, id: &str) -> Result<(), DbError> {
    tx.execute("INSERT INTO notes (id, body) VALUES ($1, $2)", &[id.into(), "text".into()]).map(|_| ())
}

pub fn count(db: &Db) -> i64 {
    db.read(count_in).unwrap()
}

pub fn count_in(tx: &mut dyn Tx) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM notes", &[])?[0].int(0)
}

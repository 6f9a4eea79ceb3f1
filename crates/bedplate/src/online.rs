//! Where the rows of feature views are: in the home, or in a Redis that several replicas share.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bedplate_db::Db;
use bedplate_online::{Connect, OnlineError, OnlineStore, RedisAddress};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;

use crate::home::{Home, unusable, write_private};
use crate::platform::belongs;

/// In a home whose rows are in a Redis: where that is.
const MARKER: &str = "online.redis";
const WHAT: &str = "the online store";
/// MiB.
const MOST_MEMORY: i64 = 1 << 20;

#[derive(Debug, Args, Clone, Default)]
pub struct OnlineOptions {
    /// Keep the rows of feature views in this Redis (7 or newer, or Valkey) instead of the home:
    /// redis://user:password@host:6379/0, or rediss:// over TLS. With a password say it in the environment: everybody on this
    /// machine can read a command line. Replicas on one database share it, and all of them take pushes and answer with features.
    #[arg(long, env = "BEDPLATE_ONLINE", hide_env_values = true, value_name = "URL")]
    online: Option<OnlineUrl>,
    /// PEM certificates of the authority that vouches for a rediss:// server; the machine's own when left out.
    #[arg(long, env = "BEDPLATE_ONLINE_CA", value_name = "FILE")]
    online_ca: Option<PathBuf>,
    /// Also take a Redis that may lose rows that it acknowledged, because it does not write its disk in time or throws rows away
    /// when its memory is full.
    #[arg(long)]
    online_may_lose: bool,
    /// Memory for the latest rows of feature views whose rows are in the home; 96 when left out. Those beyond it are read from disk.
    #[arg(long, env = "BEDPLATE_ONLINE_MEMORY", value_name = "MIB", value_parser = clap::value_parser!(u32).range(0..=MOST_MEMORY))]
    online_memory: Option<u32>,
}

/// The address of a Redis. It may hold a password and is shown to nobody.
#[derive(Clone)]
pub struct OnlineUrl(String);

impl FromStr for OnlineUrl {
    type Err = std::convert::Infallible;

    /// Takes anything: a refusal of the command line's own would repeat the password.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for OnlineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an online store's address")
    }
}

impl OnlineOptions {
    /// How to come to the Redis that is named, if one is.
    pub fn redis(&self, owner: String) -> Result<Option<Connect>, Problem> {
        let Some(url) = self.online.as_ref().filter(|url| !url.0.is_empty()) else { return Ok(None) };
        let address = RedisAddress::parse(&url.0).map_err(|why| {
            Problem::new(ErrorKind::Invalid, "the address of the online store (--online, BEDPLATE_ONLINE)", why)
                .with_fix(
                    "BEDPLATE_ONLINE=redis://user:password@host:6379/0, with what is special in a password as %40",
                )
        })?;
        let read = |file: &PathBuf| fs::read(file).map_err(|error| unusable(file, &error));
        let ca = self.online_ca.as_ref().map(read).transpose()?;
        Ok(Some(Connect { address, ca, owner, may_lose: self.online_may_lose }))
    }

    /// Opens the store: in the Redis that is named, else in the home.
    pub fn open(&self, home: &Home, db: &Db) -> Result<OnlineStore, Problem> {
        let Some(how) = self.redis(belongs::database_id(db)?)? else {
            refuse_moved(home)?;
            return self.own(&home.path("online")).map_err(|error| Problem::of(WHAT, &error));
        };
        let shown = how.address.shown();
        let store = OnlineStore::connect(how).map_err(|error| Problem::of(WHAT, &error))?;
        let standing = store.standing().map_err(|error| Problem::of(WHAT, &error))?;
        if let Some(loses) = standing.and_then(|standing| standing.loses) {
            tracing::warn!("the online store may lose rows: Redis at {shown} {loses}");
        }
        write_private(&home.path(MARKER), shown.as_bytes())?;
        Ok(store)
    }

    fn own(&self, folder: &Path) -> Result<OnlineStore, OnlineError> {
        match self.online_memory {
            Some(memory) => OnlineStore::open_remembering(folder, (memory as usize) << 20),
            None => OnlineStore::open(folder),
        }
    }
}

/// In which Redis the home's rows were when it was last up; `None` where they are its own.
pub fn elsewhere(path: impl Fn(&str) -> PathBuf) -> Option<String> {
    fs::read_to_string(path(MARKER)).ok()
}

/// Rows that were pushed are in the Redis and nowhere else: nobody goes on without them unawares.
fn refuse_moved(home: &Home) -> Result<(), Problem> {
    let Some(server) = elsewhere(|name| home.path(name)) else { return Ok(()) };
    let why = format!("its rows of feature views are in the Redis at {server}");
    let marker = home.path(MARKER);
    Err(Problem::new(ErrorKind::Invalid, format!("home {}", home.path("").display()), why).with_fix(format!(
        "say where: BEDPLATE_ONLINE=redis://…; or go on without the rows that were pushed there: rm {}",
        Path::new(&marker).display()
    )))
}

/// What is told of a backup that the rows are not in.
pub fn left_out(server: &str) -> String {
    format!(
        "the rows of feature views are not in it: they are in the Redis at {server}, which has backups of its own \
         (redis-cli BGREWRITEAOF, and copy its appendonlydir)"
    )
}

#[cfg(test)]
mod tests {
    use bedplate_features::{EntityKey, FeatureDef, KeyValue, SourceRow, ViewDefinition};
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
    use bedplate_types::Timestamp;
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        online: OnlineOptions,
    }

    fn parsed(arguments: &[&str]) -> Result<OnlineOptions, clap::Error> {
        Cli::try_parse_from([&["up"], arguments].concat()).map(|cli| cli.online)
    }

    /// Whether a row is in memory that was just loaded.
    fn remembers(arguments: &[&str]) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let store = parsed(arguments).unwrap().own(folder.path()).unwrap();
        let join_keys = vec![JoinKey { name: "id".into(), type_: ColumnType::String }];
        let key = EntityKey::from_values(&join_keys, &[KeyValue::Text("a")]).unwrap().unwrap();
        let x = FeatureDef {
            name: "x".into(),
            column: "x".into(),
            aggregate: Aggregate::Last,
            window: None,
            quantile: None,
        };
        let (timestamp, features) = (Some("at".into()), vec![x]);
        let definition = ViewDefinition { name: "v".into(), join_keys, timestamp, created: None, ttl: None, features };
        let row = SourceRow { key: key.clone(), time: 1, created: None, id: None, values: vec![Some(2.0)] };
        store.try_load("v", Some(&definition), [Ok::<_, OnlineError>(row)]).unwrap();
        store.remembered(&definition, "v", &[(Some(key), Timestamp::from_micros(3))]).is_some()
    }

    #[test]
    fn latest_rows_are_in_as_much_memory_as_is_said() {
        assert!(remembers(&[]) && remembers(&["--online-memory", "1"]));
        assert!(!remembers(&["--online-memory", "0"]));
        for wrong in ["-1", "1048577", "96MiB"] {
            assert!(parsed(&[&format!("--online-memory={wrong}")]).is_err(), "{wrong}");
        }
    }
}

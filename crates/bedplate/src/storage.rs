//! Where the platform keeps what it must not lose: said on the command line or in the environment.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

#[derive(Debug, Args, Clone, Default)]
pub struct Storage {
    /// Keep objects, audit log, lineage and ledger in this PostgreSQL database instead of a file in the home:
    /// postgres://user:password@host:5432/database. With a password say it in the environment: everybody on this machine
    /// can read a command line. Several replicas may share one database; one of them leads and runs the controllers.
    #[arg(long, env = "BEDPLATE_DATABASE", hide_env_values = true, value_name = "URL")]
    pub database: Option<DatabaseUrl>,
    /// Where the keys and the administrator's token are, which must be the same for all replicas on one database. The home
    /// when left out.
    #[arg(id = "keys_folder", long = "keys", env = "BEDPLATE_KEYS", value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// Where tables, objects, buckets, models and runs are: for replicas a folder that all of them see under the same path.
    /// The home when left out.
    #[arg(long, env = "BEDPLATE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub online: crate::online::OnlineOptions,
}

impl Storage {
    /// The address of the database, unless it is the home's own file.
    pub fn database(&self) -> Option<&DatabaseUrl> {
        self.database.as_ref().filter(|url| !url.0.is_empty())
    }
}

/// The address of a database. It may hold a password and is shown to nobody.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// For whoever connects.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = std::convert::Infallible;

    /// Takes anything: a refusal of the command line's own would repeat the password.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a database's address")
    }
}

//! One connection, made ready: the server was judged and knows the scripts, and its rows are this platform's.

use std::collections::HashMap;
use std::time::Duration;

use bedplate_types::ErrorKind;
use redis::{Client, Cmd, Connection, FromRedisValue, Pipeline, RedisError, RedisResult, TlsCertificates, cmd, pipe};

use super::Connect;
use super::problem::{Trouble, told, trouble};
use super::scripts::{Script, texts};
use super::standing::{Facts, Keeps, judge};

const CONNECTING: Duration = Duration::from_secs(2);
/// The longest an answer may take.
const ANSWERING: Duration = Duration::from_secs(10);
/// The longest that is waited for its disk, in milliseconds; less than for an answer.
const SYNCING: u32 = 8_000;

const ABOUT: &str = "bedplate:about";
/// What the keys and members mean; changes whenever that does.
const LAYOUT: &str = "1";

pub(super) struct Link {
    connection: Connection,
    keeps: Keeps,
    /// The digests by which the server knows the scripts, in the order of [`Script`].
    scripts: Vec<String>,
}

/// What opens connections.
pub(super) fn client(how: &Connect) -> RedisResult<Client> {
    let info = how.address.connection()?;
    if how.address.tls && rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been quicker, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    match &how.ca {
        Some(ca) if how.address.tls => {
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(ca.clone()) })
        }
        _ => Client::open(info),
    }
}

/// Asks the server about itself.
pub(super) fn facts(client: &Client) -> Result<(Connection, Facts), Trouble> {
    let mut connection = client.get_connection_with_timeout(CONNECTING).map_err(|error| told(&error))?;
    let timed =
        connection.set_read_timeout(Some(ANSWERING)).and_then(|()| connection.set_write_timeout(Some(ANSWERING)));
    timed.map_err(|error| told(&error))?;
    let info: String = cmd("INFO").query(&mut connection).map_err(|error| told(&error))?;
    let mut config = cmd("CONFIG");
    config.arg("GET").arg("appendonly").arg("appendfsync").arg("maxmemory-policy");
    let config = match config.query::<HashMap<String, String>>(&mut connection) {
        // A server that somebody else manages does not tell.
        Err(error) if !error.is_io_error() => None,
        other => Some(other.map_err(|error| told(&error))?),
    };
    Ok((connection, Facts::new(&info, config)))
}

impl Link {
    pub(super) fn open(client: &Client, how: &Connect) -> Result<Self, Trouble> {
        let (mut connection, facts) = facts(client)?;
        let (keeps, _) = judge(&facts, how.may_lose)?;
        belongs(&mut connection, &how.owner)?;
        let mut load = pipe();
        for text in texts() {
            load.cmd("SCRIPT").arg("LOAD").arg(text);
        }
        let scripts = load.query(&mut connection).map_err(|error| told(&error))?;
        Ok(Self { connection, keeps, scripts })
    }

    /// A call of a script that is about one view.
    pub(super) fn call(&self, script: Script, view: &str) -> Cmd {
        let mut call = cmd("EVALSHA");
        call.arg(&self.scripts[script as usize]).arg(1).arg(view_key(view));
        call
    }

    pub(super) fn ask<T: FromRedisValue>(&mut self, cmd: &Cmd) -> RedisResult<T> {
        cmd.query(&mut self.connection)
    }

    pub(super) fn ask_all<T: FromRedisValue>(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<T>> {
        pipeline.query(&mut self.connection)
    }

    /// Runs what writes, and returns when it is on the server's disk, with all that was written before.
    pub(super) fn write<T: FromRedisValue>(&mut self, cmd: Cmd) -> RedisResult<T> {
        if self.keeps != Keeps::WaitedFor {
            return self.ask(&cmd);
        }
        let mut both = pipe();
        both.add_command(cmd);
        both.cmd("WAITAOF").arg(1).arg(0).arg(SYNCING);
        let (answer, (synced, _)): (T, (u32, u32)) = both.query(&mut self.connection)?;
        if synced == 0 {
            return Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut)));
        }
        Ok(answer)
    }
}

pub(super) fn view_key(view: &str) -> String {
    format!("bedplate:view:{view}")
}

/// Notes at the first start whose rows they are, and refuses others ever after.
fn belongs(connection: &mut Connection, owner: &str) -> Result<(), Trouble> {
    let mut note = pipe();
    note.cmd("HSETNX").arg(ABOUT).arg("layout").arg(LAYOUT).ignore();
    note.cmd("HSETNX").arg(ABOUT).arg("owner").arg(owner).ignore();
    note.cmd("HMGET").arg(ABOUT).arg("layout").arg("owner");
    let ((layout, whose),): ((String, String),) = note.query(connection).map_err(|error| told(&error))?;
    if layout != LAYOUT {
        let why = format!("has rows of layout {layout}; this bedplate reads layout {LAYOUT}");
        return Err(trouble(ErrorKind::Invalid, why, "use the bedplate that wrote them, or a newer one"));
    }
    if whose != owner {
        let why = "has the rows of another platform in this database";
        let fix = "name another database in --online, as redis://host:port/1; or, where that platform is gone for good, \
                   empty this one: redis-cli -n <database> FLUSHDB";
        return Err(trouble(ErrorKind::Conflict, why, fix));
    }
    Ok(())
}

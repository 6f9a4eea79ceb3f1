//! A real PostgreSQL server of the test's own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::{StartError, free_port, not_run, program};

/// Says to the tests of a process that they are to run on the server at this port.
const PORT: &str = "BEDPLATE_TEST_POSTGRES_PORT";
/// One that has to be written otherwise in an address.
const PASSWORD: &str = "p@ss/w:rd?";
const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Ard%3F";
const USER: &str = "bedplate_tests";
const LIMIT: Duration = Duration::from_secs(60);

/// Keeps the server: it ends with its standard input, and so with the process of the tests, however that ends. After the
/// word `stop` the folder stays.
const KEEPER: &str = r#"
"$1/postgres" -D "$2/data" -p "$3" -k "$2" -c listen_addresses=127.0.0.1 -c max_connections=200 >>"$2/log" 2>&1 &
server=$!
echo $server >"$2/pid"
read -r word || word=gone
kill -INT $server 2>/dev/null
wait $server
[ "$word" = stop ] || rm -rf "$2"
"#;

/// A server on a port of its own, with its data in a temporary folder. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    keeper: Option<Child>,
}

/// Where one of PostgreSQL's server programs is: on the PATH, or where Debian has the newest.
#[must_use]
pub fn postgres_program(name: &str) -> Option<PathBuf> {
    if let Some(found) = program(name) {
        return Some(found);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let version = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    folders.sort_by_key(|path| version(path));
    folders.into_iter().rev().map(|folder| folder.join("bin").join(name)).find(|file| file.is_file())
}

impl Postgres {
    /// Makes a cluster and starts its server. As root it runs as the user `postgres`, since the server refuses root.
    ///
    /// # Errors
    /// What the programs said.
    pub fn start() -> Result<Self, StartError> {
        let folder = make_cluster()?;
        let mut server = Self { folder, port: free_port(), keeper: None };
        server.resume()?;
        Ok(server)
    }

    /// One server for all tests of the process. None, and [`not_run`] says that `what` was not run, when there is none.
    pub fn shared(what: &str) -> Option<&'static Self> {
        static SERVER: OnceLock<Result<Postgres, String>> = OnceLock::new();
        match SERVER.get_or_init(|| Self::start().map_err(|error| error.to_string())) {
            Ok(server) => Some(server),
            Err(why) => {
                not_run(&format!("{what}: there is no PostgreSQL server: {why}"));
                None
            }
        }
    }

    /// The address of a new, empty database that orders text by its bytes.
    ///
    /// # Panics
    /// When the server does not make it.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_with("ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
    }

    /// As [`Self::database`], with what stands behind `TEMPLATE template0`.
    ///
    /// # Panics
    /// When the server does not make it.
    #[must_use]
    pub fn database_with(&self, how: &str) -> String {
        new_database(self.port, how)
    }

    /// Runs SQL as the owner of everything, in the database of this address.
    ///
    /// # Panics
    /// When it fails.
    pub fn sql(&self, url: &str, sql: &str) -> String {
        let database = url.rsplit('/').next().unwrap_or("postgres");
        psql(self.port, database, sql)
    }

    /// The password that is in every address, as it is and as it is written there.
    #[must_use]
    pub const fn passwords() -> [&'static str; 2] {
        [PASSWORD, PASSWORD_IN_URL]
    }

    /// Ends it as an administrator would; the data stays for [`Self::resume`].
    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            if let Some(mut input) = keeper.stdin.take() {
                let _ = input.write_all(b"stop\n");
            }
            let _ = keeper.wait();
        }
    }

    /// Ends it at once, as a crash would; the data stays for [`Self::resume`].
    pub fn crash(&mut self) {
        let pid = fs::read_to_string(self.folder.join("pid")).ok().and_then(|pid| pid.trim().parse().ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::QUIT);
        }
        self.stop();
    }

    /// Starts it again after [`Self::stop`] or [`Self::crash`].
    ///
    /// # Errors
    /// What it said.
    pub fn resume(&mut self) -> Result<(), StartError> {
        let bin = programs()?;
        let mut keeper = as_server("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(&bin).arg(&self.folder).arg(self.port.to_string());
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.keeper = Some(keeper.map_err(failed)?);
        let until = Instant::now() + LIMIT;
        while Instant::now() < until {
            if try_psql(self.port, "postgres", "SELECT 1").is_ok_and(|output| output.status.success()) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let said = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(StartError { why: format!("it was not ready within {LIMIT:?}"), said })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The address of a new database when the tests of this process are to run on PostgreSQL: see [`suite_on_postgres`].
#[must_use]
pub fn postgres_database() -> Option<String> {
    let port = std::env::var(PORT).ok()?.parse().expect("a port");
    Some(new_database(port, "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"))
}

/// Runs all tests of this test binary once more with [`postgres_database`] giving out databases, except those whose names
/// hold one of `but`; the test that calls this must be among them.
///
/// # Panics
/// When a test fails there, or none was run.
pub fn suite_on_postgres(but: &[&str]) {
    let whose = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let Some(server) = Postgres::shared(&format!("the tests of {whose} on PostgreSQL")) else { return };
    let mut again = Command::new(std::env::current_exe().expect("a test binary"));
    for name in but {
        again.args(["--skip", name]);
    }
    let output = again.env(PORT, server.port.to_string()).output().expect("the test binary can be run");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(" passed") && !said.contains(" 0 passed"), "no test was run: {said}");
    println!("{said}");
}

fn programs() -> Result<PathBuf, StartError> {
    let initdb = postgres_program("initdb");
    let folder = initdb.as_deref().and_then(Path::parent).map(Path::to_owned);
    folder.ok_or_else(|| StartError { why: "initdb is not installed".into(), said: String::new() })
}

fn make_cluster() -> Result<PathBuf, StartError> {
    let bin = programs()?;
    let folder = run(as_server("mktemp").args(["-d", "-t", "bedplate-postgres-XXXXXX"]))?;
    let folder = PathBuf::from(folder.trim());
    let script = r#"umask 077; cat >"$2/password"; "$1/initdb" -D "$2/data" -U "$3" --pwfile="$2/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync --no-instructions"#;
    let mut init = as_server("sh");
    init.args(["-c", script, "sh"]).arg(&bin).arg(&folder).arg(USER).stdin(Stdio::piped());
    let mut init = init.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut input) = init.stdin.take() {
        input.write_all(PASSWORD.as_bytes()).map_err(failed)?;
    }
    told(init.wait_with_output().map_err(failed)?)?;
    Ok(folder)
}

/// The program as a user that the server takes.
fn as_server(name: &str) -> Command {
    if !geteuid().is_root() {
        return Command::new(name);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", name]).current_dir("/");
    command
}

fn run(command: &mut Command) -> Result<String, StartError> {
    told(command.stdin(Stdio::null()).output().map_err(failed)?)
}

fn told(output: Output) -> Result<String, StartError> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(StartError { why: format!("it failed: {}", output.status), said })
}

fn failed(error: std::io::Error) -> StartError {
    StartError { why: error.to_string(), said: String::new() }
}

fn new_database(port: u16, how: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    psql(port, "postgres", &format!("CREATE DATABASE {name} TEMPLATE template0 {how}"));
    format!("postgres://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port}/{name}")
}

fn psql(port: u16, database: &str, sql: &str) -> String {
    let output = try_psql(port, database, sql).expect("psql can be run");
    told(output).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn try_psql(port: u16, database: &str, sql: &str) -> std::io::Result<Output> {
    let psql = postgres_program("psql").unwrap_or_else(|| "psql".into());
    let mut command = Command::new(psql);
    command.env("PGPASSWORD", PASSWORD).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", USER, "-d", database]);
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]).stdin(Stdio::null()).output()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_its_data_over_a_stop_and_a_crash_and_ends_with_its_handle() {
        let mut server = match Postgres::start() {
            Ok(server) => server,
            Err(why) => return not_run(&format!("the starter of PostgreSQL: {why}")),
        };
        let url = server.database();
        server.sql(&url, "CREATE TABLE kept (n BIGINT); INSERT INTO kept VALUES (7)");
        server.stop();
        assert!(!try_psql(server.port, "postgres", "SELECT 1").unwrap().status.success(), "it still answers");
        server.resume().unwrap();
        server.crash();
        server.resume().unwrap();
        assert_eq!(server.sql(&url, "SELECT n FROM kept").trim(), "7");
        let (folder, port) = (server.folder.clone(), server.port);
        drop(server);
        assert!(!folder.exists());
        assert!(!try_psql(port, "postgres", "SELECT 1").unwrap().status.success());
    }
}

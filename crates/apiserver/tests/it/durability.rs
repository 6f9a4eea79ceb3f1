//! A server that is killed again and again while it is written to, and what clients were told held against what is there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bedplate_db::{Db, DbError, Tx};
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, House, admin};

const FILE: &str = "BEDPLATE_APISERVER_KILL_TEST_FILE";
const KILLS: u64 = 100;
/// Another is as good.
const SEED: u64 = 20_261_124;
/// Clients at the same time, and objects of each.
const CLIENTS: u64 = 4;
const OBJECTS: u64 = 6;

/// Not a test by itself: the server to be killed. It says where it is and what token to show.
#[test]
#[ignore = "run by the kill test as a child process"]
fn child() {
    #[expect(clippy::disallowed_methods, reason = "how the test speaks to its child")]
    let Ok(path) = std::env::var(FILE) else { return };
    let house = House::at(Path::new(&path));
    let token = house.token(admin());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("\nat {} {token}", listener.local_addr().unwrap());
        axum::serve(listener, house.server.router()).await.unwrap();
    });
}

/// What is known of an object: the value it has for certain, and the one that it may have instead, since nobody was told
/// what became of the last request. `None`: it is not there.
#[derive(Clone, Debug, Default)]
struct Known {
    value: Option<String>,
    perhaps: Option<Option<String>>,
}

type Oracle = BTreeMap<String, Known>;

#[test]
fn a_hundred_kills_lose_no_acknowledged_write_and_invent_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let mut oracles: Vec<Oracle> = vec![Oracle::new(); usize::try_from(CLIENTS).unwrap()];
    let (mut random, mut acknowledged, mut open) = (Random(SEED), 0, 0);
    println!("seed {SEED}");
    for round in 0..KILLS {
        let (mut child, address, token) = start(&path);
        let clients: Vec<_> = oracles
            .drain(..)
            .zip(0..)
            .map(|(oracle, client)| {
                let (address, token, random) = (address.clone(), token.clone(), Random(random.next()));
                std::thread::spawn(move || work(oracle, &address, &token, client, random))
            })
            .collect();
        std::thread::sleep(Duration::from_micros(20_000 + random.next() % 180_000));
        child.kill().unwrap();
        child.wait().unwrap();
        for client in clients {
            let (oracle, told) = client.join().unwrap();
            acknowledged += told;
            open += oracle.values().filter(|known| known.perhaps.is_some()).count();
            oracles.push(oracle);
        }
        check(&path, &mut oracles, round);
    }
    println!("{KILLS} kills, {acknowledged} acknowledged writes, {open} whose answer was cut off");
    assert!(acknowledged > KILLS * 2, "only {acknowledged} writes: the kills hit nothing");
    assert!(open > 50, "only {open} requests were cut off: the kills hit nothing");
}

fn start(path: &Path) -> (Child, String, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["durability::child", "--exact", "--ignored", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.into_iter().find(|line| line.starts_with("at ")).expect("the server says where it is");
    let mut words = line.split(' ').skip(1).map(str::to_owned);
    (child, words.next().unwrap(), words.next().unwrap())
}

/// Writes until the server is gone; returns what it knows then, and how many writes were acknowledged.
fn work(mut oracle: Oracle, address: &str, token: &str, client: u64, mut random: Random) -> (Oracle, u64) {
    let mut told = 0;
    let Ok(mut connection) = Connection::open(address, token) else { return (oracle, told) };
    loop {
        let name = format!("c{client}-{}", random.next() % OBJECTS);
        let known = oracle.entry(name.clone()).or_default();
        let value = format!("{:016x}", random.next());
        let path = format!("{CONFIG_MAPS}/{name}");
        let object =
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "v": value } });
        let (method, path, body, new) = match (&known.value, random.next() % 3) {
            (None, _) => ("POST", CONFIG_MAPS, object, Some(value)),
            (Some(_), 0) => ("DELETE", path.as_str(), Value::Null, None),
            (Some(_), _) => ("PUT", path.as_str(), object, Some(value)),
        };
        known.perhaps = Some(new.clone());
        match connection.ask(method, path, &body) {
            Err(_) => return (oracle, told),
            Ok(code) => {
                assert!(code < 300, "{method} {path}: {code}, and {known:?}");
                *known = Known { value: new, perhaps: None };
                told += 1;
            }
        }
    }
}

/// What is there is what was acknowledged, or what was asked and not answered; what is there is known then.
fn check(path: &Path, oracles: &mut [Oracle], round: u64) {
    let db = Db::open(path, &crate::support::migrations()).unwrap();
    let read = |tx: &mut dyn Tx| {
        assert_eq!(tx.query("PRAGMA integrity_check", &[])?[0].text(0)?, "ok", "round {round}");
        let number = |tx: &mut dyn Tx, sql: &str| tx.query(sql, &[])?[0].int(0);
        let changes = number(tx, "SELECT version FROM api_head")?;
        assert_eq!(
            number(tx, "SELECT COUNT(*) FROM audit_leaves")?,
            changes,
            "round {round}: a change without its leaf"
        );
        assert_eq!(
            number(tx, "SELECT MAX(version) FROM api_changes")?,
            changes,
            "round {round}: a version without a change"
        );
        tx.query("SELECT name, body FROM api_objects WHERE resource = 'configmaps'", &[])
    };
    let rows = db.read(read).unwrap_or_else(|error: DbError| panic!("{error}"));
    let mut there: BTreeMap<String, String> = BTreeMap::new();
    for row in rows {
        let object: Value = serde_json::from_str(row.text(1).unwrap()).unwrap();
        there.insert(row.text(0).unwrap().to_owned(), object["data"]["v"].as_str().unwrap().to_owned());
    }
    for (name, known) in oracles.iter_mut().flatten() {
        let found = there.remove(name);
        let is_told = found == known.value || known.perhaps.as_ref().is_some_and(|perhaps| *perhaps == found);
        assert!(is_told, "round {round}: {name} is {found:?}, and {known:?} was told");
        *known = Known { value: found, perhaps: None };
    }
    assert_eq!(there, BTreeMap::new(), "round {round}: nobody asked for these");
}

/// One connection that is kept open.
struct Connection {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Connection {
    fn open(address: &str, token: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), token: token.to_owned() })
    }

    /// The status, once the whole answer was read.
    fn ask(&mut self, method: &str, path: &str, body: &Value) -> std::io::Result<u16> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        self.stream.get_mut().write_all((head + &body).as_bytes())?;
        let (mut code, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim().to_ascii_lowercase();
            match line.strip_prefix("content-length:") {
                Some(told) => length = told.trim().parse().unwrap(),
                None if line.is_empty() => break,
                None if code.is_none() => code = line.split(' ').nth(1).map(|code| code.parse().unwrap()),
                None => assert!(!line.starts_with("transfer-encoding"), "answers of this size have a length"),
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        code.ok_or_else(|| std::io::ErrorKind::InvalidData.into())
    }
}

/// Knuth's.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }
}

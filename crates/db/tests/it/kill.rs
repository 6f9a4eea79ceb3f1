//! A process is killed in the middle of writing: what it had been told is written must be there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use bedplate_db::{Db, DbError};

use crate::{Home, SCHEMA, note};

const FILE: &str = "BEDPLATE_DB_KILL_TEST_FILE";

/// Not a test by itself: the process to be killed. It says `ack <id>` for each write that returned.
#[test]
#[ignore = "run by the kill test as a child process"]
fn child() {
    #[expect(clippy::disallowed_methods, reason = "how the test speaks to its child")]
    let Ok(path) = std::env::var(FILE) else { return };
    let db = Db::open(Path::new(&path), SCHEMA).unwrap();
    for i in 0..u64::MAX {
        db.write(move |tx| note(tx, &i.to_string())).unwrap();
        println!("\nack {i}");
    }
}

#[test]
fn acknowledged_writes_survive_kill_9() {
    for stop_after in [1, 10, 57] {
        let home = Home::make();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["kill::child", "--exact", "--ignored", "--nocapture"])
            .env(FILE, home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let is_ack = |line: &String| line.starts_with("ack ");
        let mut acknowledged: Vec<String> = lines.by_ref().filter(is_ack).take(stop_after).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.filter(is_ack));
        assert!(acknowledged.len() >= stop_after);
        let db = home.open();
        for line in acknowledged {
            let id = line["ack ".len()..].to_owned();
            let found = db.read(|tx| tx.query("SELECT 1 FROM notes WHERE id = $1", &[id.into()])).unwrap();
            assert_eq!(found.len(), 1, "{line} was lost");
        }
        assert_eq!(db.read(|tx| tx.query("PRAGMA integrity_check", &[])?[0].text(0).map(str::to_owned)).unwrap(), "ok");
        db.write(|tx| note(tx, "and on it goes")).unwrap_or_else(|error: DbError| panic!("{error}"));
    }
}

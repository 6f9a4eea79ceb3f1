//! A real witness beside the platform: it cosigns what grows, and tells of what was rolled back.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bedplate_testkit::{Ready, Server, free_port, not_run, python};
use serde_json::Value;

use crate::run::{Said, bedplate, said, up};

/// A witness in a process of its own, with a memory that outlives it.
struct Witness {
    server: Server,
    key: String,
}

/// The key of a witness that never cosigned anything.
const OTHER: &str = "witness.example/w2+33462fdd+BDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";

fn witness(python: &Path, log_key: &str, memory: &Path, port: u16) -> Witness {
    let script = bedplate_testkit::in_crate("tests/it/witness.py");
    let mut command = Command::new(python);
    command.arg(script).arg(log_key).arg(memory).arg(port.to_string());
    let server = Server::start(&mut command, &Ready::Line("listening on".into()), Duration::from_secs(20)).unwrap();
    let said = server.said();
    let key = said.lines().find_map(|line| line.strip_prefix("key ")).unwrap().to_owned();
    Witness { server, key }
}

fn ask(home: &Path, arguments: &[&str]) -> Said {
    said(&mut bedplate(home, arguments))
}

#[track_caller]
fn ok(home: &Path, arguments: &[&str]) -> String {
    let said = ask(home, arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said.out
}

/// How it stands with the witness, once `wanted` says yes.
#[track_caller]
fn stands(home: &Path, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let said = ask(home, &["audit", "verify", "-o", "json"]);
        let told: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        if wanted(&told["witnesses"][0]) {
            return told;
        }
        assert!(Instant::now() < until, "{told}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn is(standing: &'static str) -> impl Fn(&Value) -> bool {
    move |witness| witness["standing"] == standing
}

/// Leaves in the log.
fn more_leaves(home: &Path, many: usize) {
    for n in 0..many {
        ok(home, &["token", "create", &format!("user{n}")]);
    }
}

fn copied(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    let done = Command::new("cp").arg("-a").arg(from.join(".")).arg(to.path()).status().unwrap();
    assert!(done.success());
    to
}

#[test]
fn a_witness_cosigns_what_grows_and_tells_of_what_was_rolled_back() {
    let Some(python) = python() else {
        return not_run("a witness of the audit log: no Python environment with the package cryptography");
    };
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (home, dir) = (home.path(), place.path().join("log").to_str().unwrap().to_owned());
    let platform = up(home, &[]);
    ok(home, &["audit", "export", &dir]);
    let log_key = std::fs::read_to_string(place.path().join("log/vkey")).unwrap().trim().to_owned();
    platform.stop(Duration::from_secs(20)).unwrap();
    let backup = copied(home);

    let (memory, port) = (place.path().join("memory"), free_port());
    let seen = witness(&python, &log_key, &memory, port);
    let url = format!("http://127.0.0.1:{port}/prefix");
    let flags = ["--audit-witness", &url, "--audit-witness-key", &seen.key];
    let platform = up(home, &flags);
    cosigned(home, &dir, &log_key, &seen.key);
    let first = stands(home, is("cosigned"))["witnesses"][0]["known"].as_u64().unwrap();
    more_leaves(home, 3);
    stands(home, |witness| witness["standing"] == "cosigned" && witness["known"].as_u64() > Some(first));

    drop(seen);
    more_leaves(home, 1);
    let away = stands(home, is("unreachable"));
    assert!(away["witnesses"][0]["behind"].as_u64() > Some(0) && away["verified"] == true, "{away}");
    let doctor = ask(home, &["doctor"]);
    assert!(doctor.code == Some(7) && doctor.out.contains("wrong witness"), "{doctor:?}");
    let seen = witness(&python, &log_key, &memory, port);
    let known = stands(home, is("cosigned"))["witnesses"][0]["known"].as_u64().unwrap();
    platform.stop(Duration::from_secs(20)).unwrap();

    restored(backup.path(), &url, known);
    assert!(seen.server.said().contains("answered 409") && seen.server.said().contains("answered 422"));
}

/// Its word is kept, handed out, exported and required.
fn cosigned(home: &Path, dir: &str, log_key: &str, key: &str) {
    stands(home, is("cosigned"));
    let told = ok(home, &["audit", "verify", "--witness-key", key]);
    assert!(told.contains("cosigned by witness.example/w1 up to leaf"), "{told}");
    assert!(ok(home, &["doctor"]).contains("ok    witness"));
    ok(home, &["audit", "export", dir]);
    let folder = ["audit", "verify", "--dir", dir, "--key", log_key, "--witness-key"];
    assert!(ok(home, &[&folder[..], &[key]].concat()).contains("cosigned by witness.example/w1"));
    for live in [true, false] {
        let refused = match live {
            true => ask(home, &["audit", "verify", "--witness-key", OTHER]),
            false => ask(home, &[&folder[..], &[OTHER]].concat()),
        };
        refused.refused(9, &["no trusted witness"]);
    }
    let note = PathBuf::from(dir).join("cosigned");
    let forged = std::fs::read_to_string(&note).unwrap().replacen(
        "\u{2014} witness.example/w1 ",
        "\u{2014} witness.example/w1 A",
        1,
    );
    std::fs::write(&note, forged).unwrap();
    assert_ne!(ask(home, &[&folder[..], &[key]].concat()).code, Some(0), "a cosignature that was changed is believed");
    ok(home, &["audit", "export", dir]);
    ok(home, &[&folder[..], &[key]].concat());
}

/// A platform restored from an old backup: first it is shorter than what was seen, then another.
fn restored(home: &Path, url: &str, known: u64) {
    let platform = up(home, &["--audit-witness", url]);
    let shorter = stands(home, is("rolledBack"));
    let why = shorter["witnesses"][0]["why"].as_str().unwrap();
    assert!(why.contains(&format!("with {known} leaves")) && why.contains("older state"), "{why}");
    let verified = ask(home, &["audit", "verify"]);
    assert!(
        verified.code == Some(8) && verified.err.contains("older state") && verified.out.contains("rolledBack"),
        "{verified:?}"
    );
    assert_eq!(ask(home, &["doctor"]).code, Some(8));
    more_leaves(home, usize::try_from(known).unwrap());
    let other = stands(home, is("forked"));
    assert!(other["witnesses"][0]["why"].as_str().unwrap().contains("another log"), "{other}");
    assert_eq!(ask(home, &["audit", "verify"]).code, Some(8));
    platform.stop(Duration::from_secs(20)).unwrap();
}

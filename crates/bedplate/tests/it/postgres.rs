//! The platform on PostgreSQL: the same numbers as on SQLite, one set of keys for all replicas, and no password told.

use std::path::Path;
use std::process::Command;

use bedplate_testkit::Postgres;

use crate::kill::numbers;
use crate::run::{PORTS, bedplate, quickstart, said};
use crate::small;

fn on(url: &str, mut command: Command) -> Command {
    command.env("BEDPLATE_DATABASE", url);
    command
}

/// Starts and is refused: what was said.
fn refused(url: &str, home: &Path, more: &[&str]) -> crate::run::Said {
    said(&mut on(url, bedplate(home, &[&["up"], PORTS.as_slice(), more].concat())))
}

#[test]
fn the_quickstart_completes_with_the_same_numbers() {
    let Some(server) = Postgres::shared("the quickstart on PostgreSQL") else { return };
    let folder = tempfile::tempdir().unwrap();
    small::write(folder.path());
    let from = ["--from", folder.path().to_str().unwrap()];
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = server.database();
    let on_sqlite = said(&mut quickstart(here.path(), &from)).json();
    let on_postgres = said(&mut on(&url, quickstart(there.path(), &from))).json();
    assert_eq!(numbers(&on_postgres), numbers(&on_sqlite));
    for summary in [&on_sqlite, &on_postgres] {
        assert_eq!(summary["serving"]["parity_share"], 1.0);
        assert_eq!((&summary["audit"]["verified"], &summary["trace"]["complete"]), (&true.into(), &true.into()));
    }
    assert!(!there.path().join("bedplate.db").exists(), "nothing was kept in a file");
    let again = said(&mut on(&url, quickstart(there.path(), &from))).json();
    assert_eq!(numbers(&again), numbers(&on_sqlite));
    home_and_database_stay_together(server, there.path(), &url);
}

/// The home holds tables that only its database tells of.
fn home_and_database_stay_together(server: &Postgres, home: &Path, url: &str) {
    said(&mut bedplate(home, &[&["up"], PORTS.as_slice()].concat()))
        .refused(3, &["its database is a PostgreSQL database", "BEDPLATE_DATABASE="]);
    let other = refused(&server.database(), home, &[]);
    other.refused(3, &["in use with another database"]);
    let own = tempfile::tempdir().unwrap();
    std::fs::write(own.path().join("bedplate.db"), "").unwrap();
    refused(url, own.path(), &[]).refused(3, &["bedplate.db", "leave --database out"]);
}

#[test]
fn another_key_is_refused_and_no_password_is_told() {
    let Some(server) = Postgres::shared("keys of replicas on PostgreSQL") else { return };
    let (one, two, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = server.database();
    let shared = ["--keys", keys.path().to_str().unwrap()];
    let first = crate::replicas::up(&url, one.path(), &shared);
    assert!(first.stop(std::time::Duration::from_secs(20)).unwrap().success());
    // Keys of its own, made just now.
    refused(&url, two.path(), &[]).refused(3, &["secrets.key", "first started with", "--keys DIR"]);
    for name in ["audit-signing.seed", "secrets.key"] {
        let kept = std::fs::read(keys.path().join(name)).unwrap();
        std::fs::write(keys.path().join(name), [7; 32]).unwrap();
        refused(&url, one.path(), &shared).refused(3, &[name, "--keys DIR"]);
        std::fs::write(keys.path().join(name), kept).unwrap();
    }
    let token = std::fs::read(keys.path().join("credentials")).unwrap();
    std::fs::write(keys.path().join("credentials"), format!("bp_{}Zm8", "Zm9v".repeat(10))).unwrap();
    refused(&url, one.path(), &shared).refused(3, &["credentials", "does not know"]);
    std::fs::write(keys.path().join("credentials"), token).unwrap();

    let [plain, written] = Postgres::passwords();
    let bad = [
        (url.replace(written, "wr%40ng"), 3, "refuses us"),
        (format!("{url}?sslmode=require"), 3, "sslmode=require"),
        (url.replace("postgres://", "mysql://"), 3, "does not begin with postgres://"),
        (format!("postgres://a:{written}@127.0.0.1:1/x"), 7, "cannot be reached"),
    ];
    for (url, code, words) in bad {
        let told = refused(&url, one.path(), &shared);
        told.refused(code, &[words]);
        assert!(![plain, written, "wr%40ng", "wr@ng"].iter().any(|secret| told.err.contains(secret)), "{}", told.err);
    }
    // Said on the command line, where the command line's own refusals must not repeat it either.
    let flag = format!("--database={url}");
    let told = said(&mut bedplate(one.path(), &["up", "--listen", "nonsense", &flag]));
    assert!(told.code == Some(2) && !told.err.contains(written), "{told:?}");
    let help = said(on(&url, bedplate(one.path(), &["up", "--help"])).arg("--help"));
    assert!(help.out.contains("BEDPLATE_DATABASE") && !help.out.contains(written), "{help:?}");
}

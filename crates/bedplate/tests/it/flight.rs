//! Flight SQL, driven by the ADBC driver of PyPI.

use std::process::Command;

use bedplate_testkit::{not_run, python};
use serde_json::{Value, json};

use crate::run::said;
use crate::sql::{Care, care};

/// `grpc://host:port`
pub fn url(care: &Care) -> String {
    let said_so = care.server.said();
    let (_, url) = said_so.split_once("grpc://").unwrap_or_else(|| panic!("{said_so}"));
    format!("grpc://{}", url.split_whitespace().next().unwrap())
}

#[test]
fn its_driver_reads_looks_around_and_is_refused() {
    if python().is_none() {
        return not_run("the ADBC driver against Flight SQL: no Python environment with adbc-driver-flightsql");
    }
    driven(&care());
}

/// The driver against a platform; there is a Python for it.
pub fn driven(care: &Care) {
    let python = python().unwrap();
    let [editor, analyst, viewer, stranger] =
        ["editor", "analyst", "viewer", "stranger"].map(|account| care.token(account));
    let script = bedplate_testkit::in_crate("tests/it/flight_client.py");
    let told = said(Command::new(python).arg(script).args([&url(care), &editor, &analyst, &viewer, &stranger]));
    assert_eq!(told.code, Some(0), "{}\n{}", told.out, told.err);
    let told: Value = serde_json::from_str(told.out.lines().last().unwrap()).unwrap();

    assert_eq!(told["beds"], json!([{ "ward": "north", "beds": 12 }, { "ward": "south", "beds": 7 }]));
    assert_eq!((&told["by_password"], &told["prepared"], &told["many"]), (&json!(19), &json!(2), &json!(250_000)));
    // Metadata: what the caller may read, and of it what they may see.
    let tables = json!(["patients", "ward_beds"]);
    assert_eq!(told["objects"], json!({ "catalog": "bedplate", "schema": "care", "tables": tables }));
    assert_eq!(told["analyst_objects"]["tables"], json!(["ward_beds"]));
    assert_eq!(told["patients"], json!(["id", "name", "email", "consent"]));
    assert_eq!(told["table_types"], json!(["TABLE"]));
    assert_eq!((&told["vendor"], &told["read_only"]), (&json!("bedplate"), &json!(true)));
    // A mask stays, whatever is said; a policy lifts one for its purpose.
    assert_eq!(
        told["masked"],
        json!([{ "name": "REDACTED", "length": 32, "guess": 0 }, { "name": "REDACTED", "length": 32, "guess": 0 }])
    );
    assert_eq!(told["unmasked"], json!(["ada@example.org", "bob@example.org"]));
    for (what, code, words) in [
        ("no_purpose", "UNAUTHORIZED", "name one of them"),
        ("unknown", "NOT_FOUND", "near it are ward_beds"),
        ("denied", "UNAUTHORIZED", "ward-beds"),
        ("hidden", "INVALID_ARGUMENT", "ssn"),
        ("stranger", "NOT_FOUND", "there is no such table"),
        ("syntax", "INVALID_ARGUMENT", "cannot be read"),
        ("ddl", "INVALID_ARGUMENT", "DROP TABLE"),
        ("update", "NOT_IMPLEMENTED", "only statements that read"),
        ("wrong_token", "UNAUTHENTICATED", "signing in"),
        ("stolen_ticket", "NOT_FOUND", "not one that was made here for you"),
        ("forged_ticket", "NOT_FOUND", "not one that was made here for you"),
        ("cut_off", "NOT_FOUND", "there is no such table"),
    ] {
        let refused = &told["refused"][what];
        assert_eq!(refused[0], code, "{what}: {refused}");
        assert!(refused[1].as_str().unwrap().contains(words), "{what}: {refused}");
    }
    let log = care.api.log();
    assert!(log.iter().any(|leaf| leaf.to_string().contains("flight-sql")), "reads by Flight have leaves");
}

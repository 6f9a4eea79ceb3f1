//! A table of a real PostgreSQL server as a dataset of a real platform.

use std::path::Path;

use bedplate_testkit::Postgres;
use serde_json::{Value, json};

use super::{Declaring, NAMESPACE};
use crate::run::{bedplate, said};
use crate::s3::house;

const COLUMNS: [(&str, &str); 3] = [("id", "int64"), ("place", "string"), ("at", "timestamp")];

fn source(more: Value) -> Value {
    let mut source = json!({ "postgres": { "connection": { "secret": "db" }, "table": "orders" } });
    source.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    source
}

fn orders(server: &Postgres) -> String {
    let url = server.database();
    server.sql(
        &url,
        "CREATE TABLE orders (id int8, place text, at timestamptz, unasked bytea);
         INSERT INTO orders SELECT i, 'EWR', '2020-01-01'::timestamptz + i * interval '1 hour' FROM generate_series(1, 50) i",
    );
    url
}

/// Every file below a folder that holds one of the words.
fn holding(folder: &Path, words: &[&str], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            holding(&path, words, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let has = |word: &&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
            if words.iter().any(has) {
                found.push(path.display().to_string());
            }
        }
    }
}

#[test]
fn a_table_is_loaded_when_it_changed_and_nobody_is_told_the_password() {
    let Some(server) = Postgres::shared("a dataset from PostgreSQL") else { return };
    let url = orders(server);
    let house = house(&["--source-host", "127.0.0.1"]);
    let declaring = Declaring { api: house.api.clone() };
    declaring.dataset("orders", source(json!({ "every": "1h" })), &COLUMNS);
    let waits = declaring.wait("orders", |status| status["conditions"][0]["reason"] == "Waiting");
    assert!(waits.to_string().contains("Secret db does not exist"), "{waits}");
    declaring.secret("db", json!({ "url": url }));
    let first = declaring.wait("orders", |status| status["phase"] == "Ready");
    assert_eq!((&first["rows"], &first["version"]), (&50.into(), &0.into()));

    // An unchanged table makes no version; somebody asks, since an hour is long.
    let load = || said(&mut bedplate(house.home.path(), &["data", "load", "orders", "-n", NAMESPACE]));
    let asked = load();
    assert_eq!(asked.code, Some(0), "{asked:?}");
    let again = declaring.wait("orders", |status| status["lookedAt"] != first["lookedAt"]);
    assert_eq!((&again["version"], &again["inputDigest"]), (&0.into(), &first["inputDigest"]));
    server.sql(&url, "UPDATE orders SET place = 'JFK' WHERE id = 7");
    load();
    let changed = declaring.wait("orders", |status| status["version"] == 1);
    assert_eq!(changed["rows"], 50);

    let trace = said(&mut bedplate(house.home.path(), &["trace", &format!("table:{NAMESPACE}/orders@1")]));
    let (_, place) = url.split_once("127.0.0.1").unwrap();
    let place = format!("postgres://127.0.0.1{place}/public.orders");
    assert!(trace.out.contains(&place), "{}", trace.out);

    // It fails with a word of the server, and goes on once the Secret is right.
    let [plain, written] = Postgres::passwords();
    declaring.secret("db", json!({ "url": url.replace(written, "wr%40ng") }));
    load();
    let denied = declaring.failed("orders", &["refused to us", "password authentication failed", "correct the Secret"]);
    assert_eq!(denied["rows"], 50, "the last version stays");
    declaring.secret("db", json!({ "url": url }));
    load();
    declaring.wait("orders", |status| status["phase"] == "Ready");

    let told = [
        house.api.get(&format!("/api/v1/namespaces/{NAMESPACE}/events")).to_string(),
        house.api.get(&Declaring::path("orders")).to_string(),
        json!(house.api.log()).to_string(),
        house.server.as_ref().unwrap().said(),
        trace.out,
    ];
    for (at, told) in told.iter().enumerate() {
        assert!(![plain, written, "wr%40ng", "wr@ng"].iter().any(|secret| told.contains(secret)), "{at}: {told}");
    }
    let mut found = Vec::new();
    holding(house.home.path(), &[plain, written, "wr%40ng"], &mut found);
    assert_eq!(found, Vec::<String>::new(), "in the clear on the disk");
}

#[test]
fn a_database_that_is_not_allowed_or_not_there_is_named() {
    let Some(server) = Postgres::shared("refusals of PostgreSQL as a source") else { return };
    let url = orders(server);
    let closed = house(&[]);
    let declaring = Declaring { api: closed.api.clone() };
    declaring.secret("db", json!({ "url": url }));
    declaring.dataset("orders", source(json!({})), &COLUMNS);
    declaring.failed("orders", &["not among the hosts", "bedplate up --source-host 127.0.0.1:"]);

    let open = house(&["--source-host", "127.0.0.1"]);
    let declaring = Declaring { api: open.api.clone() };
    declaring.secret("db", json!({ "url": "postgres://u:hidden%21@127.0.0.1:1/x" }));
    declaring.dataset("orders", source(json!({})), &COLUMNS);
    let down = declaring.failed("orders", &["cannot be reached", "127.0.0.1:1", "tried again"]);
    assert_eq!(down["conditions"][0]["reason"], "NotReady");
    assert!(!down.to_string().contains("hidden"));
    declaring.secret("db", json!({ "user": "x" }));
    declaring.dataset("orders", source(json!({})), &COLUMNS);
    declaring.failed("orders", &["the Secret db has nothing at the key url"]);
    let local = said(&mut bedplate(open.home.path(), &["data", "load", "nothing", "-n", NAMESPACE]));
    assert_eq!(local.code, Some(5), "{local:?}");
}

/// A load by watermark goes on after the platform was killed, and neither loses nor doubles a row.
#[test]
fn rows_are_appended_by_watermark_across_kills() {
    let Some(server) = Postgres::shared("a watermark over PostgreSQL") else { return };
    let url = orders(server);
    let mut house = house(&["--source-host", "127.0.0.1"]);
    let declaring = Declaring { api: house.api.clone() };
    declaring.secret("db", json!({ "url": url }));
    let by_time = source(json!({ "load": "watermark", "watermarkColumn": "at", "every": "10s" }));
    declaring.dataset("orders", by_time, &COLUMNS);
    declaring.wait("orders", |status| status["rows"] == 50);
    for round in 1..=3_u32 {
        server.sql(&url, "INSERT INTO orders SELECT max(id) + 1, 'EWR', max(at) FROM orders");
        said(&mut bedplate(house.home.path(), &["data", "load", "orders", "-n", NAMESPACE]));
        std::thread::sleep(std::time::Duration::from_millis(u64::from(round) * 150));
        house.server.take().unwrap().kill().unwrap();
        house.server = Some(crate::run::up(house.home.path(), &["--source-host", "127.0.0.1"]));
        let declaring = Declaring { api: crate::http::Api::of(house.home.path(), house.home.path()) };
        let status = declaring.wait("orders", |status| status["rows"] == 50 + round);
        assert_eq!(status["watermark"], "2020-01-03T02:00:00Z");
    }
}

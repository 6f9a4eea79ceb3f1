//! Objects of a real S3 server, our own, as datasets of a real platform.

use serde_json::{Value, json};

use super::{Declaring, NAMESPACE};
use crate::authorization::http::{Ask, send};
use crate::authorization::s3::signed;
use crate::run::{bedplate, said};
use crate::s3::{House, Key, house};

const COLUMNS: [(&str, &str); 2] = [("n", "int64"), ("place", "string")];

struct Bucket {
    house: House,
    key: Key,
    declaring: Declaring,
}

impl Bucket {
    fn new() -> Self {
        let house = house(&["--source-host", "127.0.0.1"]);
        let key = house.key("editor", "1h");
        let declaring = Declaring { api: house.api.clone() };
        declaring.secret("store", json!({ "AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret }));
        let bucket = Self { house, key, declaring };
        bucket.send(Ask::new("PUT", "/care"));
        bucket
    }

    fn send(&self, ask: Ask) {
        let address = self.house.address();
        let reply = send(&address, &signed(&ask, &address, &self.key.id, &self.key.secret));
        assert_eq!(reply.code, 200, "{}", reply.body());
    }

    fn put(&self, key: &str, text: &str) {
        self.send(Ask::new("PUT", format!("/care/{key}")).body(text));
    }

    fn source(&self, path: &str, load: &str) -> Value {
        let endpoint = format!("http://{}", self.house.address());
        json!({ "path": path, "load": load, "store": { "credentials": "store", "endpoint": endpoint } })
    }

    fn load(&self, name: &str) {
        let asked = said(&mut bedplate(self.house.home.path(), &["data", "load", name, "-n", NAMESPACE]));
        assert_eq!(asked.code, Some(0), "{asked:?}");
    }
}

#[test]
fn objects_that_come_are_added_and_told_of() {
    let bucket = Bucket::new();
    bucket.put("2013/01/a.csv", "n,place\n1,EWR\n2,EWR\n");
    bucket.put("2013/02/b.csv", "n,place\n3,EWR\nfour,EWR\n");
    bucket.put("2013/02/_hidden.csv", "n,place\n9,EWR\n");
    bucket.put("2014/c.csv", "n,place\n9,EWR\n");
    let declaring = &bucket.declaring;
    declaring.dataset("orders", bucket.source("s3://care/2013/**/*.csv", "newFiles"), &COLUMNS);
    let first = declaring.wait("orders", |status| status["rows"] == 3);
    assert_eq!((&first["files"], &first["quarantined"], &first["version"]), (&2.into(), &1.into(), &0.into()));

    bucket.put("2013/02/c.csv", "n,place\n5,JFK\n");
    bucket.load("orders");
    let second = declaring.wait("orders", |status| status["rows"] == 4);
    assert_eq!((&second["files"], &second["version"], &second["rowsRead"]), (&3.into(), &1.into(), &5.into()));
    bucket.load("orders");
    let same = declaring.wait("orders", |status| status["lookedAt"] != second["lookedAt"]);
    assert_eq!(same["version"], 1);
    let trace = said(&mut bedplate(bucket.house.home.path(), &["trace", &format!("table:{NAMESPACE}/orders@1")]));
    for key in ["2013/01/a.csv", "2013/02/b.csv", "2013/02/c.csv"] {
        assert!(trace.out.contains(&format!("s3://care/{key}")), "{}", trace.out);
    }
    bucket.put("2013/01/a.csv", "n,place\n1,EWR\n7,EWR\n");
    bucket.load("orders");
    let changed =
        declaring.failed("orders", &["s3://care/2013/01/a.csv was changed after it was loaded", "load: full"]);
    assert_eq!(changed["rows"], 4, "the last version stays");
}

#[test]
fn all_objects_are_loaded_anew_only_when_one_changed() {
    let bucket = Bucket::new();
    bucket.put("in/a.jsonl", "{\"n\": 1, \"place\": \"EWR\"}\n");
    bucket.put("in/deeper/b.jsonl", "{\"n\": 9, \"place\": \"EWR\"}\n");
    let declaring = &bucket.declaring;
    for (name, path) in [("folder", "s3://care/in"), ("file", "s3://care/in/a.jsonl"), ("slash", "s3://care/in/")] {
        declaring.dataset(name, bucket.source(path, "full"), &COLUMNS);
        let first = declaring.wait(name, |status| status["phase"] == "Ready");
        assert_eq!((&first["rows"], &first["files"]), (&1.into(), &1.into()), "{name}");
    }
    let first = declaring.status("file");
    bucket.load("file");
    let same = declaring.wait("file", |status| status["lookedAt"] != first["lookedAt"]);
    assert_eq!(same["version"], 0);
    bucket.put("in/a.jsonl", "{\"n\": 1, \"place\": \"EWR\"}\n{\"n\": 2, \"place\": \"EWR\"}\n");
    bucket.load("file");
    let changed = declaring.wait("file", |status| status["version"] == 1);
    assert_eq!(changed["rows"], 2);
}

#[test]
fn a_store_that_refuses_or_is_not_there_is_named() {
    let bucket = Bucket::new();
    bucket.put("a.csv", "n,place\n1,EWR\n");
    let declaring = &bucket.declaring;
    declaring.dataset("gone", bucket.source("s3://nowhere/x/*.csv", "full"), &COLUMNS);
    declaring.dataset("none", bucket.source("s3://care/none/*.csv", "full"), &COLUMNS);
    declaring.dataset(
        "down",
        json!({ "path": "s3://care/a.csv", "store": { "credentials": "store", "endpoint": "http://127.0.0.1:1" } }),
        &COLUMNS,
    );
    declaring.dataset("other", json!({ "path": "s3://care/a.csv" }), &COLUMNS);
    declaring.dataset(
        "plain",
        json!({ "path": "s3://care/a.csv", "store": { "endpoint": "http://10.1.1.1:9000" } }),
        &COLUMNS,
    );
    declaring.failed("none", &["s3://care/none/*.csv", "no object matches it"]);
    declaring.failed("other", &["s3.us-east-1.amazonaws.com:443", "--source-host"]);
    declaring.failed("plain", &["10.1.1.1:9000", "--source-host"]);
    declaring.failed("gone", &["s3://nowhere"]);
    let down = declaring.failed("down", &["s3://care/a.csv cannot be reached", "tried again"]);
    assert_eq!(down["conditions"][0]["reason"], "NotReady");

    declaring.secret("store", json!({ "AWS_ACCESS_KEY_ID": bucket.key.id, "AWS_SECRET_ACCESS_KEY": "wr0ngwr0ng" }));
    declaring.dataset("denied", bucket.source("s3://care/a.csv", "full"), &COLUMNS);
    let denied = declaring.failed("denied", &["refused to us"]);
    assert!(!denied.to_string().contains("wr0ng"), "{denied}");
    declaring.secret("store", json!({ "AWS_ACCESS_KEY_ID": bucket.key.id }));
    declaring.dataset("half", bucket.source("s3://care/a.csv", "full"), &COLUMNS);
    declaring.failed("half", &["the Secret store has nothing at the key AWS_SECRET_ACCESS_KEY"]);
}

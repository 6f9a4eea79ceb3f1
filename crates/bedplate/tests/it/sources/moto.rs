//! A store that others wrote: moto's S3 server, from PyPI.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use bedplate_testkit::{not_run, python};
use serde_json::json;

use super::{Declaring, NAMESPACE};
use crate::run::{bedplate, said};
use crate::s3::house;

struct Moto {
    child: Child,
    input: ChildStdin,
    lines: Box<dyn Iterator<Item = String>>,
    endpoint: String,
}

impl Moto {
    fn start() -> Option<Self> {
        let python = python()?;
        let known = Command::new(&python).args(["-c", "import moto.server"]).output().ok()?;
        if !known.status.success() {
            return None;
        }
        let script = bedplate_testkit::in_crate("tests/it/sources/moto_server.py");
        let mut command = Command::new(python);
        let child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let endpoint = lines.next().expect("it tells its address");
        Some(Self { child, input, lines: Box::new(lines), endpoint })
    }

    fn put(&mut self, key: &str, text: &str) {
        writeln!(self.input, "{key}\t{}", text.replace('\n', "|")).unwrap();
        assert_eq!(self.lines.next().as_deref(), Some("put"));
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_store_that_others_wrote_is_read_too() {
    let Some(mut moto) = Moto::start() else {
        return not_run("datasets from moto's S3 server: the Python of the tests has no moto");
    };
    let house = house(&["--source-host", "127.0.0.1"]);
    let declaring = Declaring { api: house.api.clone() };
    declaring.secret("store", json!({ "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret" }));
    // More than the thousand that one answer lists.
    for number in 0..1_050 {
        moto.put(&format!("in/{number:04}.csv"), &format!("n,place\n{number},EWR\n"));
    }
    moto.put("in/odd name+1%.csv", "n,place\n5000,JFK\n");
    let store = json!({ "credentials": "store", "endpoint": moto.endpoint });
    let source = json!({ "path": "s3://landing/in/*.csv", "load": "newFiles", "store": store });
    let columns = [("n", "int64"), ("place", "string")];
    declaring.dataset("orders", source, &columns);
    let first = declaring.wait("orders", |status| status["phase"] == "Ready" || status["phase"] == "Failed");
    assert_eq!((&first["rows"], &first["files"]), (&1_051.into(), &1_051.into()), "{first}");
    moto.put("in/next.csv", "n,place\n6000,JFK\n");
    said(&mut bedplate(house.home.path(), &["data", "load", "orders", "-n", NAMESPACE]));
    let second = declaring.wait("orders", |status| status["version"] == 1);
    assert_eq!(second["rows"], 1_052);
    let nowhere = json!({ "path": "s3://nowhere/*.csv", "store": store });
    declaring.dataset("gone", nowhere, &columns);
    declaring.failed("gone", &["s3://nowhere/*.csv", "NoSuchBucket"]);
}

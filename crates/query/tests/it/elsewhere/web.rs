//! One file of a web server that does what a test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bedplate_kinds::{DatasetSource, DatasetSpec};
use bedplate_query::{Access, CancellationToken, Credentials, Ingest, IngestError, IngestReport, Whose};
use bedplate_types::{Digest, ErrorKind, Explained};
use serde_json::json;

use crate::table::Site;

const WHOSE: Whose<'static> = Whose { namespace: "demo", name: "weather", object: "one", roots: &[] };

/// What it answers to a method with these headers.
type Answer = Box<dyn Fn(&str, &str) -> String + Send>;

struct Web {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    fn new(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer_one(stream, &answer, &heard);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn spec(&self) -> DatasetSpec {
        let schema = json!([{ "name": "n", "type": "int64" }]);
        let spec = json!({ "owner": "o", "source": { "path": "x" }, "schema": schema });
        let spec: DatasetSpec = serde_json::from_value(spec).unwrap();
        let path = format!("http://{}/data/the%20rows.csv", self.address);
        DatasetSpec { source: DatasetSource { path, ..spec.source.clone() }, ..spec }
    }

    async fn load(&self, site: &Site, credentials: Option<Credentials>) -> Result<IngestReport, IngestError> {
        let (spec, cancel) = (self.spec(), CancellationToken::new());
        let hosts = [self.address.parse().unwrap()].into_iter().collect();
        let access = Access { hosts, credentials };
        let pending = site.lake.pending_elsewhere(WHOSE, &spec, &access, &cancel).await?;
        let input_digest = Digest::from_sha256([7; 32]);
        let references = Default::default();
        site.lake
            .ingest(Ingest { whose: WHOSE, spec: &spec, suite: None, references, pending, input_digest, cancel })
            .await
    }
}

fn answer_one(mut stream: TcpStream, answer: &Answer, heard: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let method = first.split(' ').next().unwrap_or_default().to_owned();
    let head = head.join("\n").to_lowercase();
    heard.lock().unwrap().push(format!("{first}\n{head}"));
    let _ = stream.write_all(answer(&method, &head).as_bytes());
}

fn ok(method: &str, tag: &str, body: &str, length: usize) -> String {
    let body = if method == "HEAD" { "" } else { body };
    format!("HTTP/1.1 200 OK\r\netag: \"{tag}\"\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

async fn refused(answer: Answer, kind: ErrorKind, words: &[&str]) {
    let (web, site) = (Web::new(answer), Site::new());
    let error = web.load(&site, None).await.unwrap_err();
    let told = format!("{error} {}", error.fix().unwrap_or_default());
    assert_eq!(error.kind(), kind, "{told}");
    words.iter().for_each(|word| assert!(told.contains(word), "{word}: {told}"));
    assert!(site.lake.committed("demo", "weather").await.unwrap().is_none(), "nothing is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_as_it_was_found() {
    let web = Web::new(Box::new(|method, _| ok(method, "a", "n\n1\n2\n", 6)));
    let values = [("BEARER_TOKEN".to_owned(), b"t0ken\n".to_vec())].into();
    let report = web.load(&Site::new(), Some(Credentials::new("web", values))).await.unwrap();
    assert_eq!((report.rows, report.files[0].tag.as_deref()), (2, Some("a")));
    assert_eq!(report.files[0].path, format!("http://{}/data/the rows.csv", web.address));
    let asked = web.asked();
    assert!(asked[0].starts_with("HEAD /data/the%20rows.csv") && asked[1].starts_with("GET "), "{asked:?}");
    assert!(asked.iter().all(|ask| ask.contains("authorization: bearer t0ken")), "{asked:?}");
    assert!(asked[1].contains("if-match: \"a\""), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_meanwhile_is_waited_for() {
    let kind = ErrorKind::Busy;
    let words = ["was changed while it was read"];
    let gone = "HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    refused(Box::new(move |m, _| if m == "HEAD" { ok(m, "a", "", 6) } else { gone.into() }), kind, &words).await;
    // One that does not heed the condition.
    let other = |m: &str| if m == "HEAD" { ok(m, "a", "", 6) } else { ok(m, "b", "n\n3\n4\n", 6) };
    refused(Box::new(move |m, _| other(m)), kind, &words).await;
    let longer = |m: &str| if m == "HEAD" { ok(m, "a", "", 6) } else { ok(m, "a", "n\n3\n4\n5\n", 8) };
    refused(Box::new(move |m, _| longer(m)), kind, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_to_another_host() {
    let inside = Web::new(Box::new(|method, _| ok(method, "a", "n\n1\n2\n", 6)));
    let to = format!("http://{}/data/x.csv", inside.address);
    let led = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    refused(Box::new(move |_, _| led.clone()), ErrorKind::Invalid, &["302"]).await;
    assert_eq!(inside.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_is_told_with_its_word() {
    let says = |code: &'static str| -> Answer {
        Box::new(move |_, _| format!("HTTP/1.1 {code}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"))
    };
    refused(says("404 Not Found"), ErrorKind::NotFound, &["the rows.csv", "404"]).await;
    refused(says("403 Forbidden"), ErrorKind::Denied, &["403"]).await;
    refused(says("401 Unauthorized"), ErrorKind::Denied, &["401"]).await;
    refused(says("503 Service Unavailable"), ErrorKind::NotReady, &["503", "tried again"]).await;
    let huge =
        format!("HTTP/1.1 200 OK\r\netag: \"a\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", 65_u64 << 30);
    refused(Box::new(move |_, _| huge.clone()), ErrorKind::TooLarge, &["69793218560 bytes"]).await;
}

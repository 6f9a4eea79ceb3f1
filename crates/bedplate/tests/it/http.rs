//! The control API over its socket, asked by hand: status and body, or the lines of a watch as they come.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where a platform is, and the token one speaks to it with.
#[derive(Clone, Debug)]
pub struct Api {
    address: String,
    token: String,
    /// What Feast's paths are asked in.
    namespace: &'static str,
}

impl Api {
    /// From a running platform's home, as the administrator whose token is in `keys`.
    pub fn of(home: &Path, keys: &Path) -> Self {
        let kubeconfig: Value = serde_json::from_slice(&std::fs::read(home.join("kubeconfig")).unwrap()).unwrap();
        let server = kubeconfig["clusters"][0]["cluster"]["server"].as_str().unwrap();
        let address = server.rsplit(['@', '/']).next().unwrap().to_owned();
        let token = std::fs::read_to_string(keys.join("credentials")).unwrap().trim().to_owned();
        Self { address, token, namespace: "flights" }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    pub fn in_namespace(&self, namespace: &'static str) -> Self {
        Self { namespace, ..self.clone() }
    }

    /// `None` when the platform is not there, or ends before it has answered.
    pub fn try_ask(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let mut answer = String::new();
        self.send(method, path, body)?.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let code = head.split_whitespace().nth(1)?.parse().ok()?;
        Some((code, serde_json::from_str(body).unwrap_or(Value::Null)))
    }

    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.try_ask(method, path, body).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let (code, body) = self.ask("GET", path, &Value::Null);
        assert_eq!(code, 200, "{path}: {body}");
        body
    }

    /// The whole audit log.
    pub fn log(&self) -> Vec<Value> {
        let mut entries = Vec::new();
        loop {
            let page = self.get(&format!("/bedplate/v1/audit/log?limit=1000&from={}", entries.len()));
            let page = page["entries"].as_array().unwrap().clone();
            if page.is_empty() {
                return entries;
            }
            entries.extend(page);
        }
    }

    /// The raw lines of a watch, after its head.
    pub fn watch(&self, path: &str) -> impl Iterator<Item = String> + use<> {
        let stream = self.send("GET", path, &Value::Null).expect("the platform answers");
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.skip_while(|line| !line.is_empty())
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Option<TcpStream> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let (address, token, namespace, length) = (&self.address, &self.token, self.namespace, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             x-bedplate-namespace: {namespace}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        Some(stream)
    }
}

//! One request over plain HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// What came back.
pub struct Answer {
    pub code: u16,
    pub head: String,
    pub body: String,
}

/// Sends one request and reads to the end of the answer.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap_or((&url[7..], ""));
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let length = body.len();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { code, head: head.to_owned(), body: body.to_owned() }
}

/// The status and the JSON of the answer to JSON.
pub fn post(url: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let authorization = token.map(|token| format!("Bearer {token}")).unwrap_or_default();
    let headers = [("Content-Type", "application/json"), ("Authorization", &authorization)];
    let headers = if token.is_some() { &headers[..] } else { &headers[..1] };
    let answer = send("POST", url, headers, &body.to_string());
    (answer.code, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

//! Requests exactly as they are written: no client tidies a path up.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::net::TcpSocket;

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    pub method: String,
    /// The request target, as it goes over the wire.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// What follows the text, and is none.
    pub raw: Vec<u8>,
    /// Only the head of the answer is read: it may never end.
    pub head_only: bool,
}

impl Ask {
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self { method: method.into(), path: path.into(), ..Self::default() }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(self, body: impl ToString) -> Self {
        Self { body: body.to_string(), ..self }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// Head and body, as they came.
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn body(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    pub fn head(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        text.split_once("\r\n\r\n").map(|(head, _)| head.to_owned()).unwrap_or_default()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body()).unwrap_or_default()
    }
}

/// Sends it to `host:port`. HTTP/1.0: the answer ends with the connection and is not cut into chunks.
pub fn send(address: &str, ask: &Ask) -> Reply {
    let reply = exchange(address, ask);
    reply.unwrap_or_else(|error| panic!("{address}: {error}: {ask:?}"))
}

/// From another loopback address each time: whoever shows many wrong credentials from one is locked out.
fn connect(address: &str) -> std::io::Result<TcpStream> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    let from = Ipv4Addr::from(0x7f01_0001 + made % 0x00fe_0000);
    let to: SocketAddr = address.parse().map_err(std::io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(to).await
    })?;
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn exchange(address: &str, ask: &Ask) -> std::io::Result<Reply> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut request = format!("{} {} HTTP/1.0\r\nhost: {address}\r\n", ask.method, ask.path);
    for (name, value) in &ask.headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("content-length: {}\r\n\r\n{}", ask.body.len() + ask.raw.len(), ask.body);
    stream.write_all(request.as_bytes())?;
    stream.write_all(&ask.raw)?;
    let mut bytes = Vec::new();
    let mut piece = [0; 8_192];
    loop {
        let read = match stream.read(&mut piece) {
            Ok(read) => read,
            // A server that refuses a request early may close before it was all sent.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset && !bytes.is_empty() => 0,
            Err(error) => return Err(error),
        };
        bytes.extend_from_slice(&piece[..read]);
        let has_head = bytes.windows(4).any(|four| four == b"\r\n\r\n");
        if read == 0 || (ask.head_only && has_head) {
            break;
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
    Ok(Reply { code, bytes })
}

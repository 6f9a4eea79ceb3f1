//! One connection, one request after the other.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Where a server is and what opens it.
#[derive(Clone)]
pub struct Target {
    /// `127.0.0.1:7070`
    pub address: String,
    pub token: String,
}

pub struct Connection {
    target: Target,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub async fn open(target: &Target) -> Result<Self> {
        let stream =
            TcpStream::connect(&target.address).await.with_context(|| format!("{} does not answer", target.address))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { target: target.clone(), sender })
    }

    /// The answer, its head read and its body still to come.
    pub async fn send(&mut self, method: &str, path: &str, body: String) -> Result<Response<Incoming>> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", &self.target.address).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {}", self.target.token));
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        if !answer.status().is_success() {
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        }
        Ok(answer)
    }

    /// The whole answer.
    pub async fn ask(&mut self, method: &str, path: &str, body: String) -> Result<Bytes> {
        Ok(self.send(method, path, body).await?.into_body().collect().await?.to_bytes())
    }
}

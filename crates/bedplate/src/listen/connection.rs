//! One connection: the handshake, then HTTP/1.1 or HTTP/2 until one side ends it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bedplate_identity::{Admission, Authenticator};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{keys, tls};

/// Who has not finished the handshake by then is somebody else's problem.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For a request's header to arrive, and for a kept connection to be used again: longer than clients keep theirs.
const HEADER: Duration = Duration::from_secs(120);
/// An HTTP/2 peer that does not answer for so long is gone.
const PING: Duration = Duration::from_secs(30);

/// How a listener takes connections.
#[derive(Clone)]
pub struct Acceptor {
    pub tls: Arc<ServerConfig>,
    /// Who turns a client's certificate into a principal; `None`: it is not looked at.
    pub machines: Option<Machines>,
}

/// What machines' certificates are looked at with.
#[derive(Clone)]
pub struct Machines {
    pub authenticator: Authenticator,
    pub trust_domain: String,
}

/// Who is at the other end.
#[derive(Clone)]
pub struct Peer {
    pub addr: SocketAddr,
    /// The certificate they have shown, or why it is nobody's.
    pub certificate: Option<Result<Arc<Admission>, String>>,
}

pub async fn serve(
    stream: TcpStream,
    addr: SocketAddr,
    acceptor: Option<Acceptor>,
    routes: Router,
    cancel: CancellationToken,
) {
    // A small frame must not wait for the client's delayed acknowledgement, which takes 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its small frames back");
    }
    let Some(acceptor) = acceptor else { return http(stream, Peer { addr, certificate: None }, routes, cancel).await };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(acceptor.tls).accept(stream)) => shaken,
        () = cancel.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let certificate = acceptor.machines.zip(shown).map(|(machines, shown)| machines.admit(shown).map(Arc::new));
            http(stream, Peer { addr, certificate }, routes, cancel).await;
        }
        Ok(Err(error)) => tracing::debug!(peer = %addr, %error, "no TLS with this peer"),
        Err(_) => tracing::debug!(peer = %addr, "the TLS handshake took too long"),
    }
}

impl Machines {
    fn admit(&self, certificate: &CertificateDer<'_>) -> Result<Admission, String> {
        let certificate = tls::client(certificate, &self.trust_domain)?;
        let random = keys::random().map_err(|problem| problem.to_string())?;
        Ok(self.authenticator.admit(certificate, random))
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    routes: Router,
    cancel: CancellationToken,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        routes.clone().oneshot(request)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

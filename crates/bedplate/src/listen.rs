//! Binding a listener, with an error that says who is in the way, and serving what connects to it.

mod connection;
mod gate;
mod lanes;

pub use connection::{Acceptor, Machines};
pub use gate::Gate;
pub use lanes::Lanes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bedplate_types::{ErrorKind, Problem};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::tls::Protection;

/// Connections served at once by one listener; more wait until one ends.
const MOST_CONNECTIONS: usize = 10_000;
/// When the machine has no more file descriptors, asking again at once would not help.
const PAUSE: Duration = Duration::from_millis(100);

/// Binds `addr`. Beyond loopback nothing is served in plain text, unless somebody insists.
pub async fn bind(addr: SocketAddr, option: &str, protection: Protection) -> Result<TcpListener, Problem> {
    let what = format!("listening on {addr}");
    if !addr.ip().is_loopback() {
        match protection {
            Protection::Tls => {}
            Protection::Insecure => tracing::warn!(
                %addr, "INSECURE: tokens and data go over the network in plain text, because of --insecure-plaintext"
            ),
            Protection::LoopbackOnly => {
                let why =
                    "others could read tokens and data on the way: it is not a loopback address, and there is no TLS";
                let fix = format!(
                    "add --tls builtin (or --tls-cert and --tls-key), or use {option} 127.0.0.1:{}",
                    addr.port()
                );
                return Err(Problem::new(ErrorKind::Refused, what, why).with_fix(fix));
            }
        }
    }
    TcpListener::bind(addr).await.map_err(|error| {
        let fix = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("stop what listens there, or take a free port with {option} 127.0.0.1:0")
            }
            _ => format!("choose another address with {option}"),
        };
        Problem::new(ErrorKind::Busy, what, error.to_string()).with_fix(fix)
    })
}

/// Serves until it is cancelled, then lets every connection finish what it is at.
pub async fn serve(
    listener: TcpListener,
    acceptor: Option<Acceptor>,
    routes: Router,
    lanes: Lanes,
    cancel: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let connections = TaskTracker::new();
    while let Some((stream, peer, place)) = next(&listener, &places, &cancel).await {
        // Its lane's thread is told when something arrives.
        let Ok(stream) = stream.into_std() else { continue };
        let (acceptor, routes, cancel) = (acceptor.clone(), routes.clone(), cancel.clone());
        lanes.serve(connections.track_future(async move {
            if let Ok(stream) = TcpStream::from_std(stream) {
                connection::serve(stream, peer, acceptor, routes, cancel).await;
            }
            drop(place);
        }));
    }
    connections.close();
    connections.wait().await;
}

/// The next connection, with the place it takes; `None` when it is over.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    cancel: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = tokio::select! {
        place = places.clone().acquire_owned() => place.ok()?,
        () = cancel.cancelled() => return None,
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = cancel.cancelled() => return None,
        };
        match accepted {
            Ok((stream, peer)) => return Some((stream, peer, place)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

//! Binding a listener, with an error that says who is in the way.

use std::net::SocketAddr;

use bedplate_types::{ErrorKind, Problem};
use tokio::net::TcpListener;

/// Binds `addr`. Anything but loopback is refused: there is no TLS yet.
pub async fn bind(addr: SocketAddr, option: &str) -> Result<TcpListener, Problem> {
    let what = format!("listening on {addr}");
    if !addr.ip().is_loopback() {
        let why = "it is not a loopback address, and this version does not speak TLS";
        let fix = format!("{option} 127.0.0.1:{}", addr.port());
        return Err(Problem::new(ErrorKind::Refused, what, why).with_fix(fix));
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

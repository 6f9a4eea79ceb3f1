//! Ports that nobody listens on.

use std::net::TcpListener;

/// A port of the loopback interface that was free a moment ago.
///
/// # Panics
/// When the machine has no free port left.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of a few: a test beside this one may take a port before we do.
    #[test]
    fn the_port_can_be_bound() {
        assert!((0..5).any(|_| TcpListener::bind(("127.0.0.1", free_port())).is_ok()));
    }
}

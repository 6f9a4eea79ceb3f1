//! Where a cluster's scheduler is.

use std::fmt;

pub(crate) const SCHEME: &str = "ballista://";

/// The scheduler of a Ballista cluster. It is shown as an engine is written, `ballista://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    host: String,
    port: u16,
}

#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no address of a scheduler: write host:port")]
pub struct NoCluster {
    text: String,
}

impl Cluster {
    /// A scheduler at `host:port`.
    ///
    /// # Errors
    /// [`NoCluster`] when it is not written so.
    pub fn at(text: &str) -> Result<Self, NoCluster> {
        let wrong = || NoCluster { text: text.to_owned() };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let is_in_brackets = host.starts_with('[') && host.ends_with(']');
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let fits_in_brackets = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'[' | b']');
        let is_host = match is_in_brackets {
            true => host.bytes().all(fits_in_brackets),
            false => !host.is_empty() && host.bytes().all(fits),
        };
        if is_host { Ok(Self { host: host.to_owned(), port }) } else { Err(wrong()) }
    }

    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduler_is_a_host_and_a_port() {
        for text in ["127.0.0.1:50050", "scheduler.data.svc:7", "[::1]:50050"] {
            let cluster = Cluster::at(text).unwrap();
            assert_eq!((cluster.authority(), cluster.to_string()), (text.to_owned(), format!("ballista://{text}")));
        }
        for text in
            ["", "host", "host:0", "host:70000", ":50050", "user@host:1", "host:1/path", "[::1:50050", "http://host:1"]
        {
            let told = Cluster::at(text).unwrap_err().to_string();
            assert!(told.contains("write host:port"), "{told}");
        }
    }
}

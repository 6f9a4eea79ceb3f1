//! Where a cluster's scheduler is.

use std::fmt;
use std::str::FromStr;

const SCHEME: &str = "ballista://";

/// The scheduler of a Ballista cluster, `ballista://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    host: String,
    port: u16,
}

#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no engine: write local, or ballista://host:port")]
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

impl FromStr for Cluster {
    type Err = NoCluster;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let authority = text.strip_prefix(SCHEME).ok_or_else(|| NoCluster { text: text.to_owned() })?;
        Self::at(authority).map_err(|_| NoCluster { text: text.to_owned() })
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
    fn an_engine_is_written_as_ballista_host_and_port() {
        for text in ["ballista://127.0.0.1:50050", "ballista://scheduler.data.svc:7", "ballista://[::1]:50050"] {
            assert_eq!(text.parse::<Cluster>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "ballista://",
            "ballista://host",
            "ballista://host:0",
            "ballista://host:70000",
            "ballista://:50050",
            "ballista://user@host:1",
            "ballista://host:1/path",
            "ballista://[::1:50050",
            "http://host:1",
            "host:1",
        ] {
            assert!(text.parse::<Cluster>().is_err(), "{text}");
        }
    }
}

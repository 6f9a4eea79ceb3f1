//! Which hosts sources may be read from: those the platform was told, and no others.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Url;

use super::ElsewhereError;

/// The hosts the platform was told it may read sources from; none unless it was told.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<Host>);

/// `host`, `host:port`, or with `http://` before it: then objects may be read without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    name: String,
    port: Option<u16>,
    plain: bool,
}

/// The text names no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no host; write host, host:port, or http://host:port where objects may be read without TLS")]
pub struct NoHost(String);

impl FromStr for Host {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let plain = text.strip_prefix("http://");
        let rest = plain.or_else(|| text.strip_prefix("https://")).unwrap_or(text);
        // A scheme that is not known to the parser has no usual port that it would drop.
        let url = Url::parse(&format!("source://{rest}")).map_err(|_| NoHost(text.to_owned()))?;
        let bare = url.path().is_empty() && url.username().is_empty() && url.query().is_none();
        match url.host_str().filter(|host| bare && !host.is_empty() && !host.contains('*')) {
            Some(host) => Ok(Self { name: host.to_lowercase(), port: url.port(), plain: plain.is_some() }),
            None => Err(NoHost(text.to_owned())),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{}{}{port}", if self.plain { "http://" } else { "" }, self.name)
    }
}

impl Host {
    fn is(&self, name: &str, port: u16) -> bool {
        self.name == name.to_lowercase() && self.port.is_none_or(|own| own == port)
    }
}

impl FromIterator<Host> for Hosts {
    fn from_iter<T: IntoIterator<Item = Host>>(hosts: T) -> Self {
        Self(hosts.into_iter().collect())
    }
}

impl Hosts {
    pub(super) fn allow(&self, name: &str, port: u16) -> Result<(), ElsewhereError> {
        if self.0.iter().any(|host| host.is(name, port)) {
            return Ok(());
        }
        Err(ElsewhereError::NotAllowed { host: format!("{name}:{port}") })
    }

    /// As [`Self::allow`], of what is spoken without TLS: on this machine, or where that was spelled out.
    pub(super) fn allow_plain(&self, name: &str, port: u16) -> Result<(), ElsewhereError> {
        self.allow(name, port)?;
        if is_here(name) || self.0.iter().any(|host| host.plain && host.is(name, port)) {
            return Ok(());
        }
        Err(ElsewhereError::Plain { host: format!("{name}:{port}") })
    }
}

/// Whether a name means this machine.
pub(super) fn is_here(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(told: &[&str]) -> Hosts {
        told.iter().map(|host| host.parse::<Host>().unwrap()).collect()
    }

    #[test]
    fn only_what_was_told_is_allowed() {
        assert!(hosts(&[]).allow("localhost", 5432).is_err());
        let told = hosts(&["DB.example:5432", "s3.example", "[::1]:9000", "http://minio:9000", "https://web:443"]);
        assert!(told.allow("db.EXAMPLE", 5432).is_ok() && told.allow("db.example", 5433).is_err());
        assert!(told.allow("s3.example", 443).is_ok() && told.allow("evil.s3.example", 443).is_err());
        assert!(told.allow("s3.example.evil", 443).is_err() && told.allow("web", 443).is_ok());
        assert!(told.allow("web", 80).is_err());
        assert!(told.allow_plain("[::1]", 9000).is_ok() && told.allow_plain("minio", 9000).is_ok());
        assert!(told.allow_plain("s3.example", 80).is_err() && told.allow_plain("minio", 9001).is_err());
    }

    #[test]
    fn what_is_no_host_is_told() {
        for text in ["", "http://", "a/b", "a:b", "u:p@h", "*.example", "h?x", "h:99999", "postgres://h"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
        assert_eq!("http://A:1".parse::<Host>().unwrap().to_string(), "http://a:1");
    }
}

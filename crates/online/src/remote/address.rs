//! Where a Redis is, and who asks it.

use std::fmt;

use percent_encoding::percent_decode_str;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult};
use url::Url;

const PORT: u16 = 6379;
const FORM: &str = "it must be redis://[user:password@]host[:port][/database], or rediss:// for TLS";

/// `redis://[user:password@]host[:port][/database]`, or `rediss://`, which is TLS. It may hold a password and is shown to
/// nobody.
#[derive(Clone)]
pub struct RedisAddress {
    host: String,
    port: u16,
    database: i64,
    user: Option<String>,
    password: Option<String>,
    pub(super) tls: bool,
}

impl RedisAddress {
    /// # Errors
    /// What is wrong with it, in words that do not repeat it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| FORM)?;
        let tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(FORM),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it must have nothing behind the database's number");
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
        let path = url.path().trim_start_matches('/');
        let database = if path.is_empty() { Some(0) } else { path.parse().ok().filter(|number| *number >= 0) };
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(PORT),
            database: database.ok_or("the database behind the host must be a number, 0 when it is left out")?,
            user: decoded(Some(url.username()))?,
            password: decoded(url.password())?,
            tls,
        })
    }

    /// `host:port/database`, without who asks.
    #[must_use]
    pub fn shown(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}/{}", self.port, self.database)
    }

    pub(super) fn connection(&self) -> RedisResult<ConnectionInfo> {
        let (host, port) = (self.host.clone(), self.port);
        let addr = match self.tls {
            false => ConnectionAddr::Tcp(host, port),
            true => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        };
        let mut asking = RedisConnectionInfo::default().set_db(self.database);
        if let Some(user) = &self.user {
            asking = asking.set_username(user);
        }
        if let Some(password) = &self.password {
            asking = asking.set_password(password);
        }
        let info = addr.into_connection_info()?;
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        Ok(info.set_tcp_settings(tcp).set_redis_settings(asking))
    }
}

fn decoded(part: Option<&str>) -> Result<Option<String>, &'static str> {
    let Some(part) = part.filter(|part| !part.is_empty()) else { return Ok(None) };
    let text = percent_decode_str(part).decode_utf8().map_err(|_| "its user or password is not text")?;
    Ok(Some(text.into_owned()))
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_without_who_asks() {
        let address = RedisAddress::parse("rediss://vera:p%40ss%2Fword@redis.example:7000/3").unwrap();
        assert_eq!((address.shown().as_str(), address.tls), ("redis.example:7000/3", true));
        assert_eq!((address.user.as_deref(), address.password.as_deref()), (Some("vera"), Some("p@ss/word")));
        assert_eq!(format!("{address:?}"), "redis.example:7000/3");
        let address = RedisAddress::parse("redis://:secret@[::1]").unwrap();
        assert_eq!((address.shown().as_str(), address.user), ("[::1]:6379/0", None));
    }

    #[test]
    fn what_is_none_is_refused_in_words_that_do_not_repeat_it() {
        for wrong in [
            "secret",
            "http://:secret@h",
            "redis://",
            "redis://:secret@h/secret",
            "redis://:secret@h/-1",
            "redis://:secret@h/0?password=secret",
            "redis://:%ffsecret@h",
        ] {
            let why = RedisAddress::parse(wrong).unwrap_err();
            assert!(!why.contains("secret"), "{wrong}: {why}");
        }
    }
}

//! The address of a server: read, judged, and told without its password.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::DbError;

const CONNECT: Duration = Duration::from_secs(10);
/// How long what was sent may stay unacknowledged by the other machine.
const SILENCE: Duration = Duration::from_secs(30);

/// Where the server is and how one signs in, and its name for messages.
pub(super) struct Address {
    pub(super) config: Config,
    /// `postgres://user@host:port/database`.
    pub(super) name: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, DbError> {
        // What the parser says of a wrong address may quote a part of the password.
        let wrong = |why| DbError::Address { why };
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or_else(|| wrong("it does not begin with postgres://"))?;
        if rest.matches('@').count() > 1 {
            return Err(wrong("an @ in a user's name or password is written %40"));
        }
        let mut config: Config =
            url.parse().map_err(|_| wrong("it is not of the form of one, or has an option that is not known"))?;
        if config.get_hosts().is_empty() {
            return Err(wrong("it names no host"));
        }
        without_tls(&mut config)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("bedplate");
        }
        let name = name(&config);
        Ok(Self { config, name })
    }
}

fn without_tls(config: &mut Config) -> Result<(), DbError> {
    match config.get_ssl_mode() {
        SslMode::Disable => return Ok(()),
        SslMode::Prefer if config.get_hosts().iter().all(is_here) => {}
        SslMode::Prefer => {
            return Err(DbError::Address {
                why: "there is no TLS to the database yet: for a server on another machine say sslmode=disable, \
                      and only in a network that you trust",
            });
        }
        _ => {
            return Err(DbError::Address {
                why: "there is no TLS to the database yet: sslmode=require cannot be kept",
            });
        }
    }
    config.ssl_mode(SslMode::Disable);
    Ok(())
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn name(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    let user = config.get_user().unwrap_or_default();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgres://{user}@{host}:{port}/{}", config.get_dbname().unwrap_or(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        Address::parse(url).err().unwrap_or_else(|| panic!("{url} was taken")).to_string()
    }

    #[test]
    fn is_told_without_the_password() {
        let address = Address::parse("postgres://ana:s3cr%40t@localhost:5433/flights").unwrap();
        assert_eq!(address.name, "postgres://ana@localhost:5433/flights");
        assert_eq!(
            Address::parse("postgres://ana:s3/cr?t@localhost/x").unwrap().name,
            "postgres://ana@localhost:5432/x"
        );
        assert_eq!(Address::parse("postgresql://ana@[::1]/").unwrap().name, "postgres://ana@::1:5432/ana");
    }

    #[test]
    fn no_part_of_a_password_is_in_a_refusal() {
        for url in [
            "postgres://ana:s3cr@t@localhost/x",
            "postgres://ana:s3cr@localhost:abc/x",
            "postgres://ana:s3cr@localhost/x?sslmode=s3cr",
            "mysql://ana:s3cr@localhost/x",
        ] {
            assert!(!refused(url).contains("s3cr"), "{url}");
        }
    }

    #[test]
    fn what_needs_tls_is_refused_by_name() {
        assert!(refused("postgres://a:b@localhost/x?sslmode=require").contains("sslmode=require"));
        assert!(refused("postgres://a:b@db.example/x").contains("sslmode=disable"));
        assert!(Address::parse("postgres://a:b@db.example/x?sslmode=disable").is_ok());
        assert!(Address::parse("postgres://a:b@127.0.0.2/x").is_ok());
    }
}

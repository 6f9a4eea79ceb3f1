//! The address in a Secret: judged, and told without user and password.

use std::time::Duration;

use bedplate_kinds::PostgresSource;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::source::elsewhere::hosts::is_here;
use crate::source::elsewhere::{Access, ElsewhereError};

const CONNECT: Duration = Duration::from_secs(10);
/// How long the other machine may leave unanswered whether it is still there.
const SILENCE: Duration = Duration::from_secs(30);

/// Where the database is, and what is read of it.
pub(super) struct Address {
    pub config: Config,
    pub tls: bool,
    /// `postgres://host:port/database/schema.table`
    pub place: String,
}

impl Address {
    pub fn of(source: &PostgresSource, access: &Access) -> Result<Self, ElsewhereError> {
        let credentials = access.credentials.as_ref();
        let missing =
            || ElsewhereError::Secret { secret: source.connection.secret.clone(), why: "was not read".into() };
        let credentials = credentials.ok_or_else(missing)?;
        let wrong =
            |why: &str| credentials.wrong(format!("holds no address at its key {}: {why}", source.connection.key));
        let mut config = parsed(credentials.need(&source.connection.key)?).map_err(wrong)?;
        let (host, port) = server(&config).map_err(wrong)?;
        access.hosts.allow(&host, port)?;
        let tls = secured(&mut config, &host);
        config.connect_timeout(CONNECT).tcp_user_timeout(SILENCE).application_name("bedplate");
        config.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 3).keepalives_retries(3);
        let database = config.get_dbname().or(config.get_user()).unwrap_or_default().to_owned();
        let place = format!("postgres://{}:{port}/{database}/{}", bracketed(&host), what(source));
        Ok(Self { config, tls, place })
    }
}

/// What the parser says of a wrong address may quote a part of the password.
fn parsed(url: &str) -> Result<Config, &'static str> {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    let rest = rest.ok_or("it does not begin with postgres://")?;
    if rest.matches('@').count() > 1 {
        return Err("an @ in a user's name or password is written %40");
    }
    url.parse().map_err(|_| "it is not of the form of one, or has an option that is not known")
}

fn server(config: &Config) -> Result<(String, u16), &'static str> {
    let [Host::Tcp(host)] = config.get_hosts() else { return Err("it must name one host, reached over TCP") };
    if !config.get_hostaddrs().is_empty() {
        return Err("hostaddr would lead to another host than it names");
    }
    match config.get_ports() {
        [] => Ok((host.clone(), 5432)),
        [port] => Ok((host.clone(), *port)),
        _ => Err("it must name one port"),
    }
}

/// Whether it is spoken to in TLS. A server elsewhere is, unless the address says otherwise.
fn secured(config: &mut Config, host: &str) -> bool {
    let tls = match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Prefer => !is_here(host),
        _ => true,
    };
    config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
    tls
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// A query is known by what it says.
fn what(source: &PostgresSource) -> String {
    match (source.table_name(), &source.query) {
        (Some((schema, table)), _) => format!("{schema}.{table}"),
        (None, query) => {
            let digest = Sha256::digest(query.as_deref().unwrap_or_default());
            let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            format!("query-{short}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bedplate_kinds::SecretKey;

    use super::*;
    use crate::source::elsewhere::{Credentials, Host as Allowed};

    fn of(url: &str, hosts: &[&str]) -> Result<Address, ElsewhereError> {
        let values: BTreeMap<String, Vec<u8>> = [("url".to_owned(), url.as_bytes().to_vec())].into();
        let hosts = hosts.iter().map(|host| host.parse::<Allowed>().unwrap()).collect();
        let access = Access { hosts, credentials: Some(Credentials::new("db", values)) };
        let connection = SecretKey { secret: "db".into(), key: "url".into() };
        Address::of(&PostgresSource { connection, table: Some("orders".into()), ..Default::default() }, &access)
    }

    #[test]
    fn is_told_without_user_and_password() {
        let address = of("postgres://ana:s3cr%40t@localhost:5433/shop", &["localhost"]).unwrap();
        assert_eq!((address.place.as_str(), address.tls), ("postgres://localhost:5433/shop/public.orders", false));
        assert!(of("postgres://ana:x@db.example/shop", &["db.example:5432"]).unwrap().tls);
        assert!(!of("postgres://ana:x@db.example/shop?sslmode=disable", &["db.example"]).unwrap().tls);
        assert!(of("postgres://ana:x@127.0.0.1/shop?sslmode=require", &["127.0.0.1"]).unwrap().tls);
    }

    #[test]
    fn no_part_of_a_password_is_in_a_refusal() {
        for url in [
            "postgres://ana:s3cr@t@localhost/x",
            "postgres://ana:s3cr@localhost:abc/x",
            "postgres://ana:s3cr@localhost/x?sslmode=s3cr",
            "mysql://ana:s3cr@localhost/x",
            "postgres://ana:s3cr@a,b/x",
            "postgres://ana:s3cr@localhost/x?hostaddr=10.0.0.1",
            "postgres://ana:s3cr@%2Ftmp/x",
            "postgres://ana:s3cr@elsewhere/x",
        ] {
            let refused = of(url, &["localhost", "a", "b"]).err().unwrap_or_else(|| panic!("{url} was taken"));
            assert!(!format!("{refused} {refused:?}").contains("s3cr"), "{url}");
        }
    }
}

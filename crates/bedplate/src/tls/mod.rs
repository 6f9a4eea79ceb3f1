//! TLS for everything that listens: with a certificate from files, or from a certificate authority of the platform's own.
//!
//! [`open`] makes a [`Tls`] of what the command line says; [`Tls::config`] is for whatever accepts connections, and
//! [`Tls::keep`] is the task that puts a newer certificate in place while connections are served. Whoever needs a
//! certificate of the platform's own authority for something else asks [`Authority`].

mod authority;
mod certificate;
mod current;
mod der;
mod options;
mod renewal;
mod request;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use bedplate_client::Trust;
use bedplate_types::{Clock, ErrorKind, Problem, Timestamp};
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_util::sync::CancellationToken;

pub use authority::{Authority, Wanted};
pub use certificate::{client, fingerprint};
pub use options::{Protection, TlsOptions};
pub use request::RequestedKey;

use crate::home::{Home, unusable};
use certificate::Pair;
use current::Current;
use renewal::{Issuing, Reading, Source};

/// A certificate in use, where the next one comes from, what clients verify it with, and whose certificates are believed.
pub struct Tls {
    current: Arc<Current>,
    source: Source,
    pub trust: Trust,
    pub authority: Arc<Authority>,
    clients: Vec<CertificateDer<'static>>,
}

/// As the options say; `None`: plain http. Everything wrong with the files is told here, before anything listens.
pub fn open(options: &TlsOptions, home: &Home, now: Timestamp) -> Result<Option<Tls>, Problem> {
    if options.protection() != Protection::Tls {
        return Ok(None);
    }
    let authority = Arc::new(Authority::open(home, now)?);
    let (current, source, trust) = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => files(options, certificate, key, now)?,
        _ => builtin(options, &authority, now)?,
    };
    let mut clients = vec![authority.certificate().clone()];
    if let Some(file) = &options.client_ca {
        clients.extend(authorities(file)?);
    }
    Ok(Some(Tls { current: Arc::new(Current::new(current)), source, trust, authority, clients }))
}

fn files(
    options: &TlsOptions,
    certificate: &Path,
    key: &Path,
    now: Timestamp,
) -> Result<(Pair, Source, Trust), Problem> {
    let mut source = Reading::new(certificate.to_owned(), key.to_owned());
    let pair = source.read(now)?;
    let ca = options.tls_ca.as_ref().map(|file| std::fs::read_to_string(file).map_err(|e| unusable(file, &e)));
    let trust = Trust {
        ca: ca.transpose()?.or_else(|| pair.own_authority()),
        server_name: options.tls_names.first().cloned().or_else(|| pair.name_unless_for(Ipv4Addr::LOCALHOST.into())),
        identity: None,
    };
    Ok((pair, Source::Files(source), trust))
}

fn builtin(options: &TlsOptions, authority: &Arc<Authority>, now: Timestamp) -> Result<(Pair, Source, Trust), Problem> {
    let trust = Trust { ca: Some(authority.certificate_pem().to_owned()), ..Trust::default() };
    let source = Issuing { authority: authority.clone(), names: options.all_names(), lasts: options.tls_lifetime };
    Ok((source.issue(now)?, Source::Authority(source), trust))
}

fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let wrong = |why: String| {
        Problem::new(ErrorKind::Invalid, file.display().to_string(), why)
            .with_fix("--client-ca with a file of certificates (PEM)")
    };
    let bytes = std::fs::read(file).map_err(|error| unusable(file, &error))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match read {
        Ok(found) if found.is_empty() => Err(wrong("there is no certificate in it".into())),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(error.to_string())),
    }
}

impl Tls {
    /// For an acceptor: HTTP/2 and 1.1 over TLS 1.3 and 1.2, always with the newest certificate. A client may show one too,
    /// and is turned away if it is not one that is believed.
    pub fn config(&self) -> Result<Arc<ServerConfig>, Problem> {
        current::config(self.current.clone(), &self.clients)
    }

    /// Puts newer certificates in place until it is cancelled: a changed pair of files, or a new one at half life.
    pub async fn keep(self, clock: Arc<dyn Clock>, cancel: CancellationToken) {
        renewal::keep(self.source, self.current, clock, cancel).await;
    }
}

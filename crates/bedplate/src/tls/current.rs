//! The certificate that new connections are shown; it can be replaced while others are served.

use std::sync::Arc;

use bedplate_types::{ErrorKind, Problem, Timestamp};
use parking_lot::RwLock;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use super::certificate::Pair;

pub struct Current(RwLock<Pair>);

impl Current {
    pub fn new(pair: Pair) -> Self {
        Self(RwLock::new(pair))
    }

    pub fn replace(&self, pair: Pair) {
        *self.0.write() = pair;
    }

    /// When it began and when it ends.
    pub fn life(&self) -> (Timestamp, Timestamp) {
        let pair = self.0.read();
        (pair.not_before, pair.not_after)
    }
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("life", &self.life()).finish()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().key.clone())
    }
}

pub fn config(current: Arc<Current>, clients: &[CertificateDer<'static>]) -> Result<Arc<ServerConfig>, Problem> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let of = |why: String| Problem::new(ErrorKind::Invalid, "the authorities of clients' certificates", why);
    let mut roots = RootCertStore::empty();
    for certificate in clients {
        roots.add(certificate.clone()).map_err(|error| of(error.to_string()))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let verifier = verifier.allow_unauthenticated().build().map_err(|error| of(error.to_string()))?;
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Problem::new(ErrorKind::Internal, "TLS", error.to_string()))?;
    let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(current);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

//! A certificate with its key, read and checked.

use std::net::IpAddr;
use std::sync::Arc;

use bedplate_identity::{ClientCertificate, spiffe};
use bedplate_types::{ErrorKind, Problem, Timestamp};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use super::der::{Name, Parts};

/// A certificate that goes with its key and may be used now.
pub struct Pair {
    pub key: Arc<CertifiedKey>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// Reads both from PEM; `what` names them in errors.
pub fn pair(what: &str, certificate: &[u8], key: &[u8], now: Timestamp) -> Result<Pair, Problem> {
    let wrong = |why: String| {
        Problem::new(ErrorKind::Invalid, what, why)
            .with_fix("give --tls-cert and --tls-key a certificate with its own key")
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|error| wrong(format!("the certificate is not readable: {error}")))?;
    if chain.is_empty() {
        return Err(wrong("there is no certificate in it (PEM)".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong(format!("the key is not readable: {error}")))?;
    let pair = certified(chain, key).map_err(|error| wrong(error.to_string()))?;
    pair.check(now).map_err(wrong)?;
    Ok(pair)
}

/// The same from what was just made.
pub fn made(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<Pair, Problem> {
    certified(vec![certificate], key)
        .map_err(|error| Problem::new(ErrorKind::Internal, "a new certificate", error.to_string()))
}

fn certified(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Pair, rustls::Error> {
    let Parts { not_before, not_after, .. } = read(&chain[0])?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let signing = provider.key_provider.load_private_key(key)?;
    let key = CertifiedKey::new(chain, signing);
    key.keys_match()?;
    Ok(Pair { key: Arc::new(key), not_before, not_after })
}

fn read<'a>(certificate: &'a CertificateDer<'_>) -> Result<Parts<'a>, rustls::Error> {
    let unreadable = |_| rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding);
    Parts::of(certificate).map_err(unreadable)
}

/// Whose certificate it is: one that a client has shown, and that was verified.
pub fn client(certificate: &CertificateDer<'_>, trust_domain: &str) -> Result<ClientCertificate, String> {
    let parts = read(certificate).map_err(|error| error.to_string())?;
    let uris: Vec<&str> = parts
        .names
        .iter()
        .filter_map(|name| if let Name::Uri(uri) = name { Some(uri.as_str()) } else { None })
        .collect();
    // X509-SVID section 2: exactly one.
    let [uri] = uris[..] else { return Err(format!("it has {} URIs and should have one", uris.len())) };
    let principal = spiffe::principal_of(uri, trust_domain).map_err(|error| error.to_string())?;
    Ok(ClientCertificate { principal, fingerprint: fingerprint(certificate), not_after: parts.not_after })
}

/// SHA-256 of the DER form.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex::encode(Sha256::digest(certificate))
}

impl Pair {
    fn check(&self, now: Timestamp) -> Result<(), String> {
        if self.key.cert.first().and_then(|certificate| read(certificate).ok()).is_some_and(|parts| parts.is_authority)
        {
            // Some clients take it and some do not, the platform's own among them.
            return Err(
                "the certificate is an authority's (CA:TRUE), not a server's: make one with basicConstraints=CA:FALSE"
                    .into(),
            );
        }
        if now < self.not_before {
            return Err(format!("the certificate is not good before {}", self.not_before));
        }
        if now >= self.not_after {
            return Err(format!("the certificate expired at {}", self.not_after));
        }
        Ok(())
    }

    /// The certificate itself when nobody else vouches for it: clients must be given it.
    pub fn own_authority(&self) -> Option<String> {
        let parts = read(self.key.cert.first()?).ok()?;
        let alone = self.key.cert.len() == 1 && parts.issuer == parts.subject;
        alone.then(|| super::authority::pem_of(&self.key.cert[0]))
    }

    /// The first DNS name it is for, when it is not for `address`.
    pub fn name_unless_for(&self, address: IpAddr) -> Option<String> {
        let names = read(self.key.cert.first()?).ok()?.names;
        if names.contains(&Name::Address(address)) {
            return None;
        }
        names.into_iter().find_map(|name| match name {
            Name::Dns(dns) if !dns.starts_with('*') => Some(dns),
            _ => None,
        })
    }
}

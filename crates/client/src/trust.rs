//! TLS from the asking side: which authority a server's certificate must come from, and what is shown in return.

use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

const CONNECT: Duration = Duration::from_secs(30);

/// What a server must show, and what is shown to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// PEM of the authorities a server's certificate must come from; `None`: those of this machine.
    pub ca: Option<String>,
    /// The name the certificate must be for, if not that of the address.
    pub server_name: Option<String>,
    /// A certificate and its key to show a server that asks for one.
    pub identity: Option<Identity>,
}

/// A client's certificate (with what leads to its authority) and its private key, both PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).field("key", &"…").finish()
    }
}

/// Connects to `http://` and, believing whom `trust` says, to `https://`.
///
/// # Errors
/// What in `trust` cannot be read, in words.
pub fn connector(trust: &Trust) -> Result<HttpsConnector<HttpConnector>, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls(trust)?).https_or_http();
    let builder = match &trust.server_name {
        Some(name) => {
            let name =
                ServerName::try_from(name.clone()).map_err(|_| format!("{name:?} is not the name of a server"))?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
        None => builder,
    };
    Ok(builder.enable_http1().wrap_connector(tcp))
}

fn tls(trust: &Trust) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?.with_root_certificates(roots(trust)?);
    match &trust.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(identity) => {
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes());
            let key = key.map_err(|error| format!("the client's key is not readable: {error}"))?;
            builder
                .with_client_auth_cert(certificates(&identity.certificate)?, key)
                .map_err(|error| format!("the client's certificate cannot be used: {error}"))
        }
    }
}

fn roots(trust: &Trust) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match &trust.ca {
        Some(pem) => {
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| format!("the authority's certificate: {error}"))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(found) if found.is_empty() => Err("there is no certificate in it (PEM)".into()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("a certificate is not readable: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said_and_no_key_is_shown() {
        let trust = Trust { ca: Some("not PEM".into()), ..Trust::default() };
        assert!(connector(&trust).unwrap_err().contains("no certificate"));
        let identity = Identity { certificate: "c".into(), key: "very secret".into() };
        assert!(!format!("{identity:?}").contains("secret"));
        let trust = Trust { identity: Some(identity), ..Trust::default() };
        assert!(connector(&trust).unwrap_err().contains("key"));
        connector(&Trust::default()).unwrap();
    }
}

//! A certificate was shown at the beginning of a connection: what stands for it in each request, until the connection ends.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::ClientCertificate;

/// The scheme of the `Authorization` header by which the platform's own listeners speak of a connection's certificate.
pub(crate) const SCHEME: &str = "bedplate-connection";

/// Certificates of the connections there are, by a secret nobody outside ever sees.
pub(crate) type Connections = Arc<Mutex<HashMap<String, ClientCertificate>>>;

/// Counts while it is kept.
pub struct Admission {
    connections: Connections,
    secret: String,
}

impl Admission {
    pub(crate) fn new(connections: &Connections, certificate: ClientCertificate, random: [u8; 32]) -> Self {
        let secret = hex::encode(random);
        connections.lock().insert(secret.clone(), certificate);
        Self { connections: connections.clone(), secret }
    }

    /// The value of an `Authorization` header for requests of this connection. A secret: it must not leave the process.
    #[must_use]
    pub fn authorization(&self) -> String {
        format!("{SCHEME} {}", self.secret)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.secret);
    }
}

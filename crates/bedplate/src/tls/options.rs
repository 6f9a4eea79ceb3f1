//! What the command line says of TLS.

use std::path::PathBuf;

use bedplate_types::Span;
use clap::{Args, ValueEnum};

#[derive(Debug, Args, Clone)]
pub struct TlsOptions {
    /// Speak https with certificates of the platform's own authority, renewed by themselves.
    #[arg(long, value_enum, conflicts_with = "tls_cert")]
    pub tls: Option<Builtin>,
    /// Speak https with this certificate and what leads to its authority (PEM); read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// What clients verify --tls-cert with (PEM): it goes into the kubeconfig. Left out: what their machine knows.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_ca: Option<PathBuf>,
    /// One more name or address the built-in certificate is for; of --tls-cert, the name clients ask for. May be repeated.
    #[arg(long = "tls-name", value_name = "NAME")]
    pub tls_names: Vec<String>,
    /// How long a certificate of the platform's own authority is good for; there is a new one after half of it.
    #[arg(long, default_value = "7d", value_name = "SPAN", value_parser = lifetime)]
    pub tls_lifetime: Span,
    /// Believe the certificates of machines that these authorities issued (PEM), beside those the platform issued itself.
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// The trust domain of machines' names: spiffe://DOMAIN/ns/flights/sa/robot.
    #[arg(long, value_name = "DOMAIN", default_value = "bedplate.internal", value_parser = trust_domain)]
    pub trust_domain: String,
    /// Listen beyond this machine without TLS: tokens and data can be read by everybody on the way.
    #[arg(long)]
    pub insecure_plaintext: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Builtin {
    Builtin,
}

/// What keeps others from reading along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    Tls,
    /// Nothing leaves the machine, or it must not listen.
    LoopbackOnly,
    /// Nothing, because somebody said so.
    Insecure,
}

const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const SHORTEST_MICROS: i64 = 2_000_000;
const LONGEST_MICROS: i64 = 398 * 86_400 * 1_000_000;

impl TlsOptions {
    /// Every name the built-in certificate is for.
    pub fn all_names(&self) -> Vec<String> {
        HERE.into_iter().map(str::to_owned).chain(self.tls_names.iter().cloned()).collect()
    }

    pub fn protection(&self) -> Protection {
        match (self.tls.is_some() || self.tls_cert.is_some(), self.insecure_plaintext) {
            (true, _) => Protection::Tls,
            (false, true) => Protection::Insecure,
            (false, false) => Protection::LoopbackOnly,
        }
    }
}

fn trust_domain(text: &str) -> Result<String, String> {
    match bedplate_identity::spiffe::is_trust_domain(text) {
        true => Ok(text.to_owned()),
        false => Err("it is made of lower-case letters, digits, dots, hyphens and underscores".into()),
    }
}

fn lifetime(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: bedplate_types::InvalidSpan| error.to_string())?;
    if (SHORTEST_MICROS..=LONGEST_MICROS).contains(&span.micros()) {
        Ok(span)
    } else {
        Err("it is 2s at least and 398d at most".into())
    }
}

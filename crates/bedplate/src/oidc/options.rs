//! What the command line says of the provider.

use std::path::PathBuf;

use bedplate_types::Span;
use clap::Args;

#[derive(Debug, Args, Clone)]
pub struct OidcOptions {
    /// People sign in at this OpenID provider: its issuer, as its discovery document says it.
    #[arg(long, value_name = "URL", requires = "oidc_client_id")]
    pub oidc_issuer: Option<String>,
    /// What the platform is called there.
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,
    /// The secret it has there, if the provider gave it one.
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// The claim that holds somebody's groups.
    #[arg(long, value_name = "CLAIM", default_value = "groups")]
    pub oidc_groups_claim: String,
    /// The claim that somebody is called by.
    #[arg(long, value_name = "CLAIM", default_value = "email")]
    pub oidc_username_claim: String,
    /// Whoever is in this group of the provider's administers the platform.
    #[arg(long, value_name = "GROUP")]
    pub oidc_admin_group: Option<String>,
    /// What the provider is asked for.
    #[arg(long, value_name = "SCOPES", default_value = "openid email profile")]
    pub oidc_scopes: String,
    /// What the provider's certificate is verified with (PEM). Left out: what this machine knows.
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    pub oidc_ca: Option<PathBuf>,
    /// How long the provider's keys are believed before they are read again.
    #[arg(long, value_name = "SPAN", default_value = "5m")]
    pub oidc_keys_for: Span,
    /// How long somebody stays signed in.
    #[arg(long, value_name = "SPAN", default_value = "12h")]
    pub session_lifetime: Span,
}

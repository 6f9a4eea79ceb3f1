//! The OpenID provider people sign in at: found, asked, and believed as far as `bedplate_identity::oidc` says.
//!
//! [`Provider`] is what the surfaces hold. It speaks to the provider (`web`), keeps what it published (`published`) for a
//! while, and turns an ID token into a token of the platform's own. The provider's secret never leaves this module.

mod options;
mod provider;
mod published;
mod web;

pub use options::OidcOptions;
pub use provider::{Grant, Provider};
pub use web::escaped;

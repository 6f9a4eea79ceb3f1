//! What the provider publishes of itself (OpenID Connect Discovery 1.0), checked before it is used.

use bedplate_types::{ErrorKind, Problem};
use serde::Deserialize;

use super::web::is_safe;

/// Where it is asked for what.
#[derive(Clone, Debug, Deserialize)]
pub struct Published {
    issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    /// RFC 8628.
    pub device_authorization_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Published {
    pub fn read(document: &[u8], issuer: &str) -> Result<Self, Problem> {
        let wrong = |why: String| {
            Problem::new(ErrorKind::Invalid, format!("the OpenID provider {issuer}"), why)
                .with_fix("correct --oidc-issuer")
        };
        let read: Self = serde_json::from_slice(document)
            .map_err(|error| wrong(format!("its discovery document is not understood: {error}")))?;
        if read.issuer != issuer {
            return Err(wrong(format!("it calls itself {:?}: the two must be equal", read.issuer)));
        }
        let mut all = vec![&read.authorization_endpoint, &read.token_endpoint, &read.jwks_uri];
        all.extend(&read.device_authorization_endpoint);
        match all.into_iter().find(|url| !is_safe(url, issuer)) {
            Some(url) => Err(wrong(format!("it names {url}, which is not https"))),
            None => Ok(read),
        }
    }

    pub fn location(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Whether the client's secret goes into the form: only if it may not go into the header.
    pub fn wants_secret_in_form(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |name: &str| methods.iter().any(|method| method == name);
        !has("client_secret_basic") && has("client_secret_post")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(issuer: &str, jwks: &str) -> Vec<u8> {
        let text = serde_json::json!({ "issuer": issuer, "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://id.example/token", "jwks_uri": jwks });
        text.to_string().into_bytes()
    }

    #[test]
    fn only_what_the_issuer_says_of_itself_over_tls_is_used() {
        let good = document("https://id.example", "https://id.example/keys");
        Published::read(&good, "https://id.example").unwrap();
        for (issuer, jwks) in [
            ("https://evil.example", "https://id.example/keys"),
            ("https://id.example/", "https://id.example/keys"),
            ("https://id.example", "http://id.example/keys"),
            ("https://id.example", "file:///etc/passwd"),
        ] {
            assert!(Published::read(&document(issuer, jwks), "https://id.example").is_err(), "{issuer} {jwks}");
        }
        assert!(Published::read(b"<html>", "https://id.example").is_err());
        assert_eq!(
            Published::location("https://id.example/a/"),
            "https://id.example/a/.well-known/openid-configuration"
        );
    }
}

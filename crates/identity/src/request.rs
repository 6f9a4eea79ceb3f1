//! What somebody asks a token to be, and the rules for it.

use bedplate_types::{ErrorKind, Explained, Scope, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{NewToken, Principal};

/// A token that is asked for: exactly one of `user` and `service_account`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccount>,
    /// Of a user: a service account has the roles bound to it and no others.
    #[serde(default)]
    pub groups: Vec<String>,
    /// How long it is good for, `30d` for example; `None`: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    #[serde(default)]
    pub description: String,
    /// Which of the principal's rights it carries; `None`: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Whether the secret of the token's access key is wanted too, for clients of S3.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub s3: bool,
}

/// A machine's name in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    pub namespace: String,
    pub name: String,
}

/// The request names no principal, or says something a token cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    #[error("a token is for a user or for a service account: name one of them")]
    Nobody,
    #[error("{field} {text:?} must be 1 to 253 letters, digits, or any of . _ @ -")]
    Name { field: &'static str, text: String },
    #[error("a service account has no groups; bind a role to it instead")]
    Groups,
    #[error("expiresIn {0:?} is not a span of time longer than zero, such as 12h or 30d")]
    Expiry(String),
    #[error("the description is longer than {MOST} bytes")]
    Description,
}

const MOST: usize = 253;

impl Explained for InvalidRequest {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl TokenRequest {
    /// The namespace whose owners may ask for it; `None`: only an administrator may.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.service_account.as_ref().map(|account| account.namespace.as_str())
    }

    /// # Errors
    /// [`InvalidRequest`].
    pub fn at(&self, now: Timestamp) -> Result<NewToken, InvalidRequest> {
        if self.description.len() > MOST {
            return Err(InvalidRequest::Description);
        }
        let expires_at = self.expires_in.as_deref().map(|text| expiry(text, now)).transpose()?;
        Ok(NewToken {
            expires_at,
            scope: self.scope.clone(),
            ..NewToken::new(self.principal()?, self.description.clone())
        })
    }

    fn principal(&self) -> Result<Principal, InvalidRequest> {
        match (&self.user, &self.service_account) {
            (Some(user), None) => {
                self.groups.iter().try_for_each(|group| named("group", group))?;
                named("user", user)?;
                Ok(Principal { name: format!("user:{user}"), groups: self.groups.clone() })
            }
            (None, Some(_)) if !self.groups.is_empty() => Err(InvalidRequest::Groups),
            (None, Some(ServiceAccount { namespace, name })) => {
                named("namespace", namespace)?;
                named("service account", name)?;
                Ok(Principal::new(format!("serviceaccount:{namespace}/{name}")))
            }
            _ => Err(InvalidRequest::Nobody),
        }
    }
}

/// The namespace a principal lives in: that of a service account, none for everybody else.
#[must_use]
pub fn namespace_of(principal: &str) -> Option<&str> {
    principal.strip_prefix("serviceaccount:")?.split_once('/').map(|(namespace, _)| namespace)
}

fn named(field: &'static str, text: &str) -> Result<(), InvalidRequest> {
    // The colon is for groups of the platform's own, such as system:masters; a scope is none of them.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte) || (field == "group" && byte == b':');
    let sound = (1..=MOST).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with(Scope::GROUP);
    if sound { Ok(()) } else { Err(InvalidRequest::Name { field, text: text.to_owned() }) }
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, InvalidRequest> {
    let span: Option<Span> = text.parse().ok();
    let at = span.filter(|span| span.micros() > 0).and_then(|span| now.micros().checked_add(span.micros()));
    at.map(Timestamp::from_micros).ok_or_else(|| InvalidRequest::Expiry(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> TokenRequest {
        TokenRequest { user: Some(name.into()), ..TokenRequest::default() }
    }

    fn robot() -> TokenRequest {
        let account = ServiceAccount { namespace: "flights".into(), name: "robot".into() };
        TokenRequest { service_account: Some(account), ..TokenRequest::default() }
    }

    #[test]
    fn a_user_brings_groups_and_a_service_account_its_namespace() {
        let now = Timestamp::from_micros(1_000_000);
        let ana =
            TokenRequest { groups: vec!["data".into()], expires_in: Some("2h".into()), ..user("ana@example.org") };
        let token = ana.at(now).unwrap();
        assert_eq!(token.principal, Principal { name: "user:ana@example.org".into(), groups: vec!["data".into()] });
        assert_eq!(token.expires_at, Some(Timestamp::from_micros(7_201_000_000)));
        assert_eq!((ana.namespace(), robot().namespace()), (None, Some("flights")));
        let name = robot().at(now).unwrap().principal.name;
        assert_eq!((name.as_str(), namespace_of(&name)), ("serviceaccount:flights/robot", Some("flights")));
        assert_eq!(namespace_of("user:ana"), None);
    }

    #[test]
    fn what_a_token_cannot_be_is_said() {
        let check = |request: TokenRequest, words: &str| {
            let error = request.at(Timestamp::from_micros(0)).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(TokenRequest::default(), "name one of them");
        check(TokenRequest { user: Some("ana".into()), ..robot() }, "name one of them");
        check(user("a/b"), "user \"a/b\"");
        check(user("system:controllers"), "user \"system:controllers\"");
        check(TokenRequest { groups: vec!["system:masters".into()], ..robot() }, "no groups");
        check(TokenRequest { expires_in: Some("soon".into()), ..user("ana") }, "expiresIn \"soon\"");
        check(TokenRequest { expires_in: Some("0s".into()), ..user("ana") }, "expiresIn");
        check(TokenRequest { groups: vec!["scope:get:x:y".into()], ..user("ana") }, "group \"scope:get:x:y\"");
        check(TokenRequest { description: "x".repeat(300), ..user("ana") }, "longer");
    }
}

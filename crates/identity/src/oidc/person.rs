//! What somebody from the provider is called here.

use bedplate_types::Timestamp;
use serde_json::{Map, Value};

use super::OidcError;
use crate::Principal;

/// Which claims make a name and groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// `email`, `preferred_username`, `sub` …
    pub username_claim: String,
    pub groups_claim: String,
    /// Whoever is in this group of the provider's administers the platform.
    pub admin_group: Option<String>,
}

/// Somebody the provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub principal: Principal,
    /// What the provider calls them, for ever.
    pub subject: String,
    pub expires_at: Timestamp,
}

const ADMINISTRATORS: &str = "system:masters";
/// Names that the platform gives itself: nobody else's word makes somebody one of them.
const OWN_GROUPS: [&str; 3] = ["system:", "scope:", "workloads:"];
const OWN_USERS: [&str; 1] = ["admin"];
const LONGEST: usize = 253;
const MOST_GROUPS: usize = 500;

impl Naming {
    pub(super) fn person(&self, claims: &Map<String, Value>, expires_at: Timestamp) -> Result<Person, OidcError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let missing = |name: &str| OidcError::Claim(name.to_owned());
        let subject = text("sub").ok_or_else(|| missing("sub"))?;
        let name = text(&self.username_claim).ok_or_else(|| missing(&self.username_claim))?;
        if self.username_claim == "email" && claims.get("email_verified").is_some_and(|said| !is_true(said)) {
            return Err(OidcError::EmailNotVerified);
        }
        if !may_be_called(name) {
            return Err(OidcError::Name(name.chars().take(100).collect()));
        }
        let principal = Principal { name: format!("user:{name}"), groups: self.groups(claims) };
        Ok(Person { principal, subject: subject.to_owned(), expires_at })
    }

    fn groups(&self, claims: &Map<String, Value>) -> Vec<String> {
        let said: Vec<&str> = match claims.get(&self.groups_claim) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let administers = self.admin_group.as_deref().is_some_and(|group| said.contains(&group));
        let mut groups: Vec<String> =
            said.into_iter().filter(|group| is_group(group)).take(MOST_GROUPS).map(ToOwned::to_owned).collect();
        groups.extend(administers.then(|| ADMINISTRATORS.to_owned()));
        groups
    }
}

/// Some providers say `"true"`.
fn is_true(said: &Value) -> bool {
    *said == Value::Bool(true) || *said == Value::String("true".into())
}

fn may_be_called(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-+".contains(&byte);
    name.len() <= LONGEST && name.bytes().all(fits) && !OWN_USERS.contains(&name)
}

fn is_group(name: &str) -> bool {
    let own = OWN_GROUPS.iter().any(|prefix| name.starts_with(prefix));
    (1..=LONGEST).contains(&name.len()) && !own && !name.chars().any(char::is_control)
}

//! What keeps the policy from being loaded. A question never fails: it is denied.

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained};

/// A failure to load the rules, people's policies or the grants.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    #[error("the built-in rules are not readable: {0}")]
    Rules(String),
    #[error("{0:?} is not a principal that policies know")]
    Principal(String),
    #[error("policy {policy} is not readable: {why}")]
    Source { policy: String, why: String },
    #[error("the grant to {principal} in namespace {namespace} is of the role {role:?}, which does not exist")]
    Role { principal: String, namespace: String, role: String },
    #[error("a grant names no {0}")]
    Empty(&'static str),
    #[error("the binding {binding} may grant roles in its own namespace only, not in {namespace}")]
    Elsewhere { binding: String, namespace: String },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Explained for PolicyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rules(_) => ErrorKind::Internal,
            Self::Role { .. } => ErrorKind::Corrupt,
            Self::Empty(_) | Self::Elsewhere { .. } | Self::Principal(_) | Self::Source { .. } => ErrorKind::Invalid,
            Self::Db(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Role { .. } => Some("the roles are owner, editor and viewer".into()),
            Self::Source { policy, .. } => {
                Some(format!("correct spec.cedar of policy {policy}; bedplate policy validate shows the place"))
            }
            Self::Db(error) => error.fix(),
            _ => None,
        }
    }
}

//! What can go wrong with a plan.

use bedplate_apiserver::ApiError;
use bedplate_types::{ErrorKind, Explained};

/// A plan that could not be made or carried out. Nothing was written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    #[error("{count} objects are more than the {limit} of one plan")]
    TooMany { count: usize, limit: usize },
    #[error("{object} is declared twice: {first} and {second}")]
    Twice { object: String, first: String, second: String },
    #[error("{source_} is no object of the platform: {why}")]
    NoObject { source_: String, why: String },
    #[error("the state moved since the plan was made: {}", .objects.join(", "))]
    Moved { objects: Vec<String> },
    #[error("the plan is {verdict}: {}", .reasons.join("; "))]
    NotAllowed { verdict: &'static str, reasons: Vec<String> },
    #[error("{object}: {error}")]
    Step { object: String, error: ApiError },
    #[error("what would come of it is not what the plan says: {0}")]
    Differs(String),
    #[error("the plan is of version {found}, this bedplate knows {known}")]
    Version { found: u32, known: u32 },
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The price sheet or what was spent is not known.
    #[error("the ledger does not tell: {0}")]
    Ledger(String),
}

/// The command that makes a new plan.
const REPLAN: &str = "plan again: bedplate plan -f DIR -o plan.bin";

impl Explained for PlanError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooMany { .. } => ErrorKind::TooLarge,
            Self::Twice { .. } | Self::NoObject { .. } | Self::Version { .. } | Self::Invalid(_) => ErrorKind::Invalid,
            Self::Moved { .. } | Self::Differs(_) => ErrorKind::Conflict,
            Self::NotAllowed { verdict, .. } if *verdict == "over-budget" => ErrorKind::Refused,
            Self::NotAllowed { .. } => ErrorKind::Denied,
            Self::Step { error, .. } | Self::Api(error) => error.kind(),
            Self::Ledger(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::TooMany { .. } => Some("plan the folders one by one".to_owned()),
            Self::Twice { .. } => Some("keep one of them".to_owned()),
            Self::Moved { .. } | Self::Differs(_) | Self::Version { .. } => Some(REPLAN.to_owned()),
            Self::NotAllowed { .. } => Some("bedplate plan -f DIR shows every reason and what mends it".to_owned()),
            Self::Step { error, .. } | Self::Api(error) => error.fix(),
            Self::Ledger(_) | Self::NoObject { .. } | Self::Invalid(_) => None,
        }
    }
}

//! What can go wrong with a request, one variant a way.

use bedplate_audit::AuditError;
use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained};

use crate::governance::Refusal;
use crate::write::Written;

/// One broken rule of an object, with the path of the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueRequired`, `FieldValueInvalid`, … (apimachinery, `CauseType`).
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl Cause {
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: "FieldValueInvalid", field: field.into(), message: message.into() }
    }

    pub fn required(field: impl Into<String>) -> Self {
        Self { reason: "FieldValueRequired", field: field.into(), message: "Required value".to_owned() }
    }
}

/// A request that was not done, and why. `resource` is `datasets.bedplate.dev`, `kind` is `Dataset.bedplate.dev`.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("{why}")]
    Unauthenticated { why: String },
    #[error("{resource} {name:?} is forbidden: {why}")]
    Forbidden { resource: String, name: String, why: String },
    /// Whoever governs changes does not let it be made.
    #[error("{resource} {name:?} is forbidden: {}", whys(.refusals))]
    Withheld { resource: String, name: String, refusals: Vec<Refusal> },
    #[error("the server could not find the requested resource")]
    NoSuchPath,
    #[error("{resource} {name:?} not found")]
    NotFound { resource: String, name: String },
    #[error("{resource} {name:?} already exists")]
    AlreadyExists { resource: String, name: String },
    #[error("Operation cannot be fulfilled on {resource} {name:?}: {why}")]
    Conflict { resource: String, name: String, why: String },
    #[error("Apply failed with {} conflict{}: {}", .causes.len(), if .causes.len() == 1 { "" } else { "s" }, told(.causes))]
    ApplyConflict { causes: Vec<Cause> },
    #[error("{kind} {name:?} is invalid: {}", told(.causes))]
    Invalid { kind: String, name: String, causes: Vec<Cause> },
    #[error("{0}")]
    Unprocessable(String),
    #[error("{resource} can only be read: the kinds are built into bedplate and change with its version")]
    ReadOnly { resource: String },
    #[error("{method} is not allowed here")]
    MethodNotAllowed { method: String },
    #[error("the body of the request was in an unknown format - accepted media types include: {accepted}")]
    UnsupportedMediaType { accepted: &'static str },
    #[error("too many requests at once: try again")]
    TooBusy,
    #[error("the request body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("{0}")]
    Expired(String),
    /// A continue token of a list whose past is forgotten; `token` goes on in the present.
    #[error("{EXPIRED_CONTINUE}")]
    ExpiredContinue { token: String },
    #[error("Too large resource version: {asked}, current: {head}")]
    FromTheFuture { asked: i64, head: i64 },
    #[error("the database refused: {0}")]
    Db(#[from] DbError),
    #[error("the audit log refused: {0}")]
    Audit(#[from] AuditError),
    #[error("stored {object} cannot be read: {why}")]
    Corrupt { object: String, why: String },
    #[error("{0}")]
    Internal(String),
    /// Not a failure: how a dry run leaves the transaction, so that nothing of it is kept.
    #[error("dry run")]
    DryRun(Box<Written>),
}

/// In Kubernetes' words (apiserver, `storage/etcd3`), which clients' authors know.
const EXPIRED_CONTINUE: &str = "The provided continue parameter is too old to display a consistent list result. You can start a \
    new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
    results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
    deleted between the time the first chunk was returned and now may show up in the list.";

fn whys(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| refusal.why.as_str()).collect::<Vec<_>>().join("; ")
}

fn told(causes: &[Cause]) -> String {
    let one = |cause: &Cause| match cause.field.as_str() {
        "" => cause.message.clone(),
        field => format!("{field}: {}", cause.message),
    };
    match causes {
        [single] => one(single),
        many => format!("[{}]", many.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

impl Explained for ApiError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::BadRequest(_)
            | Self::Invalid { .. }
            | Self::Unprocessable(_)
            | Self::MethodNotAllowed { .. }
            | Self::ReadOnly { .. }
            | Self::UnsupportedMediaType { .. } => ErrorKind::Invalid,
            Self::Unauthenticated { .. } => ErrorKind::Unauthenticated,
            Self::Forbidden { .. } | Self::Withheld { .. } => ErrorKind::Denied,
            Self::NoSuchPath | Self::NotFound { .. } => ErrorKind::NotFound,
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::Conflict { .. } | Self::ApplyConflict { .. } => ErrorKind::Conflict,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::TooBusy => ErrorKind::Busy,
            Self::Expired(_) | Self::ExpiredContinue { .. } => ErrorKind::Gone,
            Self::FromTheFuture { .. } => ErrorKind::Timeout,
            Self::Db(error) => error.kind(),
            Self::Audit(error) => error.kind(),
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Internal(_) | Self::DryRun(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Db(error) => error.fix(),
            Self::Audit(error) => error.fix(),
            Self::Withheld { refusals, .. } => refusals.iter().find_map(|refusal| refusal.fix.clone()),
            Self::ApplyConflict { .. } => Some("kubectl apply --server-side --force-conflicts".to_owned()),
            _ => None,
        }
    }
}

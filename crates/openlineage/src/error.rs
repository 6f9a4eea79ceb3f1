//! Every failure, told as Marquez tells it (`{"code", "message"}`), with the `field` that is wrong.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bedplate_audit::AuditError;
use bedplate_db::DbError;
use bedplate_identity::IdentityError;
use bedplate_types::{ErrorKind, Explained};
use serde_json::json;

use crate::part::Invalid;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Denied(String),
    /// What is missing, or may not be seen.
    #[error("{0} not found")]
    NotFound(String),
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("the request body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("what is stored of {0} is not readable")]
    Stored(String),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("the work on the request ended before its answer: {0}")]
    Lost(String),
}

impl Failure {
    /// What the caller is told. The inside of a defect stays in the log.
    pub fn message(&self) -> String {
        if matches!(self.kind(), ErrorKind::Internal | ErrorKind::Corrupt) {
            tracing::error!(error = self as &dyn std::error::Error, "lineage request failed");
            return "the lineage service failed; its log says why".into();
        }
        match self.fix() {
            Some(fix) => format!("{self}; {fix}"),
            None => self.to_string(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid(invalid) => Some(&invalid.field),
            _ => None,
        }
    }
}

impl Explained for Failure {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Identity(error) => error.kind(),
            Self::Denied(_) => ErrorKind::Denied,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::TooLarge(_) => ErrorKind::TooLarge,
            Self::Stored(_) => ErrorKind::Corrupt,
            Self::Db(error) => error.kind(),
            Self::Audit(error) => error.kind(),
            Self::Lost(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Identity(error) => error.fix(),
            Self::Db(error) => error.fix(),
            Self::Audit(error) => error.fix(),
            _ => None,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut told = json!({ "code": status.as_u16(), "message": self.message() });
        if let Some(field) = self.field() {
            told["field"] = field.into();
        }
        let mut response = (status, Json(told)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

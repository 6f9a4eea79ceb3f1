//! Every failure of the protocol, and its one shape on the wire: `{"error": "…"}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bedplate_identity::IdentityError;
use bedplate_types::{ErrorKind, Explained};
use serde_json::json;

use crate::target::Target;
use crate::{BODY_LIMIT, PredictError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum OipError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Also what a caller without any right in the namespace is told.
    #[error("there is no endpoint {0} here")]
    NoEndpoint(Target),
    #[error("endpoint {target} does not serve version {version:?}; it serves {served:?}")]
    NoVersion { target: Target, version: String, served: Vec<u32> },
    #[error("{0}")]
    Denied(String),
    #[error("endpoint {0} is not ready")]
    NotReady(Target),
    #[error("the request body is larger than {BODY_LIMIT} bytes: send fewer rows at a time")]
    TooLarge,
    #[error("{0}")]
    Unsupported(String),
    /// The request as a whole.
    #[error("{0}")]
    Request(String),
    /// One of its tensors.
    #[error("input {tensor:?} {why}")]
    Input { tensor: String, why: String },
    #[error("there is no output {asked:?}; the endpoint gives {}", known.join(", "))]
    NoOutput { asked: String, known: Vec<String> },
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error("the predictor broke its promise: {0}")]
    Broken(String),
}

impl OipError {
    pub fn input(tensor: &str, why: impl Into<String>) -> Self {
        Self::Input { tensor: tensor.to_owned(), why: why.into() }
    }

    fn status(&self) -> StatusCode {
        match self.kind() {
            // The specification has 400 where the rest of the house has 422.
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            kind => StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// What the caller is told; the inside of a defect stays in the log.
    fn message(&self) -> String {
        if matches!(self.kind(), ErrorKind::Internal | ErrorKind::Corrupt) {
            tracing::error!(error = self as &dyn std::error::Error, "inference request failed");
            return "the server failed to make the prediction; its log says why".into();
        }
        match self.fix() {
            Some(fix) => format!("{self}; {fix}"),
            None => self.to_string(),
        }
    }
}

impl Explained for OipError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Identity(error) => error.kind(),
            Self::Predict(error) => error.kind(),
            Self::NoEndpoint(_) | Self::NoVersion { .. } => ErrorKind::NotFound,
            Self::Denied(_) => ErrorKind::Denied,
            Self::NotReady(_) => ErrorKind::NotReady,
            Self::TooLarge => ErrorKind::TooLarge,
            Self::Broken(_) => ErrorKind::Internal,
            Self::Unsupported(_) | Self::Request(_) | Self::Input { .. } | Self::NoOutput { .. } => ErrorKind::Invalid,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Identity(error) => error.fix(),
            Self::Predict(error) => error.fix(),
            Self::NotReady(target) => {
                Some(format!("bedplate describe endpoint {} -n {} says why", target.endpoint, target.namespace))
            }
            _ => None,
        }
    }
}

impl IntoResponse for OipError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(json!({ "error": self.message() }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

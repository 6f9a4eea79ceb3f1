//! Every failure, told as Feast's feature server tells it.
//!
//! An exception of Feast's is a JSON *string* that holds a JSON object of module, class and message, from which its client
//! builds the exception again; a body that does not parse has FastAPI's 422; other failures are a JSON string.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bedplate_identity::IdentityError;
use bedplate_types::{ErrorKind, Explained, Problem};
use serde_json::{Value, json};

use crate::{BODY_LIMIT, FRAME_LIMIT, FRAME_TIME, MESSAGE_LIMIT, StoreError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum FeastError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("Permission error:\n{0}")]
    Denied(String),
    /// A field of the body, and what is wrong with it.
    #[error("{field}: {why}")]
    Body { field: String, why: String },
    /// Columns of the answer would have one name.
    #[error("Feature names must be unique: {refs} collide{}", if *.full { "" } else { "; ask with full_feature_names" })]
    Collision { refs: String, full: bool },
    /// As Feast words it.
    #[error("Please provide an entity_df with a column named event_timestamp representing the time of events.")]
    NoMoments,
    #[error(
        "the label rows are missing: give get_historical_features an entity_df, a data frame or a statement in SQL"
    )]
    NoFrame,
    #[error("the frame is larger than {FRAME_LIMIT} bytes: send fewer rows at a time")]
    FrameTooLarge,
    #[error("a message of the frame is larger than {MESSAGE_LIMIT} bytes: send fewer rows at a time")]
    MessageTooLarge,
    #[error("the frame took longer than {} s to come: send fewer rows at a time", FRAME_TIME.as_secs())]
    FrameTooSlow,
    /// What nobody may do.
    #[error("{0}")]
    Refused(String),
    #[error("the request body is larger than {BODY_LIMIT} bytes: send fewer rows at a time")]
    TooLarge,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FeastError {
    pub fn body(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Body { field: field.into(), why: why.into() }
    }

    /// The class in `feast.errors` that the client raises.
    pub fn class(&self) -> Option<&'static str> {
        match self {
            Self::Denied(_) => Some("FeastPermissionError"),
            Self::Collision { .. } => Some("FeatureNameCollisionError"),
            Self::NoMoments => Some("EntityTimestampInferenceException"),
            Self::NoFrame => Some("InvalidEntityType"),
            Self::Store(StoreError::NoSource(_)) => Some("DataSourceObjectNotFoundException"),
            Self::Store(StoreError::MissingKeys(_)) => Some("FeastEntityDFMissingColumnsError"),
            Self::Store(StoreError::NoPushSource(_)) => Some("PushSourceNotFoundException"),
            Self::Store(StoreError::NoView(_)) => Some("FeatureViewNotFoundException"),
            Self::Store(StoreError::NoService(_)) => Some("FeatureServiceNotFoundException"),
            Self::Store(StoreError::NoVersion { .. }) => Some("FeatureViewVersionNotFound"),
            Self::Store(StoreError::NoFeature { .. }) => Some("FeastObjectNotFoundException"),
            _ => None,
        }
    }

    fn content(&self) -> Value {
        match self {
            Self::Body { field, why } => unprocessable(field, why),
            Self::Store(StoreError::Column { column, why }) => unprocessable("df", &format!("column {column:?} {why}")),
            Self::Identity(_) => json!({ "detail": self.message() }),
            _ => match self.class() {
                Some(class) => {
                    let detail = json!({ "module": "feast.errors", "class": class, "message": self.to_string() });
                    Value::String(detail.to_string())
                }
                None => Value::String(self.message()),
            },
        }
    }

    /// The inside of a defect stays in the log.
    pub fn message(&self) -> String {
        if matches!(self.kind(), ErrorKind::Internal | ErrorKind::Corrupt) {
            tracing::error!(error = self as &dyn std::error::Error, "feature request failed");
            return "the feature server failed; its log says why".into();
        }
        match self.fix() {
            Some(fix) => format!("{self}; {fix}"),
            None => self.to_string(),
        }
    }
}

fn unprocessable(field: &str, why: &str) -> Value {
    json!({ "detail": [{ "type": "value_error", "loc": ["body", field], "msg": why }] })
}

impl From<Problem> for FeastError {
    fn from(problem: Problem) -> Self {
        Self::Store(problem.into())
    }
}

impl Explained for FeastError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Identity(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Denied(_) => ErrorKind::Denied,
            Self::Body { .. } | Self::Collision { .. } | Self::NoMoments | Self::NoFrame => ErrorKind::Invalid,
            Self::TooLarge | Self::FrameTooLarge | Self::MessageTooLarge => ErrorKind::TooLarge,
            Self::FrameTooSlow => ErrorKind::Timeout,
            Self::Refused(_) => ErrorKind::Refused,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Identity(error) => error.fix(),
            Self::Store(error) => error.fix(),
            _ => None,
        }
    }
}

impl IntoResponse for FeastError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.content())).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

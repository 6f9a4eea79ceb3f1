//! Reading a request's body.

use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;

use crate::BODY_LIMIT;
use crate::error::FeastError;

pub(crate) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, FeastError> {
    let bytes = to_bytes(body, BODY_LIMIT).await.map_err(|error| {
        let cause = error.into_inner();
        if cause.is::<http_body_util::LengthLimitError>() {
            return FeastError::TooLarge;
        }
        FeastError::body("body", format!("could not be read: {cause}"))
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| FeastError::body("body", format!("is not what this path takes: {error}")))
}

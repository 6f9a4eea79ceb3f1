//! JSON Patch (RFC 6902).

use json_patch::Patch;
use serde_json::Value;

use crate::error::ApiError;

pub fn read(bytes: &[u8]) -> Result<Patch, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| ApiError::BadRequest(format!("error decoding patch: {error}")))
}

/// A patch that does not fit the object, a failed `test` for example, is refused as a whole.
pub fn apply(old: &Value, patch: &Patch) -> Result<Value, ApiError> {
    let mut object = old.clone();
    json_patch::patch(&mut object, patch).map_err(|error| ApiError::Unprocessable(error.to_string()))?;
    Ok(object)
}

//! Request bodies: JSON, YAML, and the protobuf some of kubectl's commands send.

use serde_json::Value;

use crate::error::ApiError;
use crate::protobuf;

/// The largest body that is read, as Kubernetes has it.
pub const LIMIT: usize = 3 * 1024 * 1024;

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// Reads at most [`LIMIT`] bytes.
pub async fn read(body: axum::body::Body) -> Result<bytes::Bytes, ApiError> {
    axum::body::to_bytes(body, LIMIT).await.map_err(|error| {
        let too_large =
            std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_large {
            ApiError::TooLarge { limit: LIMIT }
        } else {
            ApiError::BadRequest(format!("cannot read the body: {error}"))
        }
    })
}

/// The content type without its parameters.
pub fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// A whole object, in the encoding the content type names; JSON when it names none.
pub fn object(content_type: &str, bytes: &[u8]) -> Result<Value, ApiError> {
    match media_type(content_type) {
        "" | "application/json" => json_object(bytes),
        "application/yaml" | "application/x-yaml" | "text/yaml" => yaml_object(bytes),
        "application/vnd.kubernetes.protobuf" => protobuf::object(bytes),
        _ => Err(ApiError::UnsupportedMediaType { accepted: ACCEPTED }),
    }
}

pub fn json_object(bytes: &[u8]) -> Result<Value, ApiError> {
    let value = serde_json::from_slice(bytes).map_err(|error| undecodable(&error))?;
    with_sound_metadata(value)
}

/// YAML, of which JSON is a part.
pub fn yaml_object(bytes: &[u8]) -> Result<Value, ApiError> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return with_sound_metadata(value);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| undecodable(&error))?;
    let value = serde_saphyr::from_str(text).map_err(|error| undecodable(&error))?;
    with_sound_metadata(value)
}

fn undecodable(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::BadRequest(format!("error decoding the request body: {error}"))
}

fn with_sound_metadata(value: Value) -> Result<Value, ApiError> {
    if !value.is_object() {
        return Err(ApiError::BadRequest("the request body is not an object".to_owned()));
    }
    match &value["metadata"] {
        Value::Object(_) | Value::Null => Ok(value),
        _ => Err(ApiError::BadRequest("metadata: Invalid value: must be an object".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_objects_are_read_and_nothing_else() {
        assert_eq!(object("application/yaml", b"a: 1\nmetadata: {name: x}\n").unwrap()["metadata"]["name"], "x");
        assert_eq!(object("application/json; charset=utf-8", br#"{"a": 1}"#).unwrap()["a"], 1);
        for (content_type, bytes) in
            [("", "[]"), ("", "{"), ("application/yaml", "- a"), ("text/csv", "{}"), ("", r#"{"metadata": 1}"#)]
        {
            assert!(object(content_type, bytes.as_bytes()).is_err(), "{content_type} {bytes}");
        }
    }
}

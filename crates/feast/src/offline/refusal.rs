//! Failures as Feast's own offline server tells them.

use bedplate_types::{ErrorKind, Explained};
use serde_json::json;
use tonic::{Code, Status};

use crate::StoreError;
use crate::error::FeastError;

/// The most characters of a message: it travels in a header.
const LONGEST: usize = 2_000;

/// The client looks for the words before the JSON, whatever the code is.
pub(super) fn status(error: &FeastError) -> Status {
    let code = Code::from_i32(error.kind().grpc_code());
    if let FeastError::Identity(_) = error {
        return Status::new(code, error.message());
    }
    let message: String = error.message().chars().take(LONGEST).collect();
    let detail = json!({ "module": "feast.errors", "class": class(error), "message": message });
    Status::new(code, format!("Flight error: {detail}"))
}

fn class(error: &FeastError) -> &'static str {
    match (error, error.kind()) {
        (FeastError::Store(StoreError::Other(_)), ErrorKind::Denied) => "FeastPermissionError",
        (FeastError::Store(StoreError::Other(_)), ErrorKind::NotFound) => "FeastObjectNotFoundException",
        // One that shows its message, whatever it was made with.
        _ => error.class().unwrap_or("FeastError"),
    }
}

#[cfg(test)]
mod tests {
    use bedplate_types::Problem;

    use super::*;

    fn check(error: impl Into<FeastError>, code: Code, class: &str) {
        let told = status(&error.into());
        assert_eq!(told.code(), code);
        let detail = told.message().strip_prefix("Flight error: ").unwrap_or_else(|| panic!("{}", told.message()));
        let detail: serde_json::Value = serde_json::from_str(detail).unwrap();
        assert_eq!((&detail["module"], &detail["class"]), (&json!("feast.errors"), &json!(class)));
        assert!(detail["message"].as_str().is_some_and(|message| message.chars().count() <= LONGEST));
    }

    #[test]
    fn the_client_finds_its_exception() {
        check(StoreError::NoView("nil".into()), Code::NotFound, "FeatureViewNotFoundException");
        check(FeastError::Denied("why".into()), Code::PermissionDenied, "FeastPermissionError");
        check(FeastError::NoMoments, Code::InvalidArgument, "EntityTimestampInferenceException");
        let other = |kind| StoreError::Other(Problem::new(kind, "dataset a/b", "x".repeat(9_000)));
        check(other(ErrorKind::Denied), Code::PermissionDenied, "FeastPermissionError");
        check(other(ErrorKind::NotFound), Code::NotFound, "FeastObjectNotFoundException");
        check(other(ErrorKind::Busy), Code::ResourceExhausted, "FeastError");
    }
}

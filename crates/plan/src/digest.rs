//! The digest of a whole plan: which steps, from which state, to which.

use bedplate_govern::canonical;
use bedplate_types::Digest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::document::Step;

pub fn of(steps: &[Step]) -> String {
    let one = |step: &Step| {
        json!([
            step.api_version,
            step.kind,
            step.namespace,
            step.name,
            step.action.as_str(),
            step.found.as_ref().map(|found| [&found.uid, &found.wish]),
            step.change,
        ])
    };
    let told = canonical(&steps.iter().map(one).collect());
    Digest::from_sha256(Sha256::digest(told).into()).to_string()
}

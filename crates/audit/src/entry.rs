//! One thing that happened, and its bytes in the log.

use bedplate_types::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::canonical::canonical;

/// Who did what to which thing, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub at: Timestamp,
    /// A principal, for example `user:admin`.
    pub actor: String,
    /// For example `create`, `token.revoke`, `predict.denied`.
    pub action: String,
    /// For example `Dataset flights/weather`.
    pub object: String,
    /// What else is known of it. When an entry would exceed 65,535 bytes (what tlog-tiles has room for), the log holds
    /// `{"omitted_bytes": n, "sha256": …}` of the canonical detail instead.
    pub detail: Value,
}

/// An entry bundle of C2SP tlog-tiles counts the bytes of a leaf in 16 bits.
pub(crate) const MAX_LEAF_BYTES: usize = 65_535;

impl Entry {
    /// The bytes that are hashed and stored: canonical JSON. They are at most 65,535 unless actor, action and object are
    /// that long by themselves; [`append`](crate::append) refuses such an entry.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let body = self.with_detail(&self.detail);
        if body.len() <= MAX_LEAF_BYTES { body } else { self.with_detail(&digest_of(&self.detail)) }
    }

    fn with_detail(&self, detail: &Value) -> Vec<u8> {
        let Self { at, actor, action, object, .. } = self;
        let entry = json!({ "at": at, "actor": actor, "action": action, "object": object, "detail": detail });
        canonical(&entry).into_bytes()
    }
}

fn digest_of(detail: &Value) -> Value {
    let text = canonical(detail);
    let digest = Digest::from_sha256(sha2::Sha256::digest(&text).into());
    json!({ "omitted_bytes": text.len(), "sha256": digest.hex() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(detail: Value) -> Entry {
        let (actor, action, object) = ("user:a".into(), "create".into(), "Dataset f/w".into());
        Entry { at: Timestamp::from_micros(1), actor, action, object, detail }
    }

    #[test]
    fn reads_back_from_its_bytes() {
        let one = entry(json!({"b": 1, "a": [0.1, "x"]}));
        assert_eq!(serde_json::from_slice::<Entry>(&one.body()).unwrap(), one);
        assert!(
            String::from_utf8(one.body()).unwrap().starts_with("{\"action\":\"create\",\"actor\":\"user:a\",\"at\":")
        );
    }

    #[test]
    fn a_detail_without_room_is_kept_by_its_digest() {
        let body = entry(json!("x".repeat(70_000))).body();
        let read: Entry = serde_json::from_slice(&body).unwrap();
        assert_eq!(read.detail["omitted_bytes"], 70_002);
        assert_eq!(read.detail["sha256"].as_str().unwrap().len(), 64);
    }
}

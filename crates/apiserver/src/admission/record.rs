//! What was let through, in the audit log: once for each review, however often it is sent.

use bedplate_audit::Entry;
use bedplate_db::{Db, Tx};
use bedplate_types::{Digest, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::review::{Asked, Operation};
use crate::error::ApiError;
use crate::key::Key;
use crate::meta;
use crate::resource::Resource;

/// How long a review is remembered. An API server gives one up after 30 seconds.
const REMEMBERED_MICROS: i64 = 3_600_000_000;

/// A leaf, and the review it tells of.
pub struct Leaf {
    review: String,
    entry: Entry,
}

pub fn leaf(resource: &Resource, asked: &Asked, actor: &str, now: Timestamp) -> Leaf {
    let key = Key::new(&resource.storage(), asked.namespace(), asked.name().unwrap_or_default());
    let object = asked.told();
    let digest = Digest::from_sha256(Sha256::digest(object.to_string()).into());
    let mut detail = json!({ "review": asked.uid, "uid": meta::uid(object), "digest": digest, "username": asked.user_info.username });
    if let Some(subresource) = &asked.sub_resource {
        detail["subresource"] = subresource.as_str().into();
    }
    let action = match asked.operation {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
    };
    let entry = Entry { at: now, actor: actor.to_owned(), action: action.to_owned(), object: key.to_string(), detail };
    Leaf { review: asked.uid.clone(), entry }
}

pub async fn write(db: &Db, leaf: Leaf) -> Result<(), ApiError> {
    db.write_async(move |tx| append(tx, &leaf)).await
}

fn append(tx: &mut dyn Tx, leaf: &Leaf) -> Result<(), ApiError> {
    let now = leaf.entry.at.micros();
    tx.execute("DELETE FROM api_reviews WHERE at < $1", &[(now - REMEMBERED_MICROS).into()])?;
    let sql = "INSERT INTO api_reviews (uid, at) VALUES ($1, $2) ON CONFLICT (uid) DO NOTHING";
    if tx.execute(sql, &[(&leaf.review).into(), now.into()])? == 1 {
        bedplate_audit::append(tx, &leaf.entry)?;
    }
    Ok(())
}

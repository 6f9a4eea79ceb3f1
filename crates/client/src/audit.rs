//! `audit`: the entries of the audit log, whether they still prove themselves, and a copy of them to keep.

mod export;
mod folder;

use std::path::Path;

use bedplate_audit::{COSIGNED, MAX_FILE_BYTES, Receipt, Verified, VerifierKey};
use kube::Client;
use serde_json::Value;

pub use self::export::{Exported, audit_export};
use self::folder::Folder;
use crate::error::ClientError;
use crate::request::{JSON, bytes, get, query, send};

/// Which entries; what is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLogQuery {
    /// The first leaf that is looked at.
    pub from: u64,
    /// 1,000 at most.
    pub limit: u64,
    pub actor: Option<String>,
    pub action: Option<String>,
    /// A part of the object's name.
    pub object: Option<String>,
    /// An RFC 3339 instant.
    pub since: Option<String>,
}

/// `{"entries": […], "next": n}`: `next` is the leaf to go on from, null at the log's end. A page may hold fewer entries than
/// `limit`, or none, and have a `next`.
pub async fn audit_log(client: &Client, asked: &AuditLogQuery) -> Result<Value, ClientError> {
    let (from, limit) = (asked.from.to_string(), asked.limit.to_string());
    let asked = query(&[
        ("from", Some(&from)),
        ("limit", Some(&limit)),
        ("actor", asked.actor.as_deref()),
        ("action", asked.action.as_deref()),
        ("object", asked.object.as_deref()),
        ("since", asked.since.as_deref()),
    ]);
    send(client, get(&format!("/bedplate/v1/audit/log{asked}"), JSON)?).await
}

/// How it stands with the audit log's witnesses: `{"witnesses": [{"url", "name", "standing", "behind", "why", …}]}`
pub async fn audit_witnesses(client: &Client) -> Result<Value, ClientError> {
    send(client, get("/bedplate/v1/audit/witnesses", JSON)?).await
}

/// Has the platform recompute the Merkle tree and check the signed checkpoint.
pub async fn audit_verify(client: &Client) -> Result<Value, ClientError> {
    send(client, get("/bedplate/v1/audit/verify", JSON)?).await
}

/// The platform's receipt for a leaf, not believed yet: see [`Receipt::verify`].
pub async fn audit_prove(client: &Client, leaf: u64) -> Result<Receipt, ClientError> {
    let text = published(client, &format!("proof/{leaf}")).await?;
    Ok(Receipt::parse(&String::from_utf8_lossy(&text))?)
}

/// Verifies an exported folder by itself, and against signed notes of the same log that were kept elsewhere. Returns with it
/// the newest checkpoint in it that witnesses cosigned, which the log begins with; whose cosignatures it holds is not
/// checked here.
///
/// # Errors
/// [`ClientError::Archive`] with the place of the first fault.
pub fn audit_verify_folder(
    folder: &Path,
    key: &VerifierKey,
    notes: &[String],
) -> Result<(Verified, Option<String>), ClientError> {
    let folder = Folder::at(folder);
    let cosigned = folder.read(COSIGNED)?;
    let notes: Vec<&str> = notes.iter().chain(&cosigned).map(String::as_str).collect();
    let verified = folder.with_archive(key, |archive| {
        let verified = archive.verify()?;
        archive.must_extend(&notes)?;
        Ok(verified)
    })?;
    Ok((verified, cosigned))
}

/// A receipt for a leaf, from an exported folder that is verified first.
///
/// # Errors
/// [`ClientError::Archive`] with the place of the first fault, or when there is no such leaf.
pub fn audit_prove_from(folder: &Path, key: &VerifierKey, leaf: u64) -> Result<Receipt, ClientError> {
    Folder::at(folder).with_archive(key, |archive| {
        archive.verify()?;
        archive.prove(leaf)
    })
}

/// What the platform publishes at a path of the log.
async fn published(client: &Client, path: &str) -> Result<Vec<u8>, ClientError> {
    bytes(client, get(&format!("/bedplate/v1/audit/{path}"), "*/*")?, MAX_FILE_BYTES).await
}

//! `audit`: the entries of the audit log, whether they still prove themselves, and a copy of them to keep.

mod export;
mod folder;

use std::path::Path;

use bedplate_audit::{MAX_FILE_BYTES, Receipt, Verified, VerifierKey};
use kube::Client;
use serde_json::Value;

pub use self::export::{Exported, audit_export};
use self::folder::Folder;
use crate::error::ClientError;
use crate::request::{JSON, bytes, get, query, send};

/// At most `limit` entries from leaf `from` on.
pub async fn audit_log(client: &Client, from: u64, limit: u64) -> Result<Value, ClientError> {
    let (from, limit) = (from.to_string(), limit.to_string());
    let asked = query(&[("from", Some(&from)), ("limit", Some(&limit))]);
    send(client, get(&format!("/bedplate/v1/audit/log{asked}"), JSON)?).await
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

/// Verifies an exported folder by itself, and against signed notes of the same log that were kept elsewhere.
///
/// # Errors
/// [`ClientError::Archive`] with the place of the first fault.
pub fn audit_verify_folder(folder: &Path, key: &VerifierKey, notes: &[String]) -> Result<Verified, ClientError> {
    let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
    Folder::at(folder).with_archive(key, |archive| {
        let verified = archive.verify()?;
        archive.must_extend(&notes)?;
        Ok(verified)
    })
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

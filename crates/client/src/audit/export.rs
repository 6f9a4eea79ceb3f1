//! A copy of the audit log in a folder: what is new is fetched, verified together with what was there, and only then kept.

use std::path::Path;

use bedplate_audit::{Archive, CHECKPOINT, COSIGNED, Fault, VKEY, Verified, VerifierKey, tiles};
use kube::Client;
use serde::Serialize;

use super::folder::Folder;
use super::published;
use crate::error::ClientError;

/// What was fetched and is not verified yet.
const INCOMING: &str = ".incoming";
/// What was fetched once and did not verify: evidence.
const REFUSED: &str = ".refused";

/// What a folder holds now.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    #[serde(flatten)]
    pub verified: Verified,
    /// The key that signs the log, as `--key` takes it. The first export into a folder believes the platform; keep this
    /// elsewhere to know the log again.
    pub key: String,
    /// How many tiles and bundles were fetched.
    pub fetched: u64,
}

/// Brings a folder up to the platform's newest signed checkpoint, in the layout of C2SP tlog-tiles. Fetches what the
/// folder lacks, whatever the reason. The checkpoint is replaced last, and by nothing that does not verify or that the
/// log as it was in the folder is not the beginning of: then the folder stays as it was, and what was fetched is in
/// `.refused`. One export at a time may work in a folder.
///
/// # Errors
/// [`ClientError::Key`] when the platform's key is not the folder's, [`ClientError::Archive`] when the log does not
/// verify, [`ClientError::Refused`] when one may not read it or nothing was signed yet, [`ClientError::Folder`].
pub async fn audit_export(client: &Client, folder: &Path) -> Result<Exported, ClientError> {
    let folder = Folder::at(folder);
    let key = key(client, &folder).await?;
    // Asked for first, so that the checkpoint is no shorter.
    let cosigned = cosigned(client).await?;
    let note = published(client, CHECKPOINT).await?;
    let size = signed_size(&note, &key)?;
    let incoming = folder.emptied(INCOMING)?;
    let fetched = fetch(client, size, &folder, &incoming).await?;
    incoming.write(VKEY, format!("{key}\n").as_bytes())?;
    incoming.write(CHECKPOINT, &note)?;
    let verified = verify(&folder, &incoming, &key).inspect_err(|_| folder.keep(INCOMING, REFUSED))?;
    keep(&folder, &incoming, &fetched, size)?;
    if let Some(cosigned) = cosigned {
        let text = String::from_utf8_lossy(&cosigned).into_owned();
        folder.with_archive(&key, |archive| archive.must_extend(&[&text]))?;
        folder.replace(COSIGNED, &cosigned)?;
    }
    Ok(Exported { verified, key: key.to_string(), fetched: fetched.len() as u64 })
}

async fn key(client: &Client, folder: &Folder) -> Result<VerifierKey, ClientError> {
    let offered: VerifierKey = String::from_utf8_lossy(&published(client, VKEY).await?).parse()?;
    match folder.read(VKEY)? {
        Some(known) if known.trim() != offered.to_string() => {
            Err(ClientError::Key { known: known.trim().to_owned(), offered: offered.to_string() })
        }
        _ => Ok(offered),
    }
}

/// The newest checkpoint that a witness cosigned, if there is one.
async fn cosigned(client: &Client) -> Result<Option<Vec<u8>>, ClientError> {
    match published(client, COSIGNED).await {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// How long the log is, if its key says so: nothing is fetched for anybody else's word.
fn signed_size(note: &[u8], key: &VerifierKey) -> Result<u64, ClientError> {
    let read = |_: &str| Ok(Some(note.to_vec()));
    Ok(Archive::open(&read, key)?.checkpoint().size)
}

async fn fetch(client: &Client, size: u64, folder: &Folder, incoming: &Folder) -> Result<Vec<String>, ClientError> {
    let mut fetched = Vec::new();
    for path in tiles(0, size).map(|tile| tile.to_string()).filter(|path| !folder.has(path)) {
        incoming.write(&path, &published(client, &path).await?)?;
        fetched.push(path);
    }
    Ok(fetched)
}

fn verify(folder: &Folder, incoming: &Folder, key: &VerifierKey) -> Result<Verified, ClientError> {
    let read = |path: &str| incoming.find(path).transpose().or_else(|| folder.find(path).transpose()).transpose();
    let older = folder.read(CHECKPOINT)?;
    let archive = Archive::open(&read, key)?;
    let verified = archive.verify().map_err(|fault| whose(fault, folder, incoming, key))?;
    archive.must_extend(&older.as_deref().into_iter().collect::<Vec<_>>()).map_err(|fault| match fault {
        // Here the note is the folder's own.
        Fault::Note { why } => Fault::Checkpoint { why },
        other => other,
    })?;
    Ok(verified)
}

/// A file that was in the folder and does not fit what was fetched is right if the folder verifies by itself: then it is
/// the platform that tells another story now.
fn whose(fault: Fault, folder: &Folder, incoming: &Folder, key: &VerifierKey) -> Fault {
    let fetched = fault.path().is_some_and(|path| incoming.has(path));
    let before = folder.with_archive(key, |archive| archive.verify());
    match before {
        Ok(before) if !fetched => {
            Fault::Forked { first: 0, last: before.leaves.saturating_sub(1), noted: before.leaves }
        }
        _ => fault,
    }
}

/// Everything is verified: into place with it, the checkpoint after what it speaks of.
fn keep(folder: &Folder, incoming: &Folder, fetched: &[String], size: u64) -> Result<(), ClientError> {
    for path in fetched.iter().map(String::as_str).chain([VKEY, CHECKPOINT]) {
        folder.take(incoming, path)?;
    }
    folder.remove(INCOMING)?;
    // A partial tile may go once it is full (C2SP tlog-tiles); narrower ones stay for the checkpoints they belong to.
    let mut full = tiles(0, size).filter(bedplate_audit::Tile::is_full);
    full.try_for_each(|tile| folder.remove(&format!("{tile}.p")))
}

//! The log as it grows: entries go to the end, hashes of complete subtrees are kept, the root follows.

use bedplate_db::Tx;
use bedplate_types::Digest;
use serde::Serialize;

use crate::entry::MAX_LEAF_BYTES;
use crate::hash::node_hash;
use crate::{AuditError, Entry, leaf_hash, store, tree};

/// How far the log has grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    pub leaves: u64,
    /// The Merkle tree hash over all of them.
    pub root: Digest,
}

/// Adds an entry in the caller's transaction and returns the index of its leaf.
///
/// # Errors
/// [`AuditError::TooLarge`] when the entry has more bytes than a leaf may have, even without its detail;
/// [`AuditError::Node`] when hashes it needs were lost, [`AuditError::Db`].
pub fn append(tx: &mut dyn Tx, entry: &Entry) -> Result<u64, AuditError> {
    let index = store::size(tx)?;
    let body = entry.body();
    if body.len() > MAX_LEAF_BYTES {
        return Err(AuditError::TooLarge { bytes: body.len() });
    }
    let mut hash = leaf_hash(&body);
    store::put_leaf(tx, index, body)?;
    store::put_node(tx, 0, index, &hash)?;
    for level in 0..index.trailing_ones() {
        let left = store::node(tx, level, (index >> level) - 1)?;
        hash = node_hash(&left, &hash);
        store::put_node(tx, level + 1, index >> (level + 1), &hash)?;
    }
    Ok(index)
}

/// The size and the root of the log, from stored hashes.
///
/// # Errors
/// [`AuditError::Node`] when hashes were lost, [`AuditError::Db`].
pub fn head(tx: &mut dyn Tx) -> Result<Head, AuditError> {
    let leaves = store::size(tx)?;
    Ok(Head { leaves, root: root_at(tx, leaves)? })
}

/// The root the log had when it was `size` leaves long.
///
/// # Errors
/// [`AuditError::Missing`] when it is not that long, [`AuditError::Node`] when hashes were lost.
pub fn root_at(tx: &mut dyn Tx, size: u64) -> Result<Digest, AuditError> {
    let leaves = store::size(tx)?;
    if size > leaves {
        return Err(AuditError::Missing { index: leaves });
    }
    tree::root(&mut |level, index| store::node(tx, level, index), size)
}

/// At most `limit` entries from leaf `from` on, each with its index.
///
/// # Errors
/// [`AuditError::Leaf`] or [`AuditError::Entry`] when a leaf is damaged, [`AuditError::Db`].
pub fn entries(tx: &mut dyn Tx, from: u64, limit: u32) -> Result<Vec<(u64, Entry)>, AuditError> {
    store::leaves(tx, from, limit)?.into_iter().map(|(index, body)| Ok((index, read(index, body)?))).collect()
}

fn read(index: u64, body: Option<Vec<u8>>) -> Result<Entry, AuditError> {
    let body = body.ok_or(AuditError::Leaf { index })?;
    serde_json::from_slice(&body).map_err(|source| AuditError::Entry { index, source })
}

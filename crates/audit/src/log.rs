//! The log as it grows: entries go to the end, hashes of complete subtrees are kept, the root follows.

use bedplate_db::Tx;
use bedplate_types::Digest;
use serde::Serialize;

use crate::hash::{empty_root, node_hash, split};
use crate::{AuditError, Entry, leaf_hash, store};

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
/// [`AuditError::Node`] when hashes it needs were lost, [`AuditError::Db`].
pub fn append(tx: &mut dyn Tx, entry: &Entry) -> Result<u64, AuditError> {
    let index = store::size(tx)?;
    let body = entry.body();
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
    match size {
        0 => Ok(empty_root()),
        _ if size > leaves => Err(AuditError::Missing { index: leaves }),
        _ => range_hash(tx, 0, size),
    }
}

/// The hash over the leaves `start..end`, which must be a range that RFC 6962 makes, and not empty.
pub(crate) fn range_hash(tx: &mut dyn Tx, start: u64, end: u64) -> Result<Digest, AuditError> {
    let leaves = end - start;
    if leaves.is_power_of_two() {
        let level = leaves.trailing_zeros();
        return store::node(tx, level, start >> level);
    }
    let middle = start + split(leaves);
    let left = range_hash(tx, start, middle)?;
    Ok(node_hash(&left, &range_hash(tx, middle, end)?))
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

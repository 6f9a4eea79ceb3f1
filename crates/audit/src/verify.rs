//! The log recomputed from its leaves, and compared with every hash and checkpoint that was kept.

use std::collections::VecDeque;

use bedplate_db::Tx;
use bedplate_types::Digest;
use serde::Serialize;

use crate::checkpoint::kept;
use crate::hash::{empty_root, node_hash};
use crate::{AuditError, Checkpoint, PublicKey, leaf_hash, root_at, store};

/// A log that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub leaves: u64,
    pub root: Digest,
    /// How many of the leaves the newest signed checkpoint covers; none when nothing was ever signed.
    pub signed: Option<u64>,
}

const PAGE: u32 = 1_000;

/// Recomputes everything, page by page: time grows with the leaves, memory only with the checkpoints.
///
/// # Errors
/// Where the log was changed: [`AuditError::Leaf`], [`AuditError::Missing`], [`AuditError::Node`], [`AuditError::Root`],
/// [`AuditError::Checkpoint`]; [`AuditError::first_bad_leaf`] has the place.
pub fn verify(tx: &mut dyn Tx, key: &PublicKey) -> Result<Verified, AuditError> {
    let checkpoints = kept(tx)?;
    let signed = checkpoints.last().map(|checkpoint| checkpoint.size);
    if let Some(latest) = checkpoints.last() {
        must_be_signed(latest, key)?;
    }
    let mut recount = Recount::new(checkpoints, *key);
    recount.pass_checkpoints()?;
    loop {
        let page = store::leaves(tx, recount.size, PAGE)?;
        if page.is_empty() {
            break;
        }
        for (index, body) in page {
            recount.add(tx, index, body)?;
        }
    }
    recount.finish(tx)?;
    Ok(Verified { leaves: recount.size, root: recount.root(), signed })
}

/// Checks a checkpoint that was kept elsewhere: that it is signed, and that the log still begins as it says. Run
/// [`verify`] too: this one believes the stored hashes.
///
/// # Errors
/// [`AuditError::Note`], [`AuditError::Checkpoint`] when the signature is another's, [`AuditError::Missing`] when the log
/// is shorter, [`AuditError::Root`] when it is different.
pub fn verify_against(tx: &mut dyn Tx, note: &str, key: &PublicKey) -> Result<Checkpoint, AuditError> {
    let checkpoint = Checkpoint::parse(note)?;
    must_be_signed(&checkpoint, key)?;
    if root_at(tx, checkpoint.size)? != checkpoint.root {
        return Err(AuditError::Root { size: checkpoint.size, first: 0, last: checkpoint.size.saturating_sub(1) });
    }
    Ok(checkpoint)
}

fn must_be_signed(checkpoint: &Checkpoint, key: &PublicKey) -> Result<(), AuditError> {
    if checkpoint.is_signed_by(key) {
        return Ok(());
    }
    Err(AuditError::Checkpoint { size: checkpoint.size, why: "it is not signed by the log's key".into() })
}

/// The state of a pass over the leaves.
struct Recount {
    size: u64,
    /// The roots of the complete subtrees so far, the largest first.
    peaks: Vec<Digest>,
    checkpoints: VecDeque<Checkpoint>,
    /// The size of the last checkpoint that held.
    held: u64,
    key: PublicKey,
}

impl Recount {
    fn new(checkpoints: Vec<Checkpoint>, key: PublicKey) -> Self {
        Self { size: 0, peaks: Vec::new(), checkpoints: checkpoints.into(), held: 0, key }
    }

    fn add(&mut self, tx: &mut dyn Tx, index: u64, body: Option<Vec<u8>>) -> Result<(), AuditError> {
        if index != self.size {
            return Err(AuditError::Missing { index: self.size });
        }
        let mut hash = leaf_hash(&body.ok_or(AuditError::Leaf { index })?);
        if store::stored_node(tx, 0, index)? != Some(hash) {
            return Err(AuditError::Leaf { index });
        }
        for level in 1..=index.trailing_ones() {
            let left = self.peaks.pop().ok_or(AuditError::Missing { index })?;
            hash = node_hash(&left, &hash);
            compare(tx, level, index >> level, &hash)?;
        }
        self.peaks.push(hash);
        self.size += 1;
        self.pass_checkpoints()
    }

    fn root(&self) -> Digest {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or_else(empty_root)
    }

    fn pass_checkpoints(&mut self) -> Result<(), AuditError> {
        let Some(checkpoint) = self.checkpoints.pop_front_if(|next| next.size == self.size) else { return Ok(()) };
        if checkpoint.root != self.root() {
            // Only now is it worth a signature check whether the checkpoint or the leaves are to blame.
            must_be_signed(&checkpoint, &self.key)?;
            return Err(AuditError::Root { size: self.size, first: self.held, last: self.size.saturating_sub(1) });
        }
        self.held = self.size;
        Ok(())
    }

    /// After the last leaf nothing may be left over: leaves that were cut off leave hashes or checkpoints behind.
    fn finish(&self, tx: &mut dyn Tx) -> Result<(), AuditError> {
        let nodes = 2 * self.size - u64::from(self.size.count_ones());
        if store::count_nodes(tx)? != nodes || !self.checkpoints.is_empty() {
            return Err(AuditError::Missing { index: self.size });
        }
        Ok(())
    }
}

fn compare(tx: &mut dyn Tx, level: u32, index: u64, hash: &Digest) -> Result<(), AuditError> {
    let (first, last) = store::span(level, index);
    if store::stored_node(tx, level, index)? == Some(*hash) { Ok(()) } else { Err(AuditError::Node { first, last }) }
}

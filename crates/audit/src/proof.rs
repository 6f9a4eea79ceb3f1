//! That one entry is in the log, shown with a handful of hashes (RFC 9162 sections 2.1.3.1 and 2.1.3.2).

use bedplate_db::Tx;
use bedplate_types::Digest;
use serde::{Deserialize, Serialize};

use crate::hash::node_hash;
use crate::{AuditError, leaf_hash, store, tree};

/// The hashes beside the way from a leaf to the root, the lowest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub index: u64,
    /// The size of the log whose root is proved against.
    pub size: u64,
    pub hashes: Vec<Digest>,
}

/// A proof that leaf `index` is in the log of `size` leaves.
///
/// # Errors
/// [`AuditError::OutOfRange`], [`AuditError::Node`] when hashes were lost.
pub fn prove(tx: &mut dyn Tx, index: u64, size: u64) -> Result<Proof, AuditError> {
    let leaves = store::size(tx)?;
    if index >= size || size > leaves {
        return Err(AuditError::OutOfRange { index, size, leaves });
    }
    let hashes = tree::inclusion(&mut |level, index| store::node(tx, level, index), index, size)?;
    Ok(Proof { index, size, hashes })
}

impl Proof {
    /// Whether a leaf of these bytes is at [`Proof::index`] of the log that has this root.
    #[must_use]
    pub fn verify(&self, body: &[u8], root: &Digest) -> bool {
        self.root(leaf_hash(body)).is_some_and(|computed| computed == *root)
    }

    /// The root this proof leads to from a leaf's hash; none when it has too many or too few hashes.
    fn root(&self, leaf: Digest) -> Option<Digest> {
        let mut node = self.index;
        let mut last = self.size.checked_sub(1).filter(|last| node <= *last)?;
        let mut hash = leaf;
        for beside in &self.hashes {
            if last == 0 {
                return None;
            }
            if node % 2 == 1 || node == last {
                hash = node_hash(beside, &hash);
                // A last node without a sibling is handed up unchanged.
                let up = if node.is_multiple_of(2) { node.trailing_zeros() } else { 0 };
                (node, last) = (node.checked_shr(up)?, last.checked_shr(up)?);
            } else {
                hash = node_hash(&hash, beside);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        (last == 0).then_some(hash)
    }
}

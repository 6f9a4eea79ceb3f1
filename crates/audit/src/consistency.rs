//! That the log of one size begins with the log of a smaller one (RFC 9162 sections 2.1.4.1 and 2.1.4.2).

use bedplate_db::Tx;
use bedplate_types::Digest;
use serde::{Deserialize, Serialize};

use crate::hash::node_hash;
use crate::{AuditError, store, tree};

/// What it takes to compute both roots, the lowest hash first. Empty when `old` is 0 or both sizes are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    pub old: u64,
    pub new: u64,
    pub hashes: Vec<Digest>,
}

/// A proof that the log of `new` leaves begins with that of `old` leaves.
///
/// # Errors
/// [`AuditError::Sizes`] when the log has not had both sizes in this order, [`AuditError::Node`] when hashes were lost.
pub fn prove_consistency(tx: &mut dyn Tx, old: u64, new: u64) -> Result<Consistency, AuditError> {
    let leaves = store::size(tx)?;
    if old > new || new > leaves {
        return Err(AuditError::Sizes { old, new, leaves });
    }
    let hashes = tree::consistency(&mut |level, index| store::node(tx, level, index), old, new)?;
    Ok(Consistency { old, new, hashes })
}

impl Consistency {
    /// Whether the log with the root `new` begins with the log with the root `old`. The log without leaves is the
    /// beginning of every log.
    #[must_use]
    pub fn verify(&self, old: &Digest, new: &Digest) -> bool {
        match (self.old, self.hashes.is_empty()) {
            (0, empty) => empty && *old == crate::hash::empty_root() && (self.new > 0 || old == new),
            (size, true) => size == self.new && old == new,
            _ => self.roots(old).is_some_and(|roots| roots == (*old, *new)),
        }
    }

    /// The two roots this proof leads to; none when it has too many or too few hashes.
    fn roots(&self, old: &Digest) -> Option<(Digest, Digest)> {
        let known = self.old.is_power_of_two().then_some(*old);
        let mut path = known.into_iter().chain(self.hashes.iter().copied());
        let mut node = self.old.checked_sub(1)?;
        let mut last = self.new.checked_sub(1).filter(|last| node < *last)?;
        (node, last) = up(node, last, node.trailing_ones());
        let first = path.next()?;
        let (mut older, mut newer) = (first, first);
        for beside in path {
            if last == 0 {
                return None;
            }
            if node % 2 == 1 || node == last {
                (older, newer) = (node_hash(&beside, &older), node_hash(&beside, &newer));
                // A last node without a sibling is handed up unchanged.
                let unpaired = if node.is_multiple_of(2) { node.trailing_zeros() } else { 0 };
                (node, last) = up(node, last, unpaired);
            } else {
                newer = node_hash(&newer, &beside);
            }
            (node, last) = up(node, last, 1);
        }
        (last == 0).then_some((older, newer))
    }
}

/// Both nodes so many levels higher; beyond the top there is only the root.
fn up(node: u64, last: u64, levels: u32) -> (u64, u64) {
    (node.checked_shr(levels).unwrap_or(0), last.checked_shr(levels).unwrap_or(0))
}

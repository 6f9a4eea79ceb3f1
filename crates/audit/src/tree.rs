//! What RFC 6962 derives from the hashes of complete subtrees, wherever those are kept.
//!
//! A node is asked for by level and index: node `(l, i)` is the hash over the leaves `i * 2^l .. (i + 1) * 2^l`.

use bedplate_types::Digest;

use crate::hash::{empty_root, node_hash, split};

pub(crate) type Nodes<'a, E> = dyn FnMut(u32, u64) -> Result<Digest, E> + 'a;

/// The hash over the leaves `start..end`, which must be a range that RFC 6962 makes, and not empty.
pub(crate) fn range_hash<E>(nodes: &mut Nodes<'_, E>, start: u64, end: u64) -> Result<Digest, E> {
    let leaves = end - start;
    if leaves.is_power_of_two() {
        let level = leaves.trailing_zeros();
        return nodes(level, start >> level);
    }
    let middle = start + split(leaves);
    let left = range_hash(nodes, start, middle)?;
    Ok(node_hash(&left, &range_hash(nodes, middle, end)?))
}

/// The root over the first `size` leaves.
pub(crate) fn root<E>(nodes: &mut Nodes<'_, E>, size: u64) -> Result<Digest, E> {
    if size == 0 { Ok(empty_root()) } else { range_hash(nodes, 0, size) }
}

/// PATH(index, D\[size\]) of RFC 6962 section 2.1.1, for `index < size`.
pub(crate) fn inclusion<E>(nodes: &mut Nodes<'_, E>, index: u64, size: u64) -> Result<Vec<Digest>, E> {
    let (mut start, mut end, mut hashes) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            hashes.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            hashes.push(range_hash(nodes, start, middle)?);
            start = middle;
        }
    }
    hashes.reverse();
    Ok(hashes)
}

/// PROOF(old, D\[new\]) of RFC 6962 section 2.1.2, for `old <= new`; empty when `old` is 0 or `new`.
pub(crate) fn consistency<E>(nodes: &mut Nodes<'_, E>, old: u64, new: u64) -> Result<Vec<Digest>, E> {
    let (mut start, mut end, mut hashes) = (0, new, Vec::new());
    while 0 < old && old < end {
        let middle = start + split(end - start);
        if old <= middle {
            hashes.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            hashes.push(range_hash(nodes, start, middle)?);
            start = middle;
        }
    }
    if start > 0 {
        hashes.push(range_hash(nodes, start, end)?);
    }
    hashes.reverse();
    Ok(hashes)
}

/// The hash over consecutive nodes of one level: the root of a tree that has them for leaves.
pub(crate) fn fold(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => empty_root(),
        [hash] => *hash,
        _ => {
            let size = hashes.len() as u64;
            let (left, right) = hashes.split_at(usize::try_from(split(size)).unwrap_or(1));
            node_hash(&fold(left), &fold(right))
        }
    }
}

//! Who is to blame when the tiles of the right edge do not lead to the signed root.

use bedplate_types::Digest;

use super::Archive;
use crate::hash::{empty_root, node_hash};
use crate::tile::{TILE_WIDTH, Tile, edge, tiles};
use crate::{Fault, leaf_hash, tree};

impl Archive<'_> {
    /// If the leaves lead to the signed root, a tile of the edge is at fault; else whatever disagrees with what is below
    /// it, the lowest and leftmost first.
    pub(super) fn blame(&self) -> Fault {
        let blamed = self.rebuild().and_then(|rebuilt| {
            if rebuilt.root() == self.checkpoint.root { self.compare_edge(&rebuilt) } else { self.compare_all() }
        });
        let last = self.checkpoint.size.saturating_sub(1);
        blamed.err().unwrap_or(Fault::Root { first: 0, last })
    }

    fn rebuild(&self) -> Result<Rebuilt, Fault> {
        let mut rebuilt = Rebuilt::default();
        for tile in self.lowest() {
            self.leaves(&tile, &mut |_, leaf| {
                rebuilt.push(0, leaf_hash(leaf));
                Ok(())
            })?;
        }
        Ok(rebuilt)
    }

    fn compare_edge(&self, rebuilt: &Rebuilt) -> Result<(), Fault> {
        for tile in edge(self.checkpoint.size) {
            let level = usize::try_from(tile.level()).unwrap_or_default();
            if rebuilt.0.get(level) != Some(&self.hashes(&tile)?) {
                return Err(Fault::Tile { path: tile.to_string(), first: tile.first_leaf() });
            }
        }
        Ok(())
    }

    fn compare_all(&self) -> Result<(), Fault> {
        for tile in self.lowest() {
            self.compare_leaves(&tile, &self.hashes(&tile)?)?;
        }
        for tile in tiles(0, self.checkpoint.size).filter(|tile| tile.level() > 0) {
            for (index, hash) in (tile.start()..).zip(self.hashes(&tile)?) {
                if tree::fold(&self.child(&tile, index)?.1) != hash {
                    return Err(Fault::Tile { path: tile.to_string(), first: tile.first_leaf() });
                }
            }
        }
        Ok(())
    }

    fn lowest(&self) -> impl Iterator<Item = Tile> {
        let size = self.checkpoint.size;
        (0..size.div_ceil(TILE_WIDTH)).filter_map(move |index| Tile::hashes(0, index, size))
    }
}

/// The tiles of the right edge as the leaves make them, the lowest level first.
#[derive(Default)]
struct Rebuilt(Vec<Vec<Digest>>);

impl Rebuilt {
    fn push(&mut self, level: usize, hash: Digest) {
        if self.0.len() <= level {
            self.0.resize(level + 1, Vec::new());
        }
        let Some(hashes) = self.0.get_mut(level) else { return };
        hashes.push(hash);
        if hashes.len() as u64 == TILE_WIDTH {
            let full = tree::fold(hashes);
            hashes.clear();
            self.push(level + 1, full);
        }
    }

    fn root(&self) -> Digest {
        let mut peaks = self.0.iter().flat_map(|hashes| peaks(hashes));
        let lowest = peaks.next().unwrap_or_else(empty_root);
        peaks.fold(lowest, |right, left| node_hash(&left, &right))
    }
}

/// The roots of the complete subtrees that hashes fall into, the smallest first.
fn peaks(hashes: &[Digest]) -> Vec<Digest> {
    let (mut rest, mut peaks) = (hashes, Vec::new());
    while !rest.is_empty() {
        let (before, last) = rest.split_at(rest.len() - (1 << rest.len().trailing_zeros()));
        peaks.push(tree::fold(last));
        rest = before;
    }
    peaks
}

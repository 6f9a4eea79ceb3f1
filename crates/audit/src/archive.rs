//! An exported log, read from its bytes alone: no database, no platform.

mod blame;

use std::io;

use bedplate_types::Digest;

use crate::bundle;
use crate::export::{CHECKPOINT, MAX_FILE_BYTES};
use crate::receipt::Receipt;
use crate::tile::{TILE_WIDTH, Tile, edge};
use crate::{Checkpoint, Fault, Proof, Verified, VerifierKey, leaf_hash, tree};

/// Reads the file at a path of the export; none when there is no such file.
pub type Read<'a> = dyn Fn(&str) -> io::Result<Option<Vec<u8>>> + 'a;

type EachLeaf<'a> = dyn FnMut(u64, &[u8]) -> Result<(), Fault> + 'a;

/// An export whose checkpoint is signed by the key it was opened with.
pub struct Archive<'a> {
    read: &'a Read<'a>,
    checkpoint: Checkpoint,
    key: VerifierKey,
}

impl<'a> Archive<'a> {
    /// Reads the checkpoint and believes it if `key` signed it; the rest is not looked at yet.
    ///
    /// # Errors
    /// [`Fault::Checkpoint`], [`Fault::Absent`], [`Fault::Read`].
    pub fn open(read: &'a Read<'a>, key: &VerifierKey) -> Result<Self, Fault> {
        let found = read(CHECKPOINT).map_err(|source| Fault::Read { path: CHECKPOINT.into(), source })?;
        let note = found.ok_or_else(|| Fault::Absent { path: CHECKPOINT.into(), first: 0 })?;
        let checkpoint = signed(&note, key).map_err(|why| Fault::Checkpoint { why })?;
        Ok(Self { read, checkpoint, key: key.clone() })
    }

    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Recomputes everything from the leaves up to the signed root. Time grows with the leaves; memory holds one bundle
    /// and a tile a level.
    ///
    /// # Errors
    /// The [`Fault`] with its place. One changed, missing or shortened file is named itself, whichever it is.
    pub fn verify(&self) -> Result<Verified, Fault> {
        let size = self.checkpoint.size;
        if self.root_at(size)? != self.checkpoint.root {
            return Err(self.blame());
        }
        for tile in edge(size) {
            self.descend(&tile, &self.hashes(&tile)?)?;
        }
        Ok(Verified { leaves: size, root: self.checkpoint.root, signed: Some(size) })
    }

    /// Holds the log against checkpoints of it that were kept elsewhere. Believes the tiles: [`Archive::verify`] first.
    ///
    /// # Errors
    /// [`Fault::Note`] when one is not a checkpoint this log's key signed, [`Fault::Shorter`], [`Fault::Forked`] with
    /// the leaves between the last note that holds and the first that does not.
    pub fn must_extend(&self, notes: &[&str]) -> Result<(), Fault> {
        let read = notes.iter().map(|note| signed(note.as_bytes(), &self.key).map_err(|why| Fault::Note { why }));
        let mut older = read.collect::<Result<Vec<_>, _>>()?;
        older.sort_by_key(|note| note.size);
        let mut first = 0;
        for note in older {
            if note.size > self.checkpoint.size {
                return Err(Fault::Shorter { leaves: self.checkpoint.size, noted: note.size });
            }
            if self.root_at(note.size)? != note.root {
                return Err(Fault::Forked { first, last: note.size.saturating_sub(1), noted: note.size });
            }
            first = note.size;
        }
        Ok(())
    }

    /// A leaf with the proof that it is in the log. Believes the tiles: [`Archive::verify`] first.
    ///
    /// # Errors
    /// [`Fault::OutOfRange`], and when files are missing or too short.
    pub fn prove(&self, index: u64) -> Result<Receipt, Fault> {
        let size = self.checkpoint.size;
        let beyond = Fault::OutOfRange { index, leaves: size };
        let tile = Tile::hashes(0, index / TILE_WIDTH, size).filter(|_| index < size).ok_or(beyond)?;
        let mut body = None;
        self.leaves(&tile, &mut |at, leaf| {
            if at == index {
                body = Some(leaf.to_vec());
            }
            Ok(())
        })?;
        let body = body.ok_or(Fault::OutOfRange { index, leaves: size })?;
        let hashes = tree::inclusion(&mut |level, index| self.node(level, index), index, size)?;
        Ok(Receipt { body, proof: Proof { index, size, hashes }, checkpoint: self.checkpoint.clone() })
    }

    fn root_at(&self, size: u64) -> Result<Digest, Fault> {
        tree::root(&mut |level, index| self.node(level, index), size)
    }

    /// The hash over `2^level` leaves, from the tile at or below that level.
    fn node(&self, level: u32, index: u64) -> Result<Digest, Fault> {
        let (tall, low) = (level / 8, level % 8);
        let start = index << low;
        let beyond = Fault::OutOfRange { index: index << level, leaves: self.checkpoint.size };
        let tile = Tile::hashes(tall, start / TILE_WIDTH, self.checkpoint.size).ok_or(beyond)?;
        let hashes = self.hashes(&tile)?;
        let under = hashes.iter().skip(usize::try_from(start % TILE_WIDTH).unwrap_or_default()).take(1 << low);
        Ok(tree::fold(&under.copied().collect::<Vec<_>>()))
    }

    /// Everything below a tile that is known to be right is right too, or is found.
    fn descend(&self, tile: &Tile, hashes: &[Digest]) -> Result<(), Fault> {
        if tile.level() == 0 {
            return self.compare_leaves(tile, hashes);
        }
        for (index, hash) in (tile.start()..).zip(hashes) {
            let (child, below) = self.child(tile, index)?;
            if tree::fold(&below) != *hash {
                return Err(Fault::Tile { path: child.to_string(), first: child.first_leaf() });
            }
            self.descend(&child, &below)?;
        }
        Ok(())
    }

    /// The full tile whose root is hash `index` of the level of `tile`.
    fn child(&self, tile: &Tile, index: u64) -> Result<(Tile, Vec<Digest>), Fault> {
        let beyond = Fault::OutOfRange { index: tile.first_leaf(), leaves: self.checkpoint.size };
        let child = Tile::hashes(tile.level() - 1, index, self.checkpoint.size).ok_or(beyond)?;
        let hashes = self.hashes(&child)?;
        Ok((child, hashes))
    }

    fn compare_leaves(&self, tile: &Tile, hashes: &[Digest]) -> Result<(), Fault> {
        let mut hashes = hashes.iter();
        self.leaves(tile, &mut |index, leaf| match hashes.next() {
            Some(hash) if *hash == leaf_hash(leaf) => Ok(()),
            _ => Err(Fault::Leaf { path: tile.bundle().to_string(), index }),
        })
    }

    /// Calls `each` with every leaf of a tile of level 0, from its bundle.
    fn leaves(&self, tile: &Tile, each: &mut EachLeaf<'_>) -> Result<(), Fault> {
        let bundle = tile.bundle();
        let bytes = self.file(&bundle)?;
        let (path, mut rest) = (bundle.to_string(), &bytes[..]);
        let end = tile.start() + tile.width();
        for index in tile.start()..end {
            let leaf = bundle::pop(&mut rest).ok_or_else(|| Fault::Cut { path: path.clone(), index })?;
            each(index, leaf)?;
        }
        if rest.is_empty() { Ok(()) } else { Err(Fault::Surplus { path, index: end - 1 }) }
    }

    fn hashes(&self, tile: &Tile) -> Result<Vec<Digest>, Fault> {
        let bytes = self.file(tile)?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() as u64 != tile.width() {
            let expected = usize::try_from(tile.width()).unwrap_or_default() * 32;
            let (path, first) = (tile.to_string(), tile.first_leaf());
            return Err(Fault::Length { path, first, expected, found: bytes.len() });
        }
        Ok(hashes.iter().copied().map(Digest::from_sha256).collect())
    }

    fn file(&self, tile: &Tile) -> Result<Vec<u8>, Fault> {
        let (path, first) = (tile.to_string(), tile.first_leaf());
        match (self.read)(&path) {
            Ok(Some(bytes)) if bytes.len() <= MAX_FILE_BYTES => Ok(bytes),
            Ok(Some(bytes)) => Err(Fault::Length { path, first, expected: MAX_FILE_BYTES, found: bytes.len() }),
            Ok(None) => Err(Fault::Absent { path, first }),
            Err(source) => Err(Fault::Read { path, source }),
        }
    }
}

fn signed(note: &[u8], key: &VerifierKey) -> Result<Checkpoint, String> {
    let note = std::str::from_utf8(note).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint::parse(note).map_err(|error| error.to_string())?;
    if checkpoint.is_signed(key) { Ok(checkpoint) } else { Err(format!("it is not signed by {key}")) }
}

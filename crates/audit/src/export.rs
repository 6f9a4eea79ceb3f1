//! The log as static files, in the layout of C2SP tlog-tiles: what is signed, and nothing after it.

use bedplate_db::Tx;
use bedplate_types::Digest;

use crate::bundle;
use crate::cosigned::{COSIGNED, cosigned_checkpoint, with_kept};
use crate::tile::{Content, Tile, tiles};
use crate::{AuditError, Checkpoint, PublicKey, VerifierKey, latest_checkpoint, store};

/// The path of the newest signed checkpoint, with the cosignatures there are; with [`COSIGNED`] the only one whose bytes change.
pub const CHECKPOINT: &str = "checkpoint";
/// The path of the key that signed it, a verifier key and a newline. It is beside what tlog-tiles asks for.
pub const VKEY: &str = "vkey";
/// No file of an export is longer: a full bundle of the largest leaves.
pub const MAX_FILE_BYTES: usize = 256 * (2 + 65_535);

/// Takes a file of the export: its path and its bytes.
pub type Write<'a, E> = dyn FnMut(&str, &[u8]) -> Result<(), E> + 'a;

/// Hands out everything a reader lacks who has the export of the log's first `had` leaves (0: who has nothing): tiles
/// and bundles, then [`VKEY`], [`COSIGNED`] where a witness cosigned, and [`CHECKPOINT`] last. A partial tile has a path of its own, so nothing handed out
/// earlier changes but the checkpoints. Holds one tile or bundle in memory at a time. Returns the checkpoint; none when
/// nothing was ever signed.
///
/// # Errors
/// What `write` returns, and as [`read_tile`].
pub fn export<E: From<AuditError>>(
    tx: &mut dyn Tx,
    key: &PublicKey,
    had: u64,
    write: &mut Write<'_, E>,
) -> Result<Option<Checkpoint>, E> {
    let Some(checkpoint) = latest_checkpoint(tx)? else { return Ok(None) };
    for tile in tiles(had.min(checkpoint.size), checkpoint.size) {
        write(&tile.to_string(), &read_tile(tx, &tile)?)?;
    }
    write(VKEY, vkey(&checkpoint, key).as_bytes())?;
    if let Some(cosigned) = cosigned_checkpoint(tx)? {
        write(COSIGNED, cosigned.note.as_bytes())?;
    }
    let checkpoint = with_kept(tx, checkpoint)?;
    write(CHECKPOINT, checkpoint.note.as_bytes())?;
    Ok(Some(checkpoint))
}

/// The bytes at a path of the export; none when there is nothing there, or nothing signed yet.
///
/// # Errors
/// As [`read_tile`], [`AuditError::Checkpoint`] when the checkpoint that was kept is none any more.
pub fn published(tx: &mut dyn Tx, key: &PublicKey, path: &str) -> Result<Option<Vec<u8>>, AuditError> {
    let Some(checkpoint) = latest_checkpoint(tx)? else { return Ok(None) };
    match path {
        CHECKPOINT => Ok(Some(with_kept(tx, checkpoint)?.note.into_bytes())),
        COSIGNED => Ok(cosigned_checkpoint(tx)?.map(|cosigned| cosigned.note.into_bytes())),
        VKEY => Ok(Some(vkey(&checkpoint, key).into_bytes())),
        _ => {
            let tile = path.parse::<Tile>().ok().filter(|tile| tile.is_within(checkpoint.size));
            tile.map(|tile| read_tile(tx, &tile)).transpose()
        }
    }
}

fn vkey(checkpoint: &Checkpoint, key: &PublicKey) -> String {
    format!("{}\n", VerifierKey::of_log(&checkpoint.origin, *key))
}

/// A tile from the stored hashes, or a bundle from the stored leaves.
///
/// # Errors
/// [`AuditError::Node`] or [`AuditError::Missing`] when hashes or leaves were lost, [`AuditError::Leaf`] when a leaf is
/// not bytes any more, [`AuditError::NoRoom`] when it was stored before leaves were limited, [`AuditError::Db`].
pub fn read_tile(tx: &mut dyn Tx, tile: &Tile) -> Result<Vec<u8>, AuditError> {
    match tile.content() {
        Content::Hashes { level } => hashes(tx, tile, 8 * level),
        Content::Entries => entries(tx, tile),
    }
}

fn hashes(tx: &mut dyn Tx, tile: &Tile, level: u32) -> Result<Vec<u8>, AuditError> {
    let found = store::nodes(tx, level, tile.start(), tile.width())?;
    let mut bytes = Vec::with_capacity(32 * found.len());
    for (offset, hash) in (0..tile.width()).zip(found.into_iter().map(Some).chain(std::iter::repeat(None))) {
        let expected = tile.start() + offset;
        let (first, last) = store::span(level, expected);
        let hash: Option<Digest> = hash.filter(|(index, _)| *index == expected).and_then(|(_, hash)| hash);
        bytes.extend_from_slice(hash.ok_or(AuditError::Node { first, last })?.as_bytes());
    }
    Ok(bytes)
}

fn entries(tx: &mut dyn Tx, tile: &Tile) -> Result<Vec<u8>, AuditError> {
    let limit = u32::try_from(tile.width()).unwrap_or_default();
    let mut found = store::leaves(tx, tile.start(), limit)?.into_iter();
    let mut bytes = Vec::new();
    for expected in tile.start()..tile.start() + tile.width() {
        let leaf = found.next().filter(|(index, _)| *index == expected);
        let (index, body) = leaf.ok_or(AuditError::Missing { index: expected })?;
        bundle::push(&mut bytes, index, &body.ok_or(AuditError::Leaf { index })?)?;
    }
    Ok(bytes)
}

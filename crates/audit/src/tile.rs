//! The pieces a log is published in, and their names (C2SP tlog-tiles).

use std::fmt;
use std::str::FromStr;

use crate::note::decimal;

/// A full tile has this many hashes, a full bundle this many entries.
pub const TILE_WIDTH: u64 = 256;

/// More levels a log of 2^64 leaves does not have.
const LEVELS: u32 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The hashes over `256^level` leaves each; level 0: of the leaves.
    Hashes { level: u32 },
    /// The leaves themselves: an entry bundle.
    Entries,
}

/// A tile's place in the log. Written as its path: `tile/0/x001/234.p/5`, `tile/entries/000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    content: Content,
    index: u64,
    /// From 1 to [`TILE_WIDTH`]; a tile of fewer is partial.
    width: u64,
}

impl Tile {
    /// The tile of hashes at this place of a log of `size` leaves; none when the log has no leaf or full tile for it.
    pub(crate) fn hashes(level: u32, index: u64, size: u64) -> Option<Self> {
        let before = index.checked_mul(TILE_WIDTH)?;
        let width = at_level(size, level).checked_sub(before).filter(|width| *width > 0)?.min(TILE_WIDTH);
        Some(Self { content: Content::Hashes { level }, index, width })
    }

    /// The bundle of the entries whose hashes are in a tile of level 0.
    pub(crate) fn bundle(self) -> Self {
        Self { content: Content::Entries, ..self }
    }

    #[must_use]
    pub fn content(&self) -> Content {
        self.content
    }

    #[must_use]
    pub fn width(&self) -> u64 {
        self.width
    }

    /// The number of its first hash among those of its level, or of its first entry.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The first leaf it speaks of.
    #[must_use]
    pub fn first_leaf(&self) -> u64 {
        self.start().checked_shl(8 * self.level()).unwrap_or(u64::MAX)
    }

    /// Whether a log of `size` leaves has it, perhaps as the beginning of a wider one.
    #[must_use]
    pub fn is_within(&self, size: u64) -> bool {
        self.start().checked_add(self.width).is_some_and(|end| end <= at_level(size, self.level()))
    }

    pub(crate) fn level(&self) -> u32 {
        match self.content {
            Content::Hashes { level } => level,
            Content::Entries => 0,
        }
    }
}

/// How many hashes a log of `size` leaves has at a level of tiles.
fn at_level(size: u64, level: u32) -> u64 {
    size.checked_shr(8 * level).unwrap_or(0)
}

/// The tiles and bundles of a log of `size` leaves that it did not have when it had `had` leaves; bundles come after the
/// tile of their hashes, and each level after the one below.
pub fn tiles(had: u64, size: u64) -> impl Iterator<Item = Tile> {
    (0..LEVELS).flat_map(move |level| {
        let (before, after) = (at_level(had, level), at_level(size, level));
        let end = if before < after { after.div_ceil(TILE_WIDTH) } else { 0 };
        let hashes = (before / TILE_WIDTH..end).filter_map(move |index| Tile::hashes(level, index, size));
        hashes.flat_map(move |tile| [Some(tile), (level == 0).then(|| tile.bundle())]).flatten()
    })
}

/// The partial tiles of hashes of a log of `size` leaves, the highest level first: together they make its root.
pub(crate) fn edge(size: u64) -> impl Iterator<Item = Tile> {
    (0..LEVELS).rev().filter_map(move |level| {
        let tile = Tile::hashes(level, at_level(size, level) / TILE_WIDTH, size)?;
        (!tile.is_full()).then_some(tile)
    })
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes { level } => write!(f, "tile/{level}")?,
            Content::Entries => f.write_str("tile/entries")?,
        }
        let groups: Vec<u64> = (1..7).map(|group| self.index / 1_000_u64.pow(group)).take_while(|n| *n > 0).collect();
        for group in groups.iter().rev() {
            write!(f, "/x{:03}", group % 1_000)?;
        }
        write!(f, "/{:03}", self.index % 1_000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// This text names no tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the path of a tile: tile/<level>/<index>[.p/<width>] or tile/entries/<index>[.p/<width>]")]
pub struct NotATile;

impl FromStr for Tile {
    type Err = NotATile;

    fn from_str(path: &str) -> Result<Self, NotATile> {
        parse(path).filter(|tile| tile.to_string() == path).ok_or(NotATile)
    }
}

/// Lenient where writing it again shows the difference.
fn parse(path: &str) -> Option<Tile> {
    let (content, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let content = match content {
        "entries" => Content::Entries,
        level => Content::Hashes { level: decimal(level).and_then(|level| level.try_into().ok())? },
    };
    let (index, width) = rest.split_once(".p/").map_or((rest, Some(TILE_WIDTH)), |(index, w)| (index, decimal(w)));
    let width = width.filter(|width| (1..=TILE_WIDTH).contains(width))?;
    let digits = index.replace("/x", "");
    let index: u64 = digits.strip_prefix('x').unwrap_or(&digits).replace('/', "").parse().ok()?;
    let tile = Tile { content, index, width };
    // No log is so long that a tile's place overflows.
    (tile.level() < LEVELS && index <= u64::MAX >> 8 >> (8 * tile.level())).then_some(tile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(had: u64, size: u64) -> Vec<String> {
        tiles(had, size).map(|tile| tile.to_string()).collect()
    }

    #[test]
    fn is_laid_out_as_the_specifications_example() {
        let all = paths(0, 70_000);
        let count = |prefix: &str| all.iter().filter(|path| path.starts_with(prefix)).count();
        assert_eq!([count("tile/0/"), count("tile/entries/"), count("tile/1/"), count("tile/2/")], [274, 274, 2, 1]);
        for last in ["tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"] {
            assert!(all.contains(&last.to_owned()), "{last}");
        }
        assert_eq!(paths(0, 256), ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"]);
        assert_eq!((paths(0, 0), paths(70_000, 70_000)), (vec![], vec![]));
    }

    #[test]
    fn a_longer_log_needs_only_what_is_new() {
        assert_eq!(paths(10, 12), ["tile/0/000.p/12", "tile/entries/000.p/12"]);
        assert_eq!(paths(255, 256), ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"]);
        assert_eq!(paths(256, 257), ["tile/0/001.p/1", "tile/entries/001.p/1"]);
        let all: Vec<_> = tiles(600, 66_000).collect();
        assert!(all.iter().all(|tile| tile.is_within(66_000) && !tile.is_within(600)));
    }

    #[test]
    fn a_path_reads_as_it_is_written() {
        for path in ["tile/0/x001/x234/067", "tile/63/000", "tile/7/000.p/255", "tile/entries/x001/000.p/1"] {
            assert_eq!(path.parse::<Tile>().is_ok_and(|tile| tile.to_string() == path), !path.contains("63"), "{path}");
        }
        let tile: Tile = "tile/1/x001/234.p/17".parse().unwrap();
        assert_eq!((tile.start(), tile.width(), tile.first_leaf()), (1_234 * 256, 17, 1_234 * 65_536));
        for bad in [
            "",
            "tile/0",
            "tile/00/000",
            "tile/8/000",
            "tile/0/0",
            "tile/0/1000",
            "tile/0/x000/001",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/../000",
            "tile/0/x001/x000",
            "tile/0/+01",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "/tile/0/000",
            "tile/entries/000/",
        ] {
            assert_eq!(bad.parse::<Tile>(), Err(NotATile), "{bad}");
        }
    }

    #[test]
    fn the_farthest_tile_that_has_a_name_is_in_no_log() {
        let tile = Tile { content: Content::Entries, index: u64::MAX >> 8, width: TILE_WIDTH };
        let read: Tile = tile.to_string().parse().unwrap();
        assert_eq!(read, tile);
        assert!(!read.is_within(u64::MAX) && "tile/entries/x072/x057/x594/x037/x927/936".parse::<Tile>().is_err());
    }

    #[test]
    fn the_edge_is_what_is_partial() {
        let edge = |size| super::edge(size).map(|tile| tile.to_string()).collect::<Vec<_>>();
        assert_eq!(edge(70_000), ["tile/2/000.p/1", "tile/1/001.p/17", "tile/0/273.p/112"]);
        assert_eq!(edge(256), ["tile/1/000.p/1"]);
        assert!(edge(0).is_empty());
    }
}

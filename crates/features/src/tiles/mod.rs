//! Windows by tiles: aligned stretches of time, whose rows are aggregated once for all windows that hold them whole.
//!
//! A tile's width is a power of four in microseconds that is a function of the window alone: 32 to 128 tiles cover a window,
//! and features with similar windows share them. The value of a window is *defined* by its tiles: the window's rows are
//! grouped by tile, each group is aggregated in the order of rows, and the groups' partials are merged in the order of time.
//! So it is exact, and it is the same to the last bit whether a tile's partial was made before or is made of its rows now; the
//! tiles at the window's two edges, which it holds in part, always are.

mod layer;
mod partial;

use std::ops::Range;

use bedplate_kinds::Aggregate;
use bedplate_types::Span;

use layer::Layer;
pub(crate) use partial::{Extremes, Moments, Partial, Sums};

use crate::ViewDefinition;

/// Tiles that cover a window, at least; four times as many at most. Windows of a few microseconds have fewer.
const TILES: i64 = 32;

/// The logarithm to base two of the width of a window's tiles in microseconds: the tile of `time` is `time >> shift`.
pub(crate) fn shift(window: Option<Span>) -> u32 {
    let width = window.map_or(i64::MAX, Span::micros) / TILES;
    // Rounded down to an even number, so that the width is a power of four.
    width.checked_ilog2().unwrap_or(0) & !1
}

/// What is kept of a group of rows, by what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sums,
    Extremes,
    Moments,
    Distinct,
    Quantiles,
}

impl Kind {
    fn of(aggregate: Aggregate) -> Option<Self> {
        match aggregate {
            Aggregate::Last => None,
            Aggregate::Count | Aggregate::Sum | Aggregate::Mean => Some(Self::Sums),
            Aggregate::Min | Aggregate::Max => Some(Self::Extremes),
            Aggregate::Std => Some(Self::Moments),
            Aggregate::Distinct => Some(Self::Distinct),
            Aggregate::Quantile => Some(Self::Quantiles),
        }
    }
}

/// The tiles of one entity's rows that are worth keeping: those of many rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tiles(Vec<Layer>);

impl Tiles {
    /// Those that the view's windows are made of. `positions` are the definition's own.
    pub(crate) fn of(def: &ViewDefinition, positions: &[usize]) -> Self {
        let mut tiles = Self::default();
        for (feature, column) in def.features.iter().zip(positions) {
            if let Some(kind) = Kind::of(feature.aggregate) {
                tiles.layer(shift(feature.window)).keep(kind, *column);
            }
        }
        tiles
    }

    fn layer(&mut self, shift: u32) -> &mut Layer {
        let place = self.0.iter().position(|layer| layer.shift == shift).unwrap_or_else(|| {
            self.0.push(Layer::new(shift));
            self.0.len() - 1
        });
        &mut self.0[place]
    }

    /// Takes in the last of the rows.
    pub(crate) fn push(&mut self, times: &[i64], columns: &[Vec<f64>]) {
        self.0.iter_mut().for_each(|layer| layer.push(times, columns));
    }

    pub(crate) fn clear(&mut self) {
        self.0.iter_mut().for_each(Layer::clear);
    }

    /// What they hold, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(Layer::bytes).sum()
    }

    /// Which rows are in tiles, and what is kept of each.
    fn kept<P: Partial>(&self, shift: u32, column: usize) -> Option<(&[Range<u32>], &[P])> {
        self.0.iter().find(|layer| layer.shift == shift)?.kept(column)
    }
}

/// Rows of one column of one entity, and the tiles of the entity's rows where they are kept.
#[derive(Clone, Copy)]
pub(crate) struct Lane<'a> {
    pub times: &'a [i64],
    /// As long as `times`.
    pub values: &'a [f64],
    pub tiles: Option<&'a Tiles>,
    /// Which of the view's columns it is.
    pub column: usize,
}

impl Lane<'_> {
    /// The partial of the rows in `range`, of a window whose tiles have the width 2^`shift`.
    pub(crate) fn fold<P: Partial>(&self, shift: u32, range: Range<usize>) -> P {
        let (bounds, partials) = self.tiles.and_then(|tiles| tiles.kept::<P>(shift, self.column)).unwrap_or((&[], &[]));
        let mut next = bounds.partition_point(|tile| (tile.start as usize) < range.start);
        let (mut whole, mut row) = (P::default(), range.start);
        while row < range.end {
            // Where the window ends within a tile, so do its rows.
            let is_whole = |tile: &&Range<u32>| tile.start as usize == row && tile.end as usize <= range.end;
            if let Some(tile) = bounds.get(next).filter(is_whole) {
                whole.merge(&partials[next]);
                row = tile.end as usize;
                next += 1;
                continue;
            }
            let end = row + self.rows_of_tile(shift, row..range.end);
            whole.merge(&P::of(&self.values[row..end]));
            row = end;
        }
        whole
    }

    /// How many of the rows are in the tile of the first.
    fn rows_of_tile(&self, shift: u32, range: Range<usize>) -> usize {
        let tile = self.times[range.start] >> shift;
        let times = &self.times[range];
        times.iter().position(|time| time >> shift != tile).unwrap_or(times.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_32_to_128_tiles_whose_width_is_a_power_of_four() {
        for micros in (0..63).flat_map(|bit| [1_i64 << bit, (1 << bit) + 1, (1 << bit).max(2) - 1]).chain([i64::MAX]) {
            let shift = shift(Some(Span::from_micros(micros)));
            assert_eq!(shift % 2, 0);
            let tiles = micros >> shift;
            assert!((32..128).contains(&tiles) || (micros < 32 && shift == 0), "{micros}: {tiles}");
        }
        let (week, month) = (Span::from_micros(7 * 86_400_000_000), Span::from_micros(30 * 86_400_000_000));
        assert_eq!((shift(Some(week)), shift(Some(month))), (34, 36));
    }
}

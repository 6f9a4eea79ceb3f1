//! The tiles of one width.

use std::ops::Range;

use bedplate_sketches::{Distinct, Quantiles};

use super::{Extremes, Kind, Moments, Partial, Sums};

/// Rows from which on a tile is kept: fewer are aggregated about as fast as they are merged.
const MANY: usize = 8;

/// The tiles of one width that have many rows, for each column what its aggregates need of them.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub shift: u32,
    /// Which rows each kept tile has, rising. The last may be the open one, which later rows still fall into.
    bounds: Vec<Range<u32>>,
    /// The first row of the open tile.
    open: usize,
    columns: Vec<(usize, Kept)>,
}

/// One partial for each kept tile.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Sums(Vec<Sums>),
    Extremes(Vec<Extremes>),
    Moments(Vec<Moments>),
    Distinct(Vec<Distinct>),
    Quantiles(Vec<Quantiles>),
}

impl Layer {
    pub fn new(shift: u32) -> Self {
        Self { shift, bounds: Vec::new(), open: 0, columns: Vec::new() }
    }

    /// Has such partials of a column kept from now on: before the first row.
    pub fn keep(&mut self, kind: Kind, column: usize) {
        if !self.columns.iter().any(|(of, kept)| *of == column && kept.kind() == kind) {
            self.columns.push((column, Kept::new(kind)));
        }
    }

    pub fn push(&mut self, times: &[i64], columns: &[Vec<f64>]) {
        let Some(row) = times.len().checked_sub(1) else { return };
        if row > 0 && times[row - 1] >> self.shift != times[row] >> self.shift {
            self.open = row;
        }
        // What cannot be numbered is not kept.
        let Ok(end) = u32::try_from(times.len()) else { return };
        let rows = times.len() - self.open;
        if rows == MANY {
            self.bounds.push(end - MANY as u32..end);
            self.columns.iter_mut().for_each(|(column, kept)| kept.begin(&columns[*column][self.open..]));
        } else if rows > MANY
            && let Some(last) = self.bounds.last_mut()
        {
            last.end = end;
            self.columns.iter_mut().for_each(|(column, kept)| kept.go_on(columns[*column][row]));
        }
    }

    pub fn clear(&mut self) {
        self.bounds.clear();
        self.open = 0;
        self.columns.iter_mut().for_each(|(_, kept)| *kept = Kept::new(kept.kind()));
    }

    pub fn bytes(&self) -> usize {
        let kept: usize = self.columns.iter().map(|(_, kept)| kept.bytes()).sum();
        self.bounds.len() * size_of::<Range<u32>>() + kept
    }

    pub fn kept<P: Partial>(&self, column: usize) -> Option<(&[Range<u32>], &[P])> {
        let mut partials = self.columns.iter().filter(|(of, _)| *of == column).map(|(_, kept)| P::kept(kept));
        partials.find_map(|partials| partials).map(|partials| (self.bounds.as_slice(), partials))
    }
}

impl Kept {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sums => Self::Sums(Vec::new()),
            Kind::Extremes => Self::Extremes(Vec::new()),
            Kind::Moments => Self::Moments(Vec::new()),
            Kind::Distinct => Self::Distinct(Vec::new()),
            Kind::Quantiles => Self::Quantiles(Vec::new()),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Sums(_) => Sums::KIND,
            Self::Extremes(_) => Extremes::KIND,
            Self::Moments(_) => Moments::KIND,
            Self::Distinct(_) => Distinct::KIND,
            Self::Quantiles(_) => Quantiles::KIND,
        }
    }

    fn begin(&mut self, values: &[f64]) {
        match self {
            Self::Sums(tiles) => tiles.push(Partial::of(values)),
            Self::Extremes(tiles) => tiles.push(Partial::of(values)),
            Self::Moments(tiles) => tiles.push(Partial::of(values)),
            Self::Distinct(tiles) => tiles.push(Partial::of(values)),
            Self::Quantiles(tiles) => tiles.push(Partial::of(values)),
        }
    }

    fn go_on(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        match self {
            Self::Sums(tiles) => add(tiles, value),
            Self::Extremes(tiles) => add(tiles, value),
            Self::Moments(tiles) => add(tiles, value),
            Self::Distinct(tiles) => add(tiles, value),
            Self::Quantiles(tiles) => add(tiles, value),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Sums(tiles) => size_of_val(tiles.as_slice()),
            Self::Extremes(tiles) => size_of_val(tiles.as_slice()),
            Self::Moments(tiles) => size_of_val(tiles.as_slice()),
            Self::Distinct(tiles) => tiles.iter().map(|tile| size_of_val(tile) + tile.bytes()).sum(),
            Self::Quantiles(tiles) => tiles.iter().map(|tile| size_of_val(tile) + tile.bytes()).sum(),
        }
    }
}

fn add<P: Partial>(tiles: &mut [P], value: f64) {
    if let Some(open) = tiles.last_mut() {
        open.add(value);
    }
}

//! One row for each of many places, in the order in which they were found.
//!
//! Sources and label rows mostly come in order of time: rows found one after the other are then asked for one after the other,
//! though their places lie far apart.

use std::num::NonZeroU32;

/// Rows are kept in pieces of so many, which are never moved.
const PIECE: usize = 1 << 14;

pub(super) struct Candidates {
    /// Values of a row.
    pub width: usize,
    /// By place.
    numbers: Vec<Option<Number>>,
    pieces: Vec<Piece>,
}

/// That of a row.
#[derive(Clone, Copy)]
pub(super) struct Number(NonZeroU32);

#[derive(Default)]
struct Piece {
    times: Vec<i64>,
    /// Row by row, NaN where null.
    values: Vec<f64>,
}

impl Number {
    fn new(piece: usize, at: usize) -> Self {
        let number = u32::try_from(piece * PIECE + at + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("about as many as label rows, which are fewer than 2^32"))
    }

    fn parts(self) -> (usize, usize) {
        let number = self.0.get() as usize - 1;
        (number / PIECE, number % PIECE)
    }
}

impl Candidates {
    pub(super) fn new(width: usize, places: usize) -> Self {
        Self { width, numbers: vec![None; places], pieces: Vec::new() }
    }

    /// Bytes of a place with its row.
    pub(super) const fn bytes_a_place(width: usize) -> usize {
        size_of::<Option<Number>>() + size_of::<i64>() + width * size_of::<f64>()
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn at(&self, place: u32) -> Option<Number> {
        self.numbers[place as usize]
    }

    pub(super) fn time_of(&self, number: Number) -> i64 {
        let (piece, at) = number.parts();
        self.pieces[piece].times[at]
    }

    pub(super) fn values_of(&self, number: Number) -> &[f64] {
        let (piece, at) = number.parts();
        &self.pieces[piece].values[at * self.width..][..self.width]
    }

    pub(super) fn put(&mut self, place: u32, time: i64, values: &[f64]) {
        match self.at(place) {
            Some(number) => {
                let (piece, at) = number.parts();
                self.pieces[piece].times[at] = time;
                self.pieces[piece].values[at * self.width..][..self.width].copy_from_slice(values);
            }
            None => self.numbers[place as usize] = Some(self.push(time, values)),
        }
    }

    fn push(&mut self, time: i64, values: &[f64]) -> Number {
        if self.pieces.last().is_none_or(|last| last.times.len() == PIECE) {
            let piece = if self.pieces.is_empty() { Piece::default() } else { Piece::of(self.width) };
            self.pieces.push(piece);
        }
        let last = self.pieces.len() - 1;
        let piece = &mut self.pieces[last];
        piece.times.push(time);
        piece.values.extend_from_slice(values);
        Number::new(last, piece.times.len() - 1)
    }

    /// Has the place have another row that is here.
    pub(super) fn place(&mut self, place: u32, number: Number) {
        self.numbers[place as usize] = Some(number);
    }

    /// Brings the other's rows here, for no place yet, and tells whose they were.
    pub(super) fn append(&mut self, other: &mut Self) -> Vec<(u32, Number)> {
        let before = self.pieces.len();
        self.pieces.append(&mut other.pieces);
        let brought = |number: Number| {
            let (piece, at) = number.parts();
            Number::new(before + piece, at)
        };
        let numbers = (0..).zip(std::mem::take(&mut other.numbers));
        numbers.filter_map(|(place, number)| Some((place, brought(number?)))).collect()
    }
}

impl Piece {
    fn of(width: usize) -> Self {
        Self { times: Vec::with_capacity(PIECE), values: Vec::with_capacity(PIECE * width) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(candidates: &Candidates) -> Vec<Option<(i64, f64)>> {
        let places = 0..u32::try_from(candidates.len()).unwrap();
        let row = |number| (candidates.time_of(number), candidates.values_of(number)[1]);
        places.map(|place| candidates.at(place).map(row)).collect()
    }

    #[test]
    fn a_place_has_what_was_put_last_and_rows_of_others_keep_theirs() {
        let places = PIECE as u32 + 10;
        let (mut here, mut there) = (Candidates::new(2, places as usize), Candidates::new(2, places as usize));
        // The first pieces of both are full, and the second ones not.
        (0..places - 3).rev().for_each(|place| here.put(place, i64::from(place), &[f64::NAN, 1.0]));
        (1..places).for_each(|place| there.put(place, i64::from(place), &[f64::NAN, 2.0]));
        here.put(4, -4, &[0.0, 3.0]);
        let brought = here.append(&mut there);
        assert_eq!(brought.len(), places as usize - 1);
        for (place, number) in brought {
            if here.at(place).is_none() || place == 5 {
                here.place(place, number);
            }
        }
        here.put(6, -6, &[0.0, 4.0]);
        let found = rows(&here);
        for (place, row) in (0_i64..).zip(&found) {
            let expect = match place {
                4 => (-4, 3.0),
                6 => (-6, 4.0),
                5 => (place, 2.0),
                place if place >= i64::from(places) - 3 => (place, 2.0),
                place => (place, 1.0),
            };
            assert_eq!(*row, Some(expect), "{place}");
        }
    }
}

//! Search: short texts of things, held in memory, found by words that may be cut short or mistyped.
//!
//! Start with [`TextIndex`]. [`TextIndex::put`] says what there is of a key, [`TextIndex::remove`] that there is nothing any
//! more, [`TextIndex::find`] answers with everything that matches, the best first. How well something matches depends on
//! it and on the question alone, never on what else is there: who may see only a part of the things learns nothing of the
//! rest from their order. Nothing is written to disk; what is declared elsewhere is put in again after a start.
//!
//! This crate knows neither what the things are nor who may see them.

mod error;
mod index;
mod query;

pub use error::SearchError;
pub use index::{Found, MOST, TextIndex, Texts};

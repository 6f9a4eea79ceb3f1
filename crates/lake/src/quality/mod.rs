//! Quality: an expectation suite as one program over a stream of record batches.
//!
//! [`Program::compile`] checks the suite against the declared columns, [`Program::observe`] says of each row whether it
//! goes on, [`Program::finish`] says how every expectation fared. What a severity means:
//!
//! | severity | a failing row | `passed: false` |
//! |---|---|---|
//! | quarantine | does not go on; its reasons are told | is reported |
//! | warn | goes on | is reported |
//! | block | goes on | refuses the ingest: see [`blocking`] |
//!
//! `mostly` decides `passed` and nothing else: a failing row of a quarantine expectation never goes on, because in one
//! pass nobody knows yet how many will fail. Checks on the whole table (`rowCount`, `completeSeries`) reject no row.
//! A column declared `nullable: false` is checked as if the suite said so.

mod compile;
mod error;
mod evidence;
mod program;
mod row_check;
mod rule;
mod series;
mod unique;

pub use error::QualityError;
pub use program::{Program, Rejected, Verdict};

use bedplate_kinds::{ExpectationOutcome, Severity};

/// The values that `references` checks look in: by dataset and column.
pub type References = std::collections::HashMap<(String, String), std::collections::HashSet<String>>;

/// The outcomes that refuse an ingest.
pub fn blocking(outcomes: &[ExpectationOutcome]) -> impl Iterator<Item = &ExpectationOutcome> {
    outcomes.iter().filter(|outcome| outcome.severity == Severity::Block && !outcome.passed)
}

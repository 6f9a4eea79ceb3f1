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
//! pass nobody knows yet how many will fail. Checks on the whole table (`rule::Whole`, `measure`) reject no row.
//! A column declared `nullable: false` is checked as if the suite said so.
//!
//! An expectation `over: table` goes on from what it saw of the rows that are there: [`TableState`], merged of what was
//! [`Kept`] of each data file, and then sees those rows of a load that go on. One that rejects rows is asked of a row only when
//! nothing before it rejected it, so that a row which stays out is in nobody's way.
//!
//! Exact: every check on rows, row counts, means (up to rounding), ages. Estimated, and told as such: quantiles
//! (t-digest), different values beyond 4,096 (HyperLogLog), and drift, whose bins are the reference's quantiles.

mod anomaly;
mod compile;
mod distinct;
mod drift;
mod error;
mod evidence;
mod freshness;
mod increasing;
mod integers;
mod kept;
mod mean;
mod measure;
mod profile;
mod program;
mod quantile;
mod references;
mod row_check;
mod rule;
mod series;
mod table_state;
mod told;
mod unique;
mod words;

pub(crate) use distinct::Distinct;
pub use error::QualityError;
pub use kept::Kept;
pub use profile::Profile;
pub use program::{Program, Rejected, Verdict};
pub use references::{References, RowCondition};
pub use table_state::{FileState, TableState};

use bedplate_kinds::{ExpectationOutcome, Severity};

/// The outcomes that refuse an ingest.
pub fn blocking(outcomes: &[ExpectationOutcome]) -> impl Iterator<Item = &ExpectationOutcome> {
    outcomes.iter().filter(|outcome| outcome.severity == Severity::Block && !outcome.passed)
}

//! Profiles: what a table's columns hold, told in numbers of bounded size and gathered in one pass over its rows.
//!
//! [`Profiler::observe`] takes the rows batch by batch, [`Profiler::finish`] tells. Exact: rows, nulls, least and greatest,
//! mean and deviation (up to rounding), histograms, lengths. Different values are counted up to 4,096 and estimated beyond
//! (HyperLogLog); quantiles are exact up to 32,768 values and estimated beyond (t-digest); the commonest texts are counted
//! until there are more than 4,096, and told with how much they may be short from then on.

mod frequent;
mod histogram;
mod moments;
mod profiler;
mod quantiles;
mod texts;
mod told;

pub use profiler::Profiler;
pub use told::{ColumnProfile, Histogram, Numbers, QuantileTold, TableProfile, Texts, TopValue, Values};

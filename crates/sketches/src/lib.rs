//! Summaries of many values in little memory: how many different ones there are, where their quantiles lie, and a sample of
//! rows of them.
//!
//! Each is a function of the set or multiset of its values alone (a sample, of its rows and their lots): the order they come in,
//! and in which parts they were summarised before [`Distinct::merge`], [`Quantiles::merge`] or [`RowSample::merge`], change no
//! bit. Nothing is random, and no function of a mathematical library that may differ between machines decides where a value goes.
//!
//! It knows nothing of columns, rows or time: those are its callers'.

mod distinct;
mod hyperloglog;
mod mixed;
mod quantiles;
mod rows;

pub use distinct::Distinct;
pub use hyperloglog::HyperLogLog;
pub use mixed::mixed;
pub use quantiles::Quantiles;
pub use rows::RowSample;

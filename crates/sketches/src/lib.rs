//! Summaries of many values in little memory: how many different ones there are, and where their quantiles lie.
//!
//! Each is a function of the set or multiset of its values alone: the order they come in, and in which parts they were
//! summarised before [`Distinct::merge`] or [`Quantiles::merge`], change no bit. Nothing is random, and no function of a
//! mathematical library that may differ between machines decides where a value goes.
//!
//! It knows nothing of columns, rows or time: those are its callers'.

mod distinct;
mod hyperloglog;
mod quantiles;

pub use distinct::Distinct;
pub use hyperloglog::HyperLogLog;
pub use quantiles::Quantiles;

//! The lake's decisions: does a source have the declared columns, and which of its rows are good.
//!
//! Start with [`quality::Program`]: all expectations of a suite, compiled against a dataset's schema and observed in one
//! pass over record batches. [`schema::Conform`] brings a source's columns into the declared shape, or says everything
//! that is wrong with it at once. Both are plain computation over Arrow: this crate opens no file, knows no table format
//! and no clock.

pub mod quality;
pub mod schema;

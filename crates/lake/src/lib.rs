//! The lake's decisions: does a source have the declared columns, and which of its rows are good.
//!
//! Start with [`quality::Program`]: all expectations of a suite, compiled against a dataset's schema and observed in one
//! pass over record batches. [`schema::Conform`] brings a source's columns into the declared shape, or says everything
//! that is wrong with it at once; [`read::Rows`] does the same for text, value by value. [`source`] tells which files a
//! path means, how they are written and which of them are new. [`profile::Profiler`] tells what a table's columns hold. All of it is plain computation: this crate opens no file,
//! knows no table format and no clock.

pub mod profile;
pub mod quality;
pub mod read;
pub mod schema;
pub mod source;

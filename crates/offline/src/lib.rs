//! The offline feature store: historical features, for label rows of any number, from the lake's tables.
//!
//! [`join`] gives the features of label rows that are in memory. [`Labels`] are label rows that need not be: they are given
//! back with their features in pieces of bounded size, each of which reads the views' sources anew, so nothing is spilled
//! and no source has to fit in memory. [`Sources`] is where the views' rows come from: the lake, or a part of it that
//! somebody may see. [`Source`] gives a view's rows to whoever stores them. What a feature's value is, is
//! [`bedplate_features`]' to say.
//!
//! This crate does not know who asks, whether they may, or what becomes of the rows.

mod error;
mod history;
mod join;
mod source;
mod sources;
mod spines;
mod view;

pub use error::OfflineError;
pub use history::{Labels, historical_features};
pub use join::{Feature, gathered, join};
pub use source::Source;
pub use sources::{Batches, Sources};
pub use view::{View, full_feature_name};

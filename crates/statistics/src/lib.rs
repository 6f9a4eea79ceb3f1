//! Statistics of features: what their values are offline, in a window of time, and what was served of them online.
//!
//! [`gather`] reads a view's source once and tells of every feature what [`bedplate_lake::profile`] tells of a column, with a
//! sample of values to compare with others. [`Served`] takes a share of what is served, view by view and hour by hour, in
//! bounded memory and without ever waiting; [`write`] keeps that in a database, where [`read`] puts the parts of several hours
//! and processes together.
//!
//! A feature of the latest row has a value at each row: that row's own. One over a window has, at each row, what the
//! point-in-time join says as of that row's time. It does not know who asks, what they may see, or what is made of a difference.

mod columns;
mod error;
mod offline;
mod served;
mod store;
mod windowed;

pub use columns::FeatureStatistics;
pub use error::StatisticsError;
pub use offline::{Gathered, gather};
pub use served::{HOUR, MOST_VIEWS, ROWS_A_SECOND, Served, ServedHour, hour_of};
pub use store::{ServedWindow, WrittenHour, forget, read, write};

/// The tables this crate keeps.
pub const MIGRATIONS: &[bedplate_db::Migration] =
    &[bedplate_db::Migration { name: "statistics-1-served", sql: include_str!("served.sql") }];

/// Rows of a sample that is compared.
pub const SAMPLE: usize = 10_000;

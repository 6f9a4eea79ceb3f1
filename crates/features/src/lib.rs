//! Features: which value of a feature was known at a moment, and never a later one.
//!
//! A [`ViewDefinition`] says which columns of a source become features of an entity. [`rows`] turns a source into
//! [`SourceRow`]s for the online store, which asks for one entity's values at a moment with [`value_at`]; [`PointInTime`]
//! answers the same question for every label row of a [`Spine`], batch by batch. Windows are aggregated by the one function
//! behind both, so a model is served exactly the numbers it was trained on.
//!
//! The rules, each guarded by a property test against a brute-force oracle:
//! - A row known at `u` is usable at `t` when `u <= t` and, if the view has a TTL, `t - u <= ttl`. Both edges count.
//! - A windowed aggregate takes the usable rows with `t - window < u`: the far edge does not count.
//! - `last` is the value of the latest usable row, null included.
//! - Rows are ordered by (time, [`SourceRow::identity`]). With a `row_id` column the identity is that id, and of two
//!   rows with one entity, time and id the one with the greater packed values stays. Without it the packed values are
//!   the identity: identical rows collapse into one, offline as well as online. So a push can be repeated after a crash,
//!   rows may come in any order, and two different events that look alike both count once they have a `row_id`.
//! - NaN is missing, and -0.0 is 0.0.
//! - A windowed aggregate is made by tiles, aligned stretches of time: rows are aggregated in that order tile by tile, and the
//!   tiles' partials are merged in order. So values are equal bit by bit, whether tiles were made before or are made now.
//! - With a created column, of rows with one entity, time and identity the one created last stays, and rows of one time are in
//!   the order (created, identity); what was created at no moment comes first.
//! - No label row is dropped: an unknown entity, a null key or a null time has no rows, which is null (0 for `count` and
//!   `distinct`).
//!
//! It does not know where rows come from or where they are stored: no I/O, no clock, no async.

mod brought;
mod definition;
mod entity_rows;
mod error;
mod history;
mod join;
mod key;
mod known;
mod moment;
mod number;
mod packed;
pub mod request;
mod row;
mod sample;
mod stored;
mod tiles;

pub use brought::Brought;
pub use definition::{FeatureDef, ViewDefinition};
pub use entity_rows::EntityRows;
pub use error::FeatureError;
pub use history::{History, HistoryRef, value_at, values, values_of, values_of_row};
pub use join::{PointInTime, Spine, SpineShape};
pub use key::{EntityKey, KeyValue};
pub use known::NewestKnown;
pub use number::tidy;
pub use packed::{InvalidPacked, pack, pack_into, unpack};
pub use request::RequestEncoder;
pub use row::{ROW_ID_COLUMN, RowId, RowsReport, SourceRow, rows, rows_reported};
pub use sample::{Drawn, EntitySample};
pub use stored::{batches, key_columns};

//! Delta tables: opening a version, checking its log, and a new version that replaces rows or adds to them.

mod commit;
mod committed;
mod data_file;
mod error;
mod layout;
mod loaded;
mod log;
mod metadata;
mod parted;
pub(crate) mod partition;
pub(crate) mod rewrite;
mod table;
mod table_writer;
mod versions;
mod writable;

pub(crate) use commit::{NewVersion, commit};
pub use committed::{Committed, Watermark};
pub(crate) use committed::{Record, committed, latest_record, record_of};
pub(crate) use data_file::{DataFile, DataFileWriter, in_folders, name_in_place_of, name_of, sweep};
pub use error::TableError;
pub(crate) use layout::Layout;
pub use loaded::Change;
pub(crate) use loaded::{Loaded, changes_since, loaded};
pub(crate) use partition::Partition;
pub(crate) use table::{Table, TableFile, by_partition, exists};
pub(crate) use table_writer::TableWriter;
pub use versions::TableVersion;
pub(crate) use versions::{ranges, versions};

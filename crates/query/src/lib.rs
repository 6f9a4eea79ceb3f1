//! The query engine: Delta tables of the lake, the way in (ingest), and SQL over them.
//!
//! Start with [`Lake`]. [`Lake::pending`] finds a source's files (Parquet, CSV, JSON lines, Arrow IPC, another's Delta table)
//! and decides which are to be read; [`Lake::ingest`] streams them through an expectation suite into one new version of a
//! Delta table, and what did not pass into a quarantine table beside it. [`Lake::review`] lets rows of it into the table or
//! discards them; constraints of the table bind both ([`constraint_errors`] judges them before). [`Lake::optimize`], [`Lake::restore`] and [`Lake::vacuum`] keep a table up; [`Lake::versions`] tells what it
//! was. [`Lake::sql`] runs one SELECT over pinned versions of the tables it is given and no others, [`Lake::rows`]
//! gives its answer batch by batch, and [`Lake::columns`] tells what its columns are made of. [`Frame`] is what comes out;
//! [`snapshot`] keeps one under the digest of its bytes. [`Reader`] answers
//! people: a statement that reads, over what was opened to it, masked and filtered. A table is a plain Delta table: any Delta
//! reader opens the folder.
//!
//! This crate does not know who asks, whether they may, what a feature is, or when something should run.

mod constraint;
mod delta;
mod encode;
mod frame;
mod ingest;
mod lake;
mod quarantine;
mod reader;
mod review;
pub mod snapshot;
mod source;
mod sql;
mod threads;
mod upkeep;

pub use constraint::{Broken, ConstraintError, constraint_errors};
pub use delta::{Change, Committed, TableError, TableVersion, Watermark};
pub use encode::ParquetWriter;
pub use frame::{Frame, FrameError};
pub use ingest::{Ingest, IngestError, IngestReport, Pending, Whose};
pub use lake::Lake;
pub use quarantine::{Quarantined, QuarantinedRow, Reason};
pub use reader::{
    Answer, AsOf, Cluster, ClusterError, Engine, Executor, Limits, NamedTable, NoCluster, NoEngine, Parsed, ReadError,
    Readable, Reader, Request, Scheduler, ShownColumn, Verb,
};
pub use review::{Choice, Review, ReviewAction, ReviewError, ReviewOrder};
pub use source::{Access, Credentials, ElsewhereError, FoundFile, Host, Hosts, NoHost, SourceError, columns};
pub use sql::{OutputColumn, PARTS, QueryError, Rows, TableColumn, TableRef};
pub use threads::Threads;
pub use tokio_util::sync::CancellationToken;
pub use upkeep::{By, Upkeep, UpkeepAction, UpkeepError, Vacuum, Vacuumed};

//! The lake on a real folder, with small tables.

mod columns;
mod crash;
mod flights;
mod ingest;
mod reader;
mod snapshot;
mod sql;
mod table;

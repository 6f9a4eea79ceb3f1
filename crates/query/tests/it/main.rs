//! The lake on a real folder, with small tables.

mod columns;
mod crash;
mod flights;
mod ingest;
mod reader;
mod review;
mod snapshot;
mod sql;
mod suite;
mod table;

//! The lake on a real folder, with small tables.

mod columns;
mod constraints;
mod crash;
mod elsewhere;
mod flights;
mod formats;
mod ingest;
mod lake_source;
mod loads;
mod merge;
mod over_table;
mod partitions;
mod reader;
mod review;
mod snapshot;
mod sql;
mod suite;
mod table;
mod upkeep;

//! The quality program from outside: against a row-by-row oracle, merged, over a table, on whole tables, and its refusals.

mod merge;
mod oracle;
mod over_table;
mod profile;
mod program;
mod table;
mod whole;

//! The quality program from outside: against a row-by-row oracle, over a table, on whole tables, and its refusals.

mod oracle;
mod over_table;
mod profile;
mod program;
mod table;
mod whole;

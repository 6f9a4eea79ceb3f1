//! The quality program from outside: against a row-by-row oracle, merged, on whole tables, and its refusals.

mod merge;
mod oracle;
mod profile;
mod program;
mod table;
mod whole;

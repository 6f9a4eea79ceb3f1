//! The quality program from outside: against a row-by-row oracle, and its refusals.

mod oracle;
mod program;
mod table;

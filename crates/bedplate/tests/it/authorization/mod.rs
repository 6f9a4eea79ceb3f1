//! Nothing is open that should not be: every operation of every listener, and whatever else can be sent to them.
//!
//! A platform with two namespaces is asked over its sockets. `flights` holds a whole use case that nobody but the
//! administrator has a right to; `rides` belongs to those who try to get at it.

mod cases;
mod fuzz;
mod http;
mod operations;
mod table;
mod world;

//! What the tests of several crates share: free ports, real processes that end with the test, and an honest way to say
//! that something could not be run.
//!
//! Start with [`Server`], which starts a program, waits until it answers, and ends it by its process id. [`not_run`] is the
//! only way a test may leave out what it is for: `cargo xtask test` collects what was said and prints it at the end.
//! This crate knows nothing of bedplate itself and is never a normal dependency of the product.

#![expect(clippy::disallowed_methods, reason = "tests find programs and folders through the environment")]

mod in_crate;
mod measure;
mod not_run;
mod port;
mod postgres;
mod process;
mod program;
mod redis;
mod server;

pub use in_crate::in_crate;
pub use measure::{Measured, measure};
pub use not_run::{NOT_RUN_FILE, not_run};
pub use port::free_port;
pub use postgres::{Postgres, postgres_database, postgres_program, suite_on_postgres};
pub use process::{cpu_seconds, descendants, own_memory, resident, resident_of_tree};
pub use program::{node, program, python};
pub use redis::Redis;
pub use server::{Ready, Server, StartError};

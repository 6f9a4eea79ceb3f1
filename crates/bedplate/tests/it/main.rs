//! The real binary, asked as a person asks it.

#![expect(clippy::disallowed_methods, reason = "tests hand the PATH on to the programs they start")]

mod backup;
mod bad_input;
mod cli;
mod http;
mod kill;
mod leak;
mod postgres;
mod quickstart;
mod replicas;
mod run;
mod small;
mod statements;

//! The real binary, asked as a person asks it.

#![expect(clippy::disallowed_methods, reason = "tests hand the PATH on to the programs they start")]

mod bad_input;
mod cli;
mod kill;
mod leak;
mod quickstart;
mod run;
mod small;
mod standing;
mod witness;

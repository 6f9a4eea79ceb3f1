//! The real binary, asked as a person asks it.

#![expect(clippy::disallowed_methods, reason = "tests hand the PATH on to the programs they start")]

mod authorization;
mod bad_input;
mod cli;
mod infrastructure;
mod job_tokens;
mod kill;
mod leak;
mod machines;
mod oidc;
mod policy;
mod quickstart;
mod run;
mod scopes;
mod small;
mod standing;
mod tls;
mod witness;

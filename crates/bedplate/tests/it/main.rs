//! The real binary, asked as a person asks it.

#![expect(clippy::disallowed_methods, reason = "tests hand the PATH on to the programs they start")]

mod api_process;
mod bad_input;
mod chart;
mod cli;
mod crds;
mod job_tokens;
mod kill;
mod leak;
mod machines;
mod oidc;
mod operator;
mod plain;
mod quickstart;
mod run;
mod scopes;
mod small;
mod tls;

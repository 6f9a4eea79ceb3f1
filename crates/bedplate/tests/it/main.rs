//! The real binary, asked as a person asks it.

#![expect(clippy::disallowed_methods, reason = "tests hand the PATH on to the programs they start")]

mod api_process;
mod authorization;
mod backup;
mod bad_input;
mod ballista;
mod catalogue;
mod chart;
mod cli;
mod crds;
mod feast;
mod feast_offline;
mod feast_registry;
mod flight;
mod http;
mod infrastructure;
mod job_tokens;
mod kill;
mod leak;
mod loads;
mod machines;
mod materialize;
mod oidc;
mod online_redis;
mod operator;
mod parity;
mod plain;
mod policy;
mod postgres;
mod quality;
mod quickstart;
mod replicas;
mod run;
mod s3;
mod scopes;
mod skew;
mod small;
mod sources;
mod sql;
mod standing;
mod statements;
mod stop;
mod tls;
mod windows;
mod witness;

//! Plans against a real API server on a database of its own.

mod approvals;
mod carry_out;
mod drift;
mod plan;
mod prune;
mod quotas;
mod suites;
mod support;
mod templates;

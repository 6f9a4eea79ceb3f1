//! Marquez' read API over what was derived.

pub(crate) mod columns;
pub(crate) mod datasets;
pub(crate) mod events;
mod facets;
pub(crate) mod jobs;
pub(crate) mod lineage;
pub(crate) mod namespaces;
pub(crate) mod runs;
pub(crate) mod search;

//! What came from what: the graph from source files to predictions, and the walks both ways.
//!
//! Start with [`Node`] (the eight sorts of things) and [`Edge`] (a cause, an effect, and who made one from the other).
//! [`link`] and [`describe`] are idempotent, so a step that runs again after a crash adds nothing. [`upstream`] answers
//! "where does this prediction come from", [`downstream`] "what does a change of this table touch".
//!
//! The graph does not know what a node's facts mean, and it never deletes.

mod dot;
mod edge;
mod error;
mod node;
mod walk;

use bedplate_db::Migration;

pub use edge::{Edge, describe, facts, link};
pub use error::LineageError;
pub use node::{InvalidNode, Node};
pub use walk::{Graph, MAX_NODES, downstream, upstream};

/// The graph's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "lineage_0001_graph",
    sql: "CREATE TABLE lineage_nodes (id TEXT PRIMARY KEY, facts TEXT NOT NULL);
          CREATE TABLE lineage_edges (
              cause TEXT NOT NULL,
              effect TEXT NOT NULL,
              made_by TEXT NOT NULL,
              at BIGINT NOT NULL,
              PRIMARY KEY (cause, effect, made_by)
          );
          CREATE INDEX lineage_edges_by_effect ON lineage_edges (effect, cause);",
}];

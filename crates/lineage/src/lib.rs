//! What came from what: the graph from source files to predictions, the graph of their columns, and the walks both ways.
//!
//! Start with [`Node`] (the sorts of things), [`Edge`] (a cause, an effect, and who made one from the other) and
//! [`ColumnEdge`] (the same of one column, and [`How`]). [`link`], [`link_column`] and [`describe`] are idempotent, so a step
//! that runs again after a crash adds nothing. [`upstream`] answers "where does this prediction come from", [`downstream`]
//! "what was made of this table", and [`impact`] "what stands on this column now": for that [`lead`] says which version of a
//! thing counts, and [`retire`] that it is gone. [`pinned`] says which versions of a table training sets were made of.
//!
//! A walk is bounded in nodes and depth, and says where it was cut. The graph does not know what a node's facts mean, and it
//! never deletes.

mod bounds;
mod column;
mod dot;
mod edge;
mod error;
mod graph;
mod head;
mod impact;
mod migrations;
mod node;
mod pinned;
mod place;
mod walk;

pub use bounds::{Bounds, MAX_DEPTH, MAX_NODES};
pub use column::{ColumnEdge, ColumnWalk, How, column_downstream, column_upstream, columns_between, link_column};
pub use edge::{Edge, describe, facts, link};
pub use error::LineageError;
pub use graph::Graph;
pub use head::{Named, lead, leading, retire};
pub use impact::{Dependant, Dependants, Impact, impact};
pub use migrations::MIGRATIONS;
pub use node::{InvalidNode, Node};
pub use pinned::pinned;
pub use place::{LOCAL, Place};
pub use walk::{downstream, downstream_of, upstream, upstream_of};

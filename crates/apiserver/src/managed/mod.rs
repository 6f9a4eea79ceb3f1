//! Who owns which field: `metadata.managedFields`, as server-side apply needs it.
//!
//! A [`FieldSet`](fields::FieldSet) is a set of paths, kept in Kubernetes' `FieldsV1` form. `apply` merges a configuration
//! and moves ownership; `update` notes what any other write changed. The rules are those of structured-merge-diff
//! (<https://github.com/kubernetes-sigs/structured-merge-diff>): lists are atomic unless the schema says `set` or `map`.

mod apply;
mod entries;
mod fields;
mod leaves;
mod update;

pub use apply::apply;
pub use entries::{Author, same_but_for_times};
pub use update::note_update;

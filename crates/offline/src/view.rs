//! A feature view as it is asked for.

use bedplate_features::ViewDefinition;
use bedplate_query::TableRef;
use bedplate_types::Timestamp;

/// A view with the query of its source's rows, and which of its features are wanted.
#[derive(Clone, Debug)]
pub struct View {
    pub definition: ViewDefinition,
    /// Positions in the definition's features.
    pub selected: Vec<usize>,
    pub tables: Vec<TableRef>,
    pub sql: String,
    /// Rows created after it are not seen, of a view with a created column; of all when there is none.
    pub as_known_at: Option<Timestamp>,
}

impl View {
    /// The full name of the feature at a position.
    #[must_use]
    pub fn full_name(&self, position: usize) -> String {
        full_feature_name(&self.definition.name, &self.definition.features[position].name)
    }
}

/// `weather__temp`: Feast's full feature name.
#[must_use]
pub fn full_feature_name(view: &str, feature: &str) -> String {
    format!("{view}__{feature}")
}

//! Where a node is found by tools that know namespaces, datasets and fields alone.

use crate::Node;

/// The namespace of what is in none of the platform's: files, training sets, runs, predictions.
pub const LOCAL: &str = "bedplate://local";

/// A dataset of OpenLineage, and one of its fields where the node is a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub namespace: String,
    /// `<sort>/<name>` without a version: `table/weather`.
    pub dataset: String,
    pub field: Option<String>,
}

impl Node {
    /// Where the node is, and a column where that is which it is a column of. `local` is the namespace of what has none.
    #[must_use]
    pub fn place(&self, local: &str) -> Place {
        let at = |namespace: &str, sort: &str, name: &str| Place {
            namespace: namespace.to_owned(),
            dataset: format!("{sort}/{name}"),
            field: None,
        };
        match self {
            Self::Column { of, name } => Place { field: Some(name.clone()), ..of.place(local) },
            Self::Feature { namespace, view, name, .. } => {
                Place { field: Some(name.clone()), ..at(namespace, "view", view) }
            }
            Self::Table { namespace, name, .. }
            | Self::View { namespace, name, .. }
            | Self::Model { namespace, name, .. }
            | Self::Recipe { namespace, name }
            | Self::Monitor { namespace, name }
            | Self::Device { namespace, name }
            | Self::Endpoint { namespace, name } => at(namespace, self.sort(), name),
            Self::Source(digest) | Self::Snapshot(digest) => at(local, self.sort(), &digest.to_string()),
            Self::Run(id) => at(local, "run", &id.to_string()),
            Self::Prediction(id) => at(local, "prediction", &id.to_string()),
        }
    }

    /// The version, of what has versions.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Table { version, .. } | Self::Model { version, .. } => Some(version),
            Self::View { digest, .. } | Self::Feature { digest, .. } => Some(digest),
            Self::Column { of, .. } => of.version(),
            _ => None,
        }
    }

    /// What a column is a column of.
    #[must_use]
    pub fn owner(&self) -> Option<Self> {
        match self {
            Self::Column { of, .. } => Some((**of).clone()),
            Self::Feature { namespace, view, digest, .. } => Some(Self::view(namespace, view, digest)),
            _ => None,
        }
    }
}

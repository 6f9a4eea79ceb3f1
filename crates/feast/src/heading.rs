//! How the columns of an answer are called: worked out once for what is asked for again and again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::SelectedView;
use crate::error::FeastError;

/// The join keys, and all names as the text of a JSON list: those of the join keys, then those of the features.
pub(crate) struct Heading {
    /// In order, each once.
    pub keys: Vec<String>,
    plain: Names,
    full: Names,
}

/// Or the features that would be called alike.
type Names = Result<String, String>;

impl Heading {
    pub fn of(views: &[SelectedView], features: &[(usize, usize)]) -> Self {
        let keys: BTreeSet<&String> = views.iter().flat_map(|view| &view.join_keys).collect();
        let keys: Vec<String> = keys.into_iter().cloned().collect();
        let names = |is_full| {
            names(views, features, is_full).map(|names| json!([keys.as_slice(), &names].concat()).to_string())
        };
        Self { plain: names(false), full: names(true), keys }
    }

    pub fn names(&self, full: bool) -> Result<&str, FeastError> {
        let names = if full { &self.full } else { &self.plain };
        names.as_deref().map_err(|refs| FeastError::Collision { refs: refs.clone(), full })
    }
}

/// What the features are called; no two alike.
fn names(views: &[SelectedView], features: &[(usize, usize)], is_full: bool) -> Result<Vec<String>, String> {
    let mut seen = BTreeMap::<String, Vec<String>>::new();
    let mut names = Vec::with_capacity(features.len());
    for (view, feature) in features {
        let view = &views[*view];
        let feature = &view.features[*feature];
        let name = if is_full { format!("{}__{feature}", view.asked) } else { feature.clone() };
        seen.entry(name.clone()).or_default().push(format!("{}:{feature}", view.asked));
        names.push(name);
    }
    match seen.into_values().find(|refs| refs.len() > 1) {
        None => Ok(names),
        Some(refs) => Err(refs.join(", ")),
    }
}

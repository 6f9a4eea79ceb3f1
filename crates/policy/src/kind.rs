//! The kinds the rules know, and how each may be spelled.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::Action;

/// What the API serves besides bedplate's own kinds.
const SERVED: [(&str, &str); 6] = [
    ("Namespace", "namespaces"),
    ("Secret", "secrets"),
    ("ConfigMap", "configmaps"),
    ("Event", "events"),
    ("Lease", "leases"),
    ("CustomResourceDefinition", "customresourcedefinitions"),
];

/// What is asked about and is no object of the API.
const UNSTORED: [(&str, &str); 9] = [
    ("Token", "tokens"),
    ("Lineage", "lineage"),
    ("Audit", "audit"),
    ("Cost", "costs"),
    ("Decision", "decisions"),
    // Of a dataset: `flights/weather.origin`.
    ("Column", "columns"),
    ("RowFilter", "rowfilters"),
    // What S3's clients keep: the bucket of a namespace, and in it objects by their keys.
    ("Bucket", "buckets"),
    ("BucketObject", "bucketobjects"),
];

/// The kind of everything the rules do not know.
pub(crate) const OTHER: &str = "Object";

/// Which kinds an action is on. Objects as they are declared have one set of verbs; the rest is about few of them.
fn takes(action: Action, kind: &str) -> bool {
    match action {
        Action::Predict => kind == "Endpoint",
        Action::Push => kind == "FeatureView",
        Action::ReadData => matches!(kind, "Dataset" | "FeatureView" | "BucketObject"),
        Action::ReadUnmasked => kind == "Column",
        Action::ReadUnfiltered => kind == "RowFilter",
        Action::Train => kind == "Dataset",
        Action::Promote => kind == "Model",
        Action::Place => matches!(kind, "Workload" | "Endpoint"),
        Action::Install => matches!(kind, "Model" | "Endpoint"),
        _ => true,
    }
}

/// All kinds, in the order they are told.
pub(crate) struct Kinds {
    names: Vec<String>,
    /// By the kind and by its plural, in lower case.
    spelled: HashMap<String, usize>,
}

impl Kinds {
    /// Those of the registry and those beside it.
    pub(crate) fn known() -> &'static Self {
        static KNOWN: OnceLock<Kinds> = OnceLock::new();
        KNOWN.get_or_init(Self::collect)
    }

    fn collect() -> Self {
        let mut kinds = Self { names: Vec::new(), spelled: HashMap::new() };
        for kind in bedplate_kinds::registry::kinds() {
            kinds.add(kind.name(), kind.plural());
        }
        for (name, plural) in SERVED.into_iter().chain(UNSTORED) {
            kinds.add(name, plural);
        }
        kinds.add(OTHER, "objects");
        kinds
    }

    fn add(&mut self, name: &str, plural: &str) {
        for spelling in [name.to_lowercase(), plural.to_lowercase(), name.to_owned()] {
            self.spelled.insert(spelling, self.names.len());
        }
        self.names.push(name.to_owned());
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The kind spelled so: `Dataset`, `dataset`, `datasets`.
    pub(crate) fn find(&self, spelling: &str) -> Option<&str> {
        let found = self.spelled.get(spelling).or_else(|| self.spelled.get(&spelling.to_lowercase()));
        found.map(|at| self.names[*at].as_str())
    }

    /// The kind that a question of this action about `spelling` is about, as the rules have it.
    pub(crate) fn of(&self, action: Action, spelling: &str) -> &str {
        self.find(spelling).filter(|kind| takes(action, kind)).unwrap_or(OTHER)
    }

    /// Every kind with every action on it.
    pub(crate) fn actions(&self) -> impl Iterator<Item = (Action, &str)> {
        let all = Action::ALL.into_iter().flat_map(|action| self.names().map(move |kind| (action, kind)));
        all.filter(|(action, kind)| *kind == OTHER || takes(*action, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_kind_is_known_by_all_its_spellings() {
        let known = Kinds::known();
        for kind in bedplate_kinds::registry::kinds() {
            for spelling in [kind.name(), kind.plural(), &kind.name().to_uppercase()] {
                assert_eq!(known.find(spelling), Some(kind.name()), "{spelling}");
            }
            assert_eq!(known.of(Action::Get, kind.plural()), kind.name());
        }
        assert_eq!(known.of(Action::List, "SECRETS"), "Secret");
        assert_eq!((known.find("plans"), known.of(Action::Get, "plans")), (None, OTHER));
        assert_eq!(known.of(Action::Predict, "Dataset"), OTHER, "nobody predicts with a dataset");
    }
}

//! One thing that can be found.

use serde::Serialize;

use crate::ObjectKind;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum EntryKind {
    Dataset,
    GlossaryTerm,
    FeatureView,
    Feature,
    Model,
    FeatureService,
    Endpoint,
    Column,
    ModelVersion,
}

impl EntryKind {
    pub const ALL: [Self; 9] = [
        Self::Dataset,
        Self::GlossaryTerm,
        Self::FeatureView,
        Self::Feature,
        Self::Model,
        Self::FeatureService,
        Self::Endpoint,
        Self::Column,
        Self::ModelVersion,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dataset => "Dataset",
            Self::GlossaryTerm => "GlossaryTerm",
            Self::FeatureView => "FeatureView",
            Self::Feature => "Feature",
            Self::Model => "Model",
            Self::FeatureService => "FeatureService",
            Self::Endpoint => "Endpoint",
            Self::Column => "Column",
            Self::ModelVersion => "ModelVersion",
        }
    }

    /// The kind called so, in any spelling: `dataset`, `Datasets`, `feature-view`, `term`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
        let one = letters.strip_suffix('s').unwrap_or(&letters);
        if one == "term" {
            return Some(Self::GlossaryTerm);
        }
        Self::ALL.into_iter().find(|kind| kind.as_str().to_lowercase() == one)
    }
}

/// A thing with what is told of it: an object, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub kind: EntryKind,
    pub namespace: String,
    /// The object that it is, or is a part of; who may get that may know of this.
    pub of: ObjectKind,
    pub object: String,
    /// A column, a feature, a version.
    pub part: Option<String>,
    pub owner: String,
    pub description: String,
    /// `public`, `internal`, `confidential`, `restricted`, `phi`; none said: none.
    pub classification: Option<String>,
    /// `licence:cc0`, `pii:email`, labels.
    pub tags: Vec<String>,
    /// The terms of the glossary it is about.
    pub terms: Vec<String>,
    /// Other words for it.
    pub words: Vec<String>,
}

impl Entry {
    /// What it is called in its namespace: `weather`, `weather.temp`, `wind:gust`, `late@3`.
    #[must_use]
    pub fn name(&self) -> String {
        let Some(part) = &self.part else { return self.object.clone() };
        let between = match self.kind {
            EntryKind::Feature => ':',
            EntryKind::ModelVersion => '@',
            _ => '.',
        };
        format!("{}{between}{part}", self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_in_their_spellings() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.as_str()), Some(kind));
            assert_eq!(EntryKind::parse(&format!("{}s", kind.as_str().to_lowercase())), Some(kind));
        }
        assert_eq!(EntryKind::parse("feature-view"), Some(EntryKind::FeatureView));
        assert_eq!(EntryKind::parse("terms"), Some(EntryKind::GlossaryTerm));
        assert_eq!(EntryKind::parse("secret"), None);
    }
}

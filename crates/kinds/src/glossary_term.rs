//! GlossaryTerm: a word of the organisation, with what it means; datasets, columns and features say which words they are.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::validate::{FieldError, Validate, duplicates, not_empty};

/// A word of the organisation and what it means.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "GlossaryTerm",
    namespaced,
    status = "GlossaryTermStatus",
    selectable = ".spec.owner",
    shortname = "term",
    printcolumn = r#"{"name":"Definition","type":"string","jsonPath":".spec.definition"}"#,
    printcolumn = r#"{"name":"Owner","type":"string","jsonPath":".spec.owner","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct GlossaryTermSpec {
    /// The team that says what it means.
    pub owner: String,
    /// What it means, in a sentence or two for people.
    pub definition: String,
    /// Other words for the same; a search for them finds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<String>,
    /// Terms of the namespace that a reader should know too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GlossaryTermStatus {
    pub phase: Phase,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

/// A term that a dataset, or one of its columns, is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ColumnTerm {
    /// A GlossaryTerm of the namespace.
    pub term: String,
    /// A column of `spec.schema`; the dataset as a whole when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// A term that a feature view, or one of its features, is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeatureTerm {
    /// A GlossaryTerm of the namespace.
    pub term: String,
    /// A feature of `spec.features`; the view as a whole when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
}

impl Validate for GlossaryTermSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.synonyms", self.synonyms.iter().map(String::as_str));
        errors.extend(duplicates("spec.related", self.related.iter().map(String::as_str)));
        errors.extend(not_empty("spec.owner", &self.owner));
        errors.extend(not_empty("spec.definition", &self.definition));
        errors
    }
}

/// What is wrong with terms: each with the part it names. A part that is not among `parts` is an error.
pub(crate) fn check_terms<'a>(
    terms: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    part: &str,
    parts: &[&str],
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (at, (term, named)) in terms.enumerate() {
        errors.extend(not_empty(&format!("spec.terms[{at}].term"), term));
        if let Some(named) = named.filter(|named| !parts.contains(named)) {
            let why = format!("{named:?} is not a {part} of this object");
            errors.push(FieldError::new(format!("spec.terms[{at}].{part}"), why));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_has_a_meaning_and_an_owner() {
        let spec = GlossaryTermSpec {
            owner: " ".into(),
            definition: String::new(),
            synonyms: vec!["delay".into(), "delay".into()],
            related: Vec::new(),
        };
        let fields: Vec<String> = spec.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["spec.synonyms", "spec.owner", "spec.definition"]);
    }

    #[test]
    fn a_term_is_of_a_part_that_is_there() {
        let check = |terms: &[(&'static str, Option<&'static str>)], expect: &[&str]| {
            let errors = check_terms(terms.iter().copied(), "column", &["a", "b"]);
            let fields: Vec<String> = errors.into_iter().map(|error| error.field).collect();
            assert_eq!(fields, expect);
        };
        check(&[("delay", Some("a")), ("delay", None)], &[]);
        check(&[("delay", Some("c")), ("", Some("a"))], &["spec.terms[0].column", "spec.terms[1].term"]);
    }
}

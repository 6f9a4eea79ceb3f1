//! Declared things that have a place in the catalogue, and what of each can be found.

use std::collections::BTreeMap;

use bedplate_kinds::{
    Column, ColumnMask, Dataset, Endpoint, Entity, FeatureService, FeatureView, GlossaryTerm, Model, TrainingRecipe,
};
use kube::{Resource, ResourceExt};
use serde::Serialize;

use crate::{Entry, EntryKind};

/// The kinds that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ObjectKind {
    Dataset,
    GlossaryTerm,
    FeatureView,
    FeatureService,
    /// It has no entry of its own: it is told as what uses others.
    TrainingRecipe,
    Model,
    Endpoint,
    /// It has no entry of its own: its keys are a part of what its features are.
    Entity,
}

impl ObjectKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dataset => "Dataset",
            Self::GlossaryTerm => "GlossaryTerm",
            Self::FeatureView => "FeatureView",
            Self::FeatureService => "FeatureService",
            Self::TrainingRecipe => "TrainingRecipe",
            Self::Model => "Model",
            Self::Endpoint => "Endpoint",
            Self::Entity => "Entity",
        }
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub enum Object {
    Dataset(Box<Dataset>),
    GlossaryTerm(GlossaryTerm),
    FeatureView(FeatureView),
    FeatureService(FeatureService),
    TrainingRecipe(TrainingRecipe),
    Model(Model),
    Endpoint(Endpoint),
    Entity(Entity),
}

impl Object {
    #[must_use]
    pub const fn kind(&self) -> ObjectKind {
        match self {
            Self::Dataset(_) => ObjectKind::Dataset,
            Self::GlossaryTerm(_) => ObjectKind::GlossaryTerm,
            Self::FeatureView(_) => ObjectKind::FeatureView,
            Self::FeatureService(_) => ObjectKind::FeatureService,
            Self::TrainingRecipe(_) => ObjectKind::TrainingRecipe,
            Self::Model(_) => ObjectKind::Model,
            Self::Endpoint(_) => ObjectKind::Endpoint,
            Self::Entity(_) => ObjectKind::Entity,
        }
    }

    /// What can be found of it.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        match self {
            Self::Dataset(dataset) => self::dataset(dataset),
            Self::GlossaryTerm(term) => vec![self::term(term)],
            Self::FeatureView(view) => self::view(view),
            Self::FeatureService(service) => vec![self::service(service)],
            Self::TrainingRecipe(_) | Self::Entity(_) => Vec::new(),
            Self::Model(model) => self::model(model),
            Self::Endpoint(endpoint) => vec![self::endpoint(endpoint)],
        }
    }
}

/// The entry of the object itself; what is special about its kind is filled in by the caller.
fn itself<K: Resource>(object: &K, kind: EntryKind, of: ObjectKind, owner: &str, description: &str) -> Entry {
    Entry {
        kind,
        of,
        namespace: object.namespace().unwrap_or_default(),
        object: object.name_any(),
        part: None,
        owner: owner.to_owned(),
        description: description.to_owned(),
        classification: None,
        tags: pairs(object.labels()),
        terms: Vec::new(),
        words: Vec::new(),
    }
}

/// A part of what `whole` is: it has its owner and its namespace, and nothing else of it.
fn part(whole: &Entry, kind: EntryKind, name: &str, description: &str) -> Entry {
    Entry {
        kind,
        part: Some(name.to_owned()),
        description: description.to_owned(),
        tags: Vec::new(),
        terms: Vec::new(),
        words: Vec::new(),
        ..whole.clone()
    }
}

fn pairs(tags: &BTreeMap<String, String>) -> Vec<String> {
    tags.iter().map(|(key, value)| format!("{key}:{value}")).collect()
}

fn dataset(dataset: &Dataset) -> Vec<Entry> {
    let spec = &dataset.spec;
    let mut whole = itself(dataset, EntryKind::Dataset, ObjectKind::Dataset, &spec.owner, &spec.description);
    whole.classification = Some(spec.classification.as_str().to_owned());
    whole.tags.extend(pairs(&spec.tags));
    let terms = |of: Option<&str>| {
        let of = spec.terms.iter().filter(move |term| term.column.as_deref() == of);
        of.map(|term| term.term.clone()).collect::<Vec<_>>()
    };
    whole.terms = terms(None);
    let columns = spec.schema.iter().map(|column| {
        let mut entry = self::column(&whole, column, spec.mask(&column.name));
        if let Some(suggestion) = dataset.open_suggestion(&column.name) {
            entry.tags.extend(["pii:suggested".to_owned(), format!("suggested:{}", suggestion.kind)]);
        }
        entry.terms = terms(Some(&column.name));
        entry
    });
    let columns: Vec<Entry> = columns.collect();
    [whole].into_iter().chain(columns).collect()
}

fn column(whole: &Entry, column: &Column, mask: Option<&ColumnMask>) -> Entry {
    let mut entry = part(whole, EntryKind::Column, &column.name, &column.description);
    entry.words.push(format!("{:?}", column.type_).to_lowercase());
    if let Some(mask) = mask {
        entry.tags = pairs(&mask.tags);
        entry.words.push("masked".to_owned());
        if let Some(classification) = mask.classification {
            entry.classification = Some(classification.as_str().to_owned());
        }
    }
    entry
}

fn term(term: &GlossaryTerm) -> Entry {
    let spec = &term.spec;
    let mut entry = itself(term, EntryKind::GlossaryTerm, ObjectKind::GlossaryTerm, &spec.owner, &spec.definition);
    entry.words.clone_from(&spec.synonyms);
    entry.terms.clone_from(&spec.related);
    entry
}

fn view(view: &FeatureView) -> Vec<Entry> {
    let spec = &view.spec;
    let mut whole = itself(view, EntryKind::FeatureView, ObjectKind::FeatureView, &spec.owner, &spec.description);
    whole.words.push(spec.entity.clone());
    let terms = |of: Option<&str>| {
        let of = spec.terms.iter().filter(move |term| term.feature.as_deref() == of);
        of.map(|term| term.term.clone()).collect::<Vec<_>>()
    };
    whole.terms = terms(None);
    let features = spec.features.iter().map(|feature| {
        let mut entry = part(&whole, EntryKind::Feature, &feature.name, &feature.description);
        entry.words = vec![feature.source_column().to_owned(), spec.entity.clone()];
        entry.terms = terms(Some(&feature.name));
        entry
    });
    let features: Vec<Entry> = features.collect();
    [whole].into_iter().chain(features).collect()
}

fn service(service: &FeatureService) -> Entry {
    let spec = &service.spec;
    let (kind, of) = (EntryKind::FeatureService, ObjectKind::FeatureService);
    let mut entry = itself(service, kind, of, &spec.owner, &spec.description);
    entry.words = spec.request_features.iter().map(|feature| feature.name.clone()).collect();
    entry
}

/// A version has the classification of what it was trained with.
fn model(model: &Model) -> Vec<Entry> {
    let spec = &model.spec;
    let whole = itself(model, EntryKind::Model, ObjectKind::Model, &spec.owner, &spec.description);
    let versions = model.status.iter().flat_map(|status| &status.versions).map(|version| {
        let description = if version.signed { "A signed version." } else { "A version without a signature." };
        let mut entry = part(&whole, EntryKind::ModelVersion, &version.version.to_string(), description);
        entry.words = vec![version.recipe.clone()];
        entry.classification = version.tags.as_ref().map(|tags| tags.classification.as_str().to_owned());
        entry
    });
    let versions: Vec<Entry> = versions.collect();
    [whole].into_iter().chain(versions).collect()
}

fn endpoint(endpoint: &Endpoint) -> Entry {
    let mut entry = itself(endpoint, EntryKind::Endpoint, ObjectKind::Endpoint, "", &endpoint.spec.description);
    entry.words.push(endpoint.spec.model.clone());
    entry
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object<K: serde::de::DeserializeOwned>(kind: &str, name: &str, spec: Value, status: Value) -> K {
        let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": kind, "spec": spec, "status": status,
            "metadata": { "name": name, "namespace": "demo", "labels": { "tier": "gold" } } });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_dataset_is_found_with_its_columns() {
        let spec = json!({
            "owner": "care", "description": "Who is here.", "classification": "confidential", "tags": { "licence": "own" },
            "source": { "path": "x" },
            "schema": [{ "name": "email", "type": "string", "description": "Of the patient." }, { "name": "age", "type": "int32" }],
            "columnMasks": [{ "column": "email", "mask": "hash", "classification": "phi", "tags": { "pii": "email" } }],
            "terms": [{ "term": "patient" }, { "term": "contact", "column": "email" }],
        });
        let entries = Object::Dataset(Box::new(object("Dataset", "patients", spec, Value::Null))).entries();
        let [whole, email, age] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((whole.name().as_str(), whole.classification.as_deref()), ("patients", Some("confidential")));
        assert_eq!(
            (&whole.tags[..], &whole.terms[..]),
            (&["tier:gold".to_owned(), "licence:own".into()][..], &["patient".to_owned()][..])
        );
        assert_eq!((email.name().as_str(), email.classification.as_deref()), ("patients.email", Some("phi")));
        assert_eq!((&email.tags[..], &email.terms[..]), (&["pii:email".to_owned()][..], &["contact".to_owned()][..]));
        assert_eq!((email.owner.as_str(), &email.words[..]), ("care", &["string".to_owned(), "masked".into()][..]));
        assert_eq!((age.classification.as_deref(), age.terms.len()), (Some("confidential"), 0));
    }

    #[test]
    fn what_is_suggested_is_found_until_it_is_answered() {
        let suggested = |masks: Value| {
            let spec = json!({ "owner": "o", "source": { "path": "x" }, "schema": [{ "name": "mail", "type": "string" }],
                "columnMasks": masks });
            let suggestion = json!({ "column": "mail", "kind": "email", "confidence": 0.99, "evidence": "its name" });
            let status = json!({ "piiSuggestions": [suggestion] });
            Object::Dataset(Box::new(object("Dataset", "d", spec, status))).entries()[1].tags.clone()
        };
        assert_eq!(suggested(json!([])), ["pii:suggested", "suggested:email"]);
        assert_eq!(suggested(json!([{ "column": "mail", "mask": "hash" }])), [""; 0]);
    }

    #[test]
    fn a_view_is_found_with_its_features_and_a_term_by_its_synonyms() {
        let spec = json!({ "owner": "meteo", "entity": "airport", "source": { "datasets": ["weather"], "sql": "SELECT 1" },
            "features": [{ "name": "gust", "column": "wind_gust", "description": "m/s" }],
            "terms": [{ "term": "wind", "feature": "gust" }] });
        let entries = Object::FeatureView(object("FeatureView", "wind", spec, Value::Null)).entries();
        assert_eq!(entries[1].name(), "wind:gust");
        assert_eq!((&entries[1].words[0], &entries[1].terms[0]), (&"wind_gust".to_owned(), &"wind".to_owned()));
        let spec = json!({ "owner": "ops", "definition": "Minutes late.", "synonyms": ["lateness"] });
        let entries = Object::GlossaryTerm(object("GlossaryTerm", "delay", spec, Value::Null)).entries();
        assert_eq!((entries[0].description.as_str(), entries[0].words[0].as_str()), ("Minutes late.", "lateness"));
    }
}

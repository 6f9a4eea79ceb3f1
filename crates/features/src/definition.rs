//! The definition of a feature view as the joins use it, and the digest that names its version.

use bedplate_kinds::{Aggregate, EntitySpec, Feature, FeatureViewSpec, JoinKey, Validate};
use bedplate_types::{Digest, Span};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::FeatureError;

/// One feature: how a column of the source becomes one number at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureDef {
    pub name: String,
    pub column: String,
    pub aggregate: Aggregate,
    pub window: Option<Span>,
    /// Of the aggregate `quantile`, which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f64>,
}

/// A feature view resolved with its entity: all that decides a feature's value, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ViewDefinition {
    pub name: String,
    pub join_keys: Vec<JoinKey>,
    /// The column that says when a row became known; without it rows were always known.
    pub timestamp: Option<String>,
    /// The column that says when a row was written: of rows of one entity and time the one created last counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    pub ttl: Option<Span>,
    pub features: Vec<FeatureDef>,
}

/// How values are made. Windows were aggregated row by row before they were by tiles, which gives sums other last digits.
const FORMAT: u32 = 1;
const FORMAT_OF_WINDOWS: u32 = 2;

/// What a version digest covers; the field order is part of the digest.
#[derive(Serialize)]
struct Versioned<'a> {
    format: u32,
    definition: &'a ViewDefinition,
    sql: &'a str,
}

impl ViewDefinition {
    /// # Errors
    /// When either spec breaks its own rules, or there is a TTL without a timestamp column to measure it by.
    pub fn new(name: impl Into<String>, view: &FeatureViewSpec, entity: &EntitySpec) -> Result<Self, FeatureError> {
        let name = name.into();
        if let Some(why) = first_broken_rule(view, entity) {
            return Err(FeatureError::InvalidView { view: name, why });
        }
        Ok(Self {
            name,
            join_keys: entity.join_keys.clone(),
            timestamp: view.timestamp_column.clone(),
            created: view.created_column.clone(),
            ttl: view.ttl,
            features: view.features.iter().map(FeatureDef::from).collect(),
        })
    }

    /// Digest of the definition and of the query that makes its rows: rows stored under one digest stay comparable.
    #[must_use]
    pub fn version(&self, sql: &str) -> Digest {
        let format = if self.longest_window().is_some() { FORMAT_OF_WINDOWS } else { FORMAT };
        let canonical = serde_json::to_vec(&Versioned { format, definition: self, sql: sql.trim() })
            .expect("strings, numbers and lists always have a JSON form");
        Digest::from_sha256(Sha256::digest(canonical).into())
    }

    /// The distinct source columns stored with each row, in the order the features first use them.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut columns = Vec::with_capacity(self.features.len());
        for feature in &self.features {
            if !columns.contains(&feature.column.as_str()) {
                columns.push(feature.column.as_str());
            }
        }
        columns
    }

    /// For each feature where its column is among [`ViewDefinition::columns`].
    #[must_use]
    pub fn positions(&self) -> Vec<usize> {
        let columns = self.columns();
        let position = |feature: &FeatureDef| columns.iter().position(|column| *column == feature.column);
        self.features.iter().filter_map(position).collect()
    }

    /// The longest look-back any feature needs; `None` when it is unbounded.
    #[must_use]
    pub fn horizon(&self) -> Option<Span> {
        if self.takes_last() && self.ttl.is_none() {
            return None;
        }
        self.longest_window().max(self.ttl)
    }

    /// The longest window among the aggregates; `None` when every feature is `last`.
    #[must_use]
    pub fn longest_window(&self) -> Option<Span> {
        self.features.iter().filter_map(|feature| feature.window).max()
    }

    /// Whether some feature is the latest row's value.
    #[must_use]
    pub fn takes_last(&self) -> bool {
        self.features.iter().any(|feature| feature.aggregate == Aggregate::Last)
    }
}

impl From<&Feature> for FeatureDef {
    fn from(feature: &Feature) -> Self {
        Self {
            name: feature.name.clone(),
            column: feature.source_column().to_owned(),
            aggregate: feature.aggregate,
            window: feature.window,
            quantile: feature.quantile,
        }
    }
}

fn first_broken_rule(view: &FeatureViewSpec, entity: &EntitySpec) -> Option<String> {
    if let Some(error) = view.validate().into_iter().next() {
        return Some(error.to_string());
    }
    if let Some(error) = entity.validate().into_iter().next() {
        return Some(format!("its entity {:?}: {error}", view.entity));
    }
    let unmeasurable = view.ttl.is_some() && view.timestamp_column.is_none();
    unmeasurable.then(|| "spec.ttl: needs spec.timestampColumn: without it a row has no age".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn define(view: serde_json::Value) -> Result<ViewDefinition, FeatureError> {
        let view: FeatureViewSpec = serde_json::from_value(view).unwrap();
        let entity = serde_json::from_value(json!({"joinKeys": [{"name": "carrier", "type": "string"}]})).unwrap();
        ViewDefinition::new("delays", &view, &entity)
    }

    fn delays() -> ViewDefinition {
        define(json!({
            "entity": "carrier", "source": {"datasets": ["flights"], "sql": "select 1"}, "timestampColumn": "known_at",
            "ttl": "2d",
            "features": [
                {"name": "mean", "column": "delay", "aggregate": "mean", "window": "7d"},
                {"name": "delay"},
                {"name": "distance"},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn stores_each_column_once_and_looks_back_as_far_as_it_must() {
        assert_eq!(delays().columns(), ["delay", "distance"]);
        assert_eq!(delays().horizon(), Some("7d".parse().unwrap()));
        assert_eq!(ViewDefinition { ttl: None, ..delays() }.horizon(), None);
        let mut windowed = ViewDefinition { ttl: None, ..delays() };
        windowed.features.truncate(1);
        assert_eq!(windowed.horizon(), Some("7d".parse().unwrap()));
    }

    #[test]
    fn version_names_every_part_that_decides_a_value() {
        let base = delays().version("select 1");
        assert_eq!(base, delays().version(" select 1\n"));
        let mut changed = delays();
        changed.features[0].window = Some("6d".parse().unwrap());
        let others = [
            changed.version("select 1"),
            delays().version("select 2"),
            ViewDefinition { ttl: None, ..delays() }.version("select 1"),
            ViewDefinition { timestamp: Some("other".to_owned()), ..delays() }.version("select 1"),
            ViewDefinition { created: Some("written_at".to_owned()), ..delays() }.version("select 1"),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    #[test]
    fn version_is_stable_across_releases() {
        // Stored online rows are found by this digest: changing the canonical form orphans them.
        assert_eq!(
            delays().version("select 1").to_string(),
            "sha256:039bc21e3bb8502031e938342890ec9238a15bf6cbbc8c192c8d3ddebe821c28",
        );
        let mut latest = delays();
        latest.features.remove(0);
        assert_eq!(
            latest.version("select 1").to_string(),
            "sha256:647bcbd75415da4627e8e947b2357620ce4141821c187624bdb93522f14770a6",
        );
    }

    #[test]
    fn refuses_a_ttl_without_a_time_and_broken_specs() {
        let source = json!({"datasets": [], "sql": "select 1"});
        let features = json!([{"name": "seats"}]);
        let error =
            define(json!({"entity": "plane", "source": source, "ttl": "1d", "features": features})).unwrap_err();
        assert!(error.to_string().contains("spec.ttl"), "{error}");
        let error = define(json!({"entity": "plane", "source": source, "features": []})).unwrap_err();
        assert!(error.to_string().contains("spec.features"), "{error}");
    }
}

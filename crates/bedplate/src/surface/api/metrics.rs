//! `GET /metrics`: how the feature views stand that the caller may get, as OpenMetrics (v1.0.0) for Prometheus. What is told
//! stands in their status, so that every replica tells the same.

use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bedplate_kinds::{FeatureView, FeatureViewStatus};
use bedplate_policy::{Action, Question, Resource, Tags};
use bedplate_types::{ErrorKind, Problem, Timestamp};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Facts, Failed};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Views that are told of, by namespace and name: each is some series, and people declare them.
const MOST_VIEWS: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct View {
    namespace: String,
    view: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    namespace: String,
    view: String,
    /// equal, expected, different
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Store {
    namespace: String,
    view: String,
    /// online, source
    store: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Default)]
struct Metrics {
    values: Family<Outcome, Gauge>,
    missing: Family<View, Gauge>,
    verified: Family<View, Seconds>,
    newest: Family<Store, Seconds>,
}

pub async fn metrics(State(facts): State<Facts>, headers: HeaderMap) -> Result<Response, Failed> {
    let who = facts.who(&headers)?;
    let failed = |why: String| Failed(Problem::new(ErrorKind::Internal, "the metrics", why));
    let listed = Api::<FeatureView>::all(facts.client.clone()).list(&ListParams::default()).await;
    let mut views = listed.map_err(|error| failed(error.to_string()))?.items;
    // Asked again and again, and so not written down each time.
    views.retain(|view| {
        let (namespace, name) = (view.namespace(), view.name_any());
        let resource = Resource { namespace: namespace.as_deref(), kind: "FeatureView", name: Some(&name) };
        let owner = Some(view.spec.owner.clone()).filter(|owner| !owner.is_empty());
        let tags = Tags { owner, labels: view.labels().clone(), ..Tags::default() };
        facts.policy.still(&Question::new(&who.name, &who.groups, Action::Get, resource).tagged(&tags)).allowed
    });
    views.sort_by_key(|view| (view.namespace(), view.name_any()));
    views.truncate(MOST_VIEWS);
    let text = told(&views).map_err(|error| failed(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

fn told(views: &[FeatureView]) -> Result<String, std::fmt::Error> {
    let metrics = Metrics::default();
    for view in views {
        let known = View { namespace: view.namespace().unwrap_or_default(), view: view.name_any() };
        metrics.take(&known, &view.status.clone().unwrap_or_default());
    }
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

impl Metrics {
    fn take(&self, known: &View, status: &FeatureViewStatus) {
        let View { namespace, view } = known.clone();
        if let Some(parity) = &status.parity {
            for (outcome, count) in
                [("equal", parity.equal), ("expected", parity.expected), ("different", parity.different)]
            {
                let labels = Outcome { namespace: namespace.clone(), view: view.clone(), outcome };
                self.values.get_or_create(&labels).set(count.cast_signed());
            }
            self.missing.get_or_create(known).set(parity.missing_entities.cast_signed());
            self.verified.get_or_create(known).set(seconds(parity.at));
        }
        if let Some(freshness) = &status.freshness {
            for (store, newest) in [("online", freshness.newest_online), ("source", freshness.newest_source)] {
                if let Some(newest) = newest {
                    let labels = Store { namespace: namespace.clone(), view: view.clone(), store };
                    self.newest.get_or_create(&labels).set(seconds(newest));
                }
            }
        }
    }

    fn register(&self, registry: &mut Registry) {
        let values =
            "Values of the last sample that were equal online and offline, differed by what was pushed, or differed";
        registry.register("bedplate_feature_view_parity_values", values, self.values.clone());
        let missing = "Entities of the last sample that should have rows online and have none";
        registry.register("bedplate_feature_view_parity_missing_entities", missing, self.missing.clone());
        let verified = "When online and offline values were last compared";
        let name = "bedplate_feature_view_parity_verified_timestamp";
        registry.register_with_unit(name, verified, Unit::Seconds, self.verified.clone());
        let newest = "When the newest row became known";
        let name = "bedplate_feature_view_newest_row_timestamp";
        registry.register_with_unit(name, newest, Unit::Seconds, self.newest.clone());
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_view_tells_of_the_last_look_and_one_that_was_not_looked_at_tells_nothing() {
        let view = |name: &str, status: serde_json::Value| -> FeatureView {
            let spec = json!({ "entity": "e", "source": { "datasets": [], "sql": "" }, "features": [] });
            let metadata = json!({ "name": name, "namespace": "flights" });
            let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "FeatureView", "metadata": metadata, "spec": spec, "status": status });
            serde_json::from_value(object).unwrap()
        };
        let parity = json!({ "result": "Different", "at": "1970-01-01T00:00:01.5Z", "version": "", "materialized": "",
            "seed": 1, "entities": 2, "values": 6, "equal": 3, "expected": 2, "different": 1, "missingEntities": 1 });
        let freshness = json!({ "at": "1970-01-01T00:00:01Z", "newestOnline": "1970-01-01T00:01:00Z" });
        let views = [view("weather", json!({ "parity": parity, "freshness": freshness })), view("route", json!({}))];
        let text = told(&views).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expect = [
            "bedplate_feature_view_newest_row_timestamp_seconds{namespace=\"flights\",view=\"weather\",store=\"online\"} 60.0",
            "bedplate_feature_view_parity_missing_entities{namespace=\"flights\",view=\"weather\"} 1",
            "bedplate_feature_view_parity_values{namespace=\"flights\",view=\"weather\",outcome=\"different\"} 1",
            "bedplate_feature_view_parity_values{namespace=\"flights\",view=\"weather\",outcome=\"equal\"} 3",
            "bedplate_feature_view_parity_values{namespace=\"flights\",view=\"weather\",outcome=\"expected\"} 2",
            "bedplate_feature_view_parity_verified_timestamp_seconds{namespace=\"flights\",view=\"weather\"} 1.5",
        ];
        let mut sorted = lines.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expect, "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}

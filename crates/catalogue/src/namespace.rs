//! What uses what within one namespace, read off the declarations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bedplate_kinds::ViewSelection;
use bedplate_types::Span;

use crate::expression::NormalQuery;
use crate::{Entry, EntryKind, Object, ObjectKind};

/// Something that stands on an entry, directly or through others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    pub kind: ObjectKind,
    pub name: String,
}

/// All objects of one namespace.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    objects: BTreeMap<(ObjectKind, String), Arc<Object>>,
    /// The queries of the views, those that can be compared.
    queries: BTreeMap<String, Arc<NormalQuery>>,
}

impl Namespace {
    pub fn put(&mut self, name: &str, object: Arc<Object>) {
        if let Object::FeatureView(view) = &*object {
            self.queries.remove(name);
            self.queries.extend(NormalQuery::of(&view.spec.source.sql).map(|query| (name.to_owned(), Arc::new(query))));
        }
        self.objects.insert((object.kind(), name.to_owned()), object);
    }

    pub fn remove(&mut self, kind: ObjectKind, name: &str) {
        self.objects.remove(&(kind, name.to_owned()));
        if kind == ObjectKind::FeatureView {
            self.queries.remove(name);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    #[must_use]
    pub fn get(&self, kind: ObjectKind, name: &str) -> Option<&Arc<Object>> {
        self.objects.get(&(kind, name.to_owned()))
    }

    fn all(&self) -> impl Iterator<Item = (&str, &Object)> {
        self.objects.iter().map(|((_, name), object)| (name.as_str(), &**object))
    }

    /// What uses the entry: the views made of a dataset, the services that take a feature, the recipes of a service, the
    /// models of a recipe, the endpoints of a model; of a term, what says it is about it. Ordered by kind and name.
    #[must_use]
    pub fn uses(&self, entry: &Entry) -> BTreeSet<Use> {
        let mut found = BTreeSet::new();
        let mut new = self.direct(entry);
        while let Some(one) = new.pop() {
            if entry.kind != EntryKind::GlossaryTerm && !found.contains(&one) {
                new.extend(self.on(&one));
            }
            found.insert(one);
        }
        found
    }

    /// Features that are computed as this one is, of any view: the same keys, rows, expression, aggregate and ages.
    #[must_use]
    pub fn same_features(&self, view: &str, feature: &str) -> Vec<(String, String)> {
        let Some(wanted) = self.computation(view, feature) else { return Vec::new() };
        let views = self.all().filter_map(|(name, object)| match object {
            Object::FeatureView(view) => Some((name, view)),
            _ => None,
        });
        let features = views.flat_map(|(name, of)| of.spec.features.iter().map(move |one| (name, one.name.as_str())));
        let same = features.filter(|(of, name)| (*of, *name) != (view, feature));
        let same = same.filter(|(of, name)| self.computation(of, name).as_ref() == Some(&wanted));
        same.map(|(of, name)| (of.to_owned(), name.to_owned())).collect()
    }

    /// Everything that decides a feature's value; none where the query cannot be compared.
    fn computation(&self, view: &str, feature: &str) -> Option<Vec<String>> {
        let query = self.queries.get(view)?;
        let Object::FeatureView(view) = self.get(ObjectKind::FeatureView, view).map(Arc::as_ref)? else { return None };
        let spec = &view.spec;
        let Object::Entity(entity) = self.get(ObjectKind::Entity, &spec.entity).map(Arc::as_ref)? else { return None };
        let feature = spec.features.iter().find(|one| one.name == feature)?;
        let keys = entity.spec.join_keys.iter().map(|key| query.column(&key.name).to_owned());
        let shown = |span: Option<Span>| span.map(|span| span.to_string()).unwrap_or_default();
        let made_of = |column: Option<&String>| column.map(|name| query.column(name).to_owned()).unwrap_or_default();
        let rest = [
            spec.entity.clone(),
            query.relation().to_owned(),
            query.column(feature.source_column()).to_owned(),
            format!("{:?}", feature.aggregate),
            shown(feature.window),
            feature.quantile.map(|q| q.to_string()).unwrap_or_default(),
            shown(spec.ttl),
            made_of(spec.timestamp_column.as_ref()),
            made_of(spec.created_column.as_ref()),
        ];
        Some(rest.into_iter().chain(keys).collect())
    }

    fn direct(&self, entry: &Entry) -> Vec<Use> {
        let whole = Use { kind: entry.of, name: entry.object.clone() };
        match entry.kind {
            // Which column a query takes is told by lineage, when it has run.
            EntryKind::Column => Vec::new(),
            EntryKind::Feature => self.services_with(&entry.object, entry.part.as_deref()),
            EntryKind::GlossaryTerm => self.about(&entry.object),
            EntryKind::ModelVersion => self.endpoints_of(&entry.object, entry.part.as_deref()),
            _ => self.on(&whole),
        }
    }

    /// What is made of it in one step.
    fn on(&self, one: &Use) -> Vec<Use> {
        match one.kind {
            ObjectKind::Dataset => self.made_of(&one.name),
            ObjectKind::FeatureView => self.services_with(&one.name, None),
            ObjectKind::FeatureService => self.pick(|object| match object {
                Object::TrainingRecipe(recipe) => recipe.spec.feature_service == one.name,
                _ => false,
            }),
            ObjectKind::TrainingRecipe => match self.get(one.kind, &one.name).map(Arc::as_ref) {
                Some(Object::TrainingRecipe(recipe)) => {
                    let model = &recipe.spec.model;
                    let there = self.get(ObjectKind::Model, model);
                    there.map(|_| Use { kind: ObjectKind::Model, name: model.clone() }).into_iter().collect()
                }
                _ => Vec::new(),
            },
            ObjectKind::Model => self.endpoints_of(&one.name, None),
            ObjectKind::Endpoint | ObjectKind::GlossaryTerm | ObjectKind::Entity => Vec::new(),
        }
    }

    fn pick(&self, wanted: impl Fn(&Object) -> bool) -> Vec<Use> {
        let picked = self.all().filter(|(_, object)| wanted(object));
        picked.map(|(name, object)| Use { kind: object.kind(), name: name.to_owned() }).collect()
    }

    fn made_of(&self, dataset: &str) -> Vec<Use> {
        let among = |datasets: &[String]| datasets.iter().any(|one| one == dataset);
        self.pick(|object| match object {
            Object::FeatureView(view) => among(&view.spec.source.datasets),
            Object::TrainingRecipe(recipe) => among(&recipe.spec.label.datasets),
            _ => false,
        })
    }

    /// Services that take a feature of the view; any, when none is named.
    fn services_with(&self, view: &str, feature: Option<&str>) -> Vec<Use> {
        let takes = |selection: &ViewSelection| {
            let all = selection.features.is_empty();
            selection.view == view
                && (all || feature.is_none_or(|name| selection.features.iter().any(|one| one == name)))
        };
        self.pick(|object| match object {
            Object::FeatureService(service) => service.spec.views.iter().any(takes),
            _ => false,
        })
    }

    /// Endpoints of the model that serve the version; any, when none is named. What an endpoint without a version serves,
    /// its status says.
    fn endpoints_of(&self, model: &str, version: Option<&str>) -> Vec<Use> {
        self.pick(|object| match object {
            Object::Endpoint(endpoint) if endpoint.spec.model == model => {
                let served = endpoint.spec.version.or(endpoint.status.as_ref().and_then(|status| status.version));
                version.is_none_or(|version| served.is_some_and(|served| served.to_string() == version))
            }
            _ => false,
        })
    }

    fn about(&self, term: &str) -> Vec<Use> {
        self.pick(|object| match object {
            Object::Dataset(dataset) => dataset.spec.terms.iter().any(|one| one.term == term),
            Object::FeatureView(view) => view.spec.terms.iter().any(|one| one.term == term),
            Object::GlossaryTerm(other) => other.spec.related.iter().any(|one| one == term),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object<K: serde::de::DeserializeOwned>(kind: &str, name: &str, spec: Value) -> K {
        let metadata = json!({ "name": name, "namespace": "demo" });
        serde_json::from_value(
            json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec }),
        )
        .unwrap()
    }

    fn demo() -> Namespace {
        let mut demo = Namespace::default();
        let dataset = json!({ "owner": "o", "source": { "path": "x" }, "schema": [{ "name": "gust", "type": "float64" }],
            "terms": [{ "term": "wind", "column": "gust" }] });
        demo.put("weather", Arc::new(Object::Dataset(Box::new(object("Dataset", "weather", dataset)))));
        let view = json!({ "entity": "e", "source": { "datasets": ["weather"], "sql": "SELECT 1" },
            "features": [{ "name": "gust" }, { "name": "temp" }] });
        demo.put("wind", Arc::new(Object::FeatureView(object("FeatureView", "wind", view))));
        for (name, features) in [("all", json!([])), ("gusts", json!(["gust"]))] {
            let service = json!({ "views": [{ "view": "wind", "features": features }] });
            demo.put(name, Arc::new(Object::FeatureService(object("FeatureService", name, service))));
        }
        let window = json!({});
        let recipe = json!({ "label": { "datasets": ["labels"], "sql": "s", "column": "l", "timestampColumn": "t" },
            "featureService": "gusts", "split": { "train": window, "test": window }, "algorithm": {}, "model": "late" });
        demo.put("train", Arc::new(Object::TrainingRecipe(object("TrainingRecipe", "train", recipe))));
        demo.put("late", Arc::new(Object::Model(object("Model", "late", json!({ "owner": "o" })))));
        let endpoint = json!({ "model": "late", "version": 2 });
        demo.put("late", Arc::new(Object::Endpoint(object("Endpoint", "late", endpoint))));
        let term = json!({ "owner": "o", "definition": "Moving air." });
        demo.put("wind", Arc::new(Object::GlossaryTerm(object("GlossaryTerm", "wind", term))));
        demo
    }

    #[track_caller]
    fn check(kind: EntryKind, of: ObjectKind, name: &str, part: Option<&str>, expect: &[&str]) {
        let entry = Entry {
            kind,
            of,
            namespace: "demo".into(),
            object: name.into(),
            part: part.map(str::to_owned),
            owner: String::new(),
            description: String::new(),
            classification: None,
            tags: Vec::new(),
            terms: Vec::new(),
            words: Vec::new(),
        };
        let found = demo().uses(&entry);
        let found: Vec<String> = found.iter().map(|one| format!("{}/{}", one.kind.as_str(), one.name)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn uses_are_followed_to_the_endpoints() {
        let downstream = ["FeatureService/gusts", "TrainingRecipe/train", "Model/late", "Endpoint/late"];
        check(EntryKind::Feature, ObjectKind::FeatureView, "wind", Some("temp"), &["FeatureService/all"]);
        let all = [&["FeatureService/all"][..], &downstream].concat();
        check(EntryKind::Feature, ObjectKind::FeatureView, "wind", Some("gust"), &all);
        check(EntryKind::Dataset, ObjectKind::Dataset, "weather", None, &[&["FeatureView/wind"][..], &all].concat());
        check(EntryKind::Dataset, ObjectKind::Dataset, "labels", None, &downstream[1..]);
        check(EntryKind::ModelVersion, ObjectKind::Model, "late", Some("1"), &[]);
        check(EntryKind::ModelVersion, ObjectKind::Model, "late", Some("2"), &["Endpoint/late"]);
    }

    #[test]
    fn features_that_are_computed_alike_are_found() {
        let mut demo = demo();
        let entity = json!({ "joinKeys": [{ "name": "site", "type": "string" }] });
        demo.put("e", Arc::new(Object::Entity(object("Entity", "e", entity))));
        for (name, sql, window) in [
            ("one", "SELECT site, gust * 2 AS twice FROM weather WHERE gust > 0", json!(null)),
            ("two", "select w.site as site, 2 * w.gust as doubled from weather w where 0 < w.gust", json!(null)),
            ("three", "SELECT site, gust * 2 AS twice FROM weather WHERE gust > 0", json!("1h")),
        ] {
            let column = if name == "two" { "doubled" } else { "twice" };
            let mut feature = json!({ "name": "f", "column": column });
            if !window.is_null() {
                feature["window"] = window;
                feature["aggregate"] = "mean".into();
            }
            let view =
                json!({ "entity": "e", "source": { "datasets": ["weather"], "sql": sql }, "features": [feature] });
            demo.put(name, Arc::new(Object::FeatureView(object("FeatureView", name, view))));
        }
        assert_eq!(demo.same_features("one", "f"), [("two".to_owned(), "f".to_owned())]);
        assert_eq!(demo.same_features("three", "f"), []);
        // Of two quantiles of one column each is another feature.
        for (name, q) in [("p50", 0.5), ("p90", 0.9), ("median", 0.5)] {
            let feature =
                json!({ "name": "f", "column": "gust", "aggregate": "quantile", "window": "1h", "quantile": q });
            let view = json!({ "entity": "e", "source": { "datasets": ["weather"], "sql": "SELECT site, gust FROM weather" },
                "features": [feature] });
            demo.put(name, Arc::new(Object::FeatureView(object("FeatureView", name, view))));
        }
        assert_eq!(demo.same_features("p50", "f"), [("median".to_owned(), "f".to_owned())]);
        demo.remove(ObjectKind::FeatureView, "two");
        assert_eq!(demo.same_features("one", "f"), []);
        assert_eq!(demo.same_features("one", "none"), []);
    }

    #[test]
    fn a_term_is_used_by_what_says_so() {
        check(EntryKind::GlossaryTerm, ObjectKind::GlossaryTerm, "wind", None, &["Dataset/weather"]);
    }
}

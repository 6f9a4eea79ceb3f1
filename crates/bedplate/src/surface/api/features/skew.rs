//! `POST …/skew`: whether a view's features are served as the source has them, or as a model was trained on them; and
//! `POST …/drift`: whether the source has them in one window as in another.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use bedplate_delivery::skew::{Compared, LEAST, Limits, THRESHOLD, Verdict, compare};
use bedplate_kinds::{FeatureView, TrainingRecipe, Window};
use bedplate_policy::{Action, Question, Resource, Tags};
use bedplate_statistics::{Gathered, SAMPLE};
use bedplate_types::{ErrorKind, NamespacedName, Problem, Span};
use kube::{Api, ResourceExt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::statistics::{SERVED_IN, Shown, about_served, has_times, named, unexpected};
use super::window::AskedWindow;
use super::{Features, in_time};
use crate::surface::api::{Asked, Failed, readable};
use crate::surface::sql::{Caller, is_name};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SkewWanted {
    version: Option<String>,
    /// Up to how long ago it was served.
    served: Option<Span>,
    /// Of the source.
    #[serde(default)]
    window: AskedWindow,
    /// The recipe of a training set to compare with, instead of the source.
    recipe: Option<String>,
    threshold: Option<f64>,
    /// Rows that each side must have.
    least: Option<u64>,
    /// What the values are read for.
    purpose: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftWanted {
    version: Option<String>,
    /// What is looked at.
    window: AskedWindow,
    /// What it is compared with.
    against: AskedWindow,
    threshold: Option<f64>,
    /// Rows that each side must have.
    least: Option<u64>,
    /// What the values are read for.
    purpose: Option<String>,
}

fn limits(what: &str, threshold: Option<f64>, least: Option<u64>) -> Result<Limits, Failed> {
    let limits = Limits { threshold: threshold.unwrap_or(THRESHOLD), least: least.unwrap_or(LEAST) };
    let invalid = |why: String| Err(Failed(Problem::new(ErrorKind::Invalid, what, why)));
    match limits {
        Limits { threshold, .. } if !(threshold.is_finite() && threshold > 0.0) => {
            invalid(format!("a threshold is a number above 0, not {threshold}"))
        }
        Limits { least, .. } if !(1..=SAMPLE as u64).contains(&least) => {
            invalid(format!("of 1 to {SAMPLE} rows a verdict can be asked for, not of {least}: no more are compared"))
        }
        limits => Ok(limits),
    }
}

pub async fn skew(
    State(features): State<Features>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<SkewWanted>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("the skew of feature view {name}");
    let purpose = wanted.as_ref().ok().and_then(|Json(wanted)| wanted.purpose.clone());
    let (caller, view) = features.opened(&headers, &name, purpose).await?;
    let wanted = readable(wanted, &what)?;
    let limits = limits(&what, wanted.threshold, wanted.least)?;
    let now = features.facts.clock.now();
    let served = AskedWindow { last: Some(wanted.served.unwrap_or(SERVED_IN)), ..AskedWindow::default() };
    let served = served.window(&what, now).map_err(Failed)?;
    let window = wanted.window.window(&what, now).map_err(Failed)?;
    if wanted.recipe.is_some() && !wanted.window.is_all() {
        let why = "a training set has the window it was made of: a window and a recipe do not go together";
        return Err(Failed(Problem::new(ErrorKind::Invalid, what, why)));
    }
    features.must_lead()?;
    Ok(Json(in_time(what, features.skewed(&caller, &view, &wanted, (served, window), limits)).await?))
}

pub async fn drift(
    State(features): State<Features>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<DriftWanted>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("the drift of feature view {name}");
    let purpose = wanted.as_ref().ok().and_then(|Json(wanted)| wanted.purpose.clone());
    let (caller, view) = features.opened(&headers, &name, purpose).await?;
    let wanted = readable(wanted, &what)?;
    let limits = limits(&what, wanted.threshold, wanted.least)?;
    let now = features.facts.clock.now();
    let window = |asked: &AskedWindow| asked.window(&what, now).map_err(Failed);
    let windows = (window(&wanted.window)?, window(&wanted.against)?);
    features.must_lead()?;
    Ok(Json(in_time(what, features.drifted(&caller, &view, &wanted, windows, limits)).await?))
}

impl Features {
    async fn skewed(
        &self,
        caller: &Caller,
        view: &FeatureView,
        wanted: &SkewWanted,
        (served, window): (Window, Window),
        limits: Limits,
    ) -> Result<Value, Problem> {
        let shown = self.shown(caller, view, wanted.version.as_deref(), "skew").await?;
        let served = self.served_in(&shown.declared, &served).await?;
        let (reference, values) = match &wanted.recipe {
            Some(recipe) => self.of_training_set(caller, &shown, recipe).await?,
            None => {
                has_times(&shown.declared, &window)?;
                let found = shown.declared.statistics(&self.platform, vec![window.clone()]).await?;
                let [found] = <[_; 1]>::try_from(found).map_err(|_| unexpected())?;
                (about_offline(&found, &window), by_feature(&shown, found))
            }
        };
        let current: BTreeMap<String, Vec<f64>> =
            shown.names().into_iter().enumerate().map(|(at, name)| (name, served.sample.column(at))).collect();
        judged(&shown, &values, &current, limits, json!({ "current": about_served(&served), "reference": reference }))
    }

    async fn drifted(
        &self,
        caller: &Caller,
        view: &FeatureView,
        wanted: &DriftWanted,
        (window, against): (Window, Window),
        limits: Limits,
    ) -> Result<Value, Problem> {
        let shown = self.shown(caller, view, wanted.version.as_deref(), "drift").await?;
        if window == against {
            let why = "both windows are the same";
            return Err(Problem::new(
                ErrorKind::Invalid,
                format!("the drift of feature view {}", shown.declared.name),
                why,
            ));
        }
        has_times(&shown.declared, &window)?;
        has_times(&shown.declared, &against)?;
        let found = shown.declared.statistics(&self.platform, vec![window.clone(), against.clone()]).await?;
        let [current, reference] = <[_; 2]>::try_from(found).map_err(|_| unexpected())?;
        let told =
            json!({ "current": about_offline(&current, &window), "reference": about_offline(&reference, &against) });
        judged(&shown, &by_feature(&shown, reference), &by_feature(&shown, current), limits, told)
    }

    /// Which rows a training set has, its label rows decide: only who may read all of those is told of it.
    async fn of_training_set(
        &self,
        caller: &Caller,
        shown: &Shown,
        recipe: &str,
    ) -> Result<(Value, BTreeMap<String, Vec<f64>>), Problem> {
        let recipe = self.recipe(caller, recipe).await?;
        for dataset in self.datasets(caller, &recipe.spec.label.datasets).await? {
            if self.sql.in_the_clear(caller, &dataset).is_empty() {
                let what = format!("the training set of recipe {}/{}", caller.namespace, recipe.name_any());
                let why =
                    format!("its label rows are of dataset {}, which you may not read in all rows", dataset.name_any());
                return Err(Problem::new(ErrorKind::Denied, what, why));
            }
        }
        let trained = shown.declared.trained(&Arc::new(self.platform.clone()), &recipe).await?;
        let rows = trained.values.values().next().map_or(0, Vec::len);
        let about = json!({ "of": "trainingSet", "recipe": recipe.name_any(), "trainingSet": trained.training_set,
            "window": recipe.spec.split.train, "rows": rows });
        Ok((about, trained.values))
    }

    async fn recipe(&self, caller: &Caller, name: &str) -> Result<TrainingRecipe, Problem> {
        const KIND: &str = "TrainingRecipe";
        let what = format!("training recipe {}/{name}", caller.namespace);
        let not_there = || {
            Problem::new(ErrorKind::NotFound, what.clone(), "is not there")
                .with_fix(format!("bedplate get trainingrecipes -n {}", caller.namespace))
        };
        if !is_name(name) {
            return Err(not_there());
        }
        let api = Api::<TrainingRecipe>::namespaced(self.facts.client.clone(), &caller.namespace);
        let found = api.get_opt(name).await;
        let found = found.map_err(|error| Problem::new(ErrorKind::Internal, what.clone(), error.to_string()))?;
        let found = found.ok_or_else(not_there)?;
        let resource = Resource { namespace: Some(&caller.namespace), kind: KIND, name: Some(name) };
        let owner = Some(found.spec.owner.clone()).filter(|owner| !owner.is_empty());
        let tags = Tags { owner, labels: found.labels().clone(), ..Tags::default() };
        let who = &caller.principal;
        let question = Question::new(&who.name, &who.groups, Action::Get, resource).tagged(&tags);
        if self.facts.policy.ask(&question).allowed { Ok(found) } else { Err(not_there()) }
    }
}

fn about_offline(found: &Gathered, window: &Window) -> Value {
    json!({ "of": "offline", "window": window, "rows": found.rows, "newest": found.newest })
}

fn by_feature(shown: &Shown, found: Gathered) -> BTreeMap<String, Vec<f64>> {
    shown.names().into_iter().zip(found.samples).collect()
}

/// Each feature that is clear to the caller, one by one; those of one side alone are told as such.
fn judged(
    shown: &Shown,
    reference: &BTreeMap<String, Vec<f64>>,
    current: &BTreeMap<String, Vec<f64>>,
    limits: Limits,
    mut told: Value,
) -> Result<Value, Problem> {
    let names: Vec<String> = shown.names().into_iter().filter(|name| shown.clear.contains(name)).collect();
    if names.is_empty() {
        let why = "each of its features is made of columns that you may not read as they are in all rows";
        return Err(Problem::new(ErrorKind::Denied, format!("feature view {}", shown.declared.name), why));
    }
    let (both, one): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| reference.contains_key(name) && current.contains_key(name));
    let compared: Vec<Compared> =
        both.iter().map(|name| compare(name, &reference[name], &current[name], limits)).collect();
    told["result"] = json!(result(&compared));
    told["threshold"] = json!(limits.threshold);
    told["least"] = json!(limits.least);
    told["features"] = json!(compared);
    told["notCompared"] = json!(one);
    told["hidden"] = json!(shown.hidden());
    Ok(named(told, &shown.declared))
}

/// One that differs makes all different; where nothing can be said of any, nothing is said.
fn result(compared: &[Compared]) -> Verdict {
    let has = |verdict| compared.iter().any(|one| one.verdict == verdict);
    match () {
        () if has(Verdict::Different) => Verdict::Different,
        () if has(Verdict::Alike) => Verdict::Alike,
        () => Verdict::TooFew,
    }
}

//! `POST …/statistics`: what a view's features are in its source in a window of time, or what was served of them.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use bedplate_controllers::{Declared, declared, source_columns};
use bedplate_kinds::{Dataset, FeatureView, Window};
use bedplate_statistics::{FeatureStatistics, HOUR, ServedWindow, hour_of};
use bedplate_types::{ErrorKind, NamespacedName, Problem, Span, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::window::AskedWindow;
use super::{Features, in_time};
use crate::platform::KEPT_HOURS;
use crate::surface::api::{Asked, Failed, readable};
use crate::surface::sql::Caller;

/// What was served is told of so much time where nobody says otherwise.
pub const SERVED_IN: Span = Span::from_micros(24 * HOUR);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    /// The one that is declared, or the first digits of it.
    version: Option<String>,
    #[serde(default)]
    window: AskedWindow,
    /// What was served, instead of what the source has.
    #[serde(default)]
    served: bool,
    /// What the values are read for.
    purpose: Option<String>,
}

pub async fn statistics(
    State(features): State<Features>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<Wanted>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("the statistics of feature view {name}");
    let purpose = wanted.as_ref().ok().and_then(|Json(wanted)| wanted.purpose.clone());
    let (caller, view) = features.opened(&headers, &name, purpose).await?;
    let wanted = readable(wanted, &what)?;
    let window = wanted.window.window(&what, features.facts.clock.now()).map_err(Failed)?;
    if !wanted.served {
        features.must_lead()?;
    }
    Ok(Json(in_time(what, features.told(&caller, &view, &wanted, window)).await?))
}

/// A view with the features whose values the caller may know.
pub struct Shown {
    pub declared: Declared,
    pub clear: BTreeSet<String>,
}

impl Shown {
    pub fn names(&self) -> Vec<String> {
        self.declared.definition().features.iter().map(|feature| feature.name.clone()).collect()
    }

    pub fn hidden(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| !self.clear.contains(name)).collect()
    }
}

impl Features {
    /// Written down before anything is read.
    pub async fn shown(
        &self,
        caller: &Caller,
        view: &FeatureView,
        version: Option<&str>,
        via: &str,
    ) -> Result<Shown, Problem> {
        let declared = declared(&self.platform, view).await?;
        is_version(&declared, version)?;
        let datasets = self.datasets(caller, &view.spec.source.datasets).await?;
        self.tell(caller, &datasets, &json!({ "via": via, "featureView": declared.name.name })).await?;
        self.cleared(caller, declared, &datasets).await
    }

    /// `datasets` are those of the view.
    pub async fn cleared(&self, caller: &Caller, declared: Declared, datasets: &[Dataset]) -> Result<Shown, Problem> {
        let columns = source_columns(&self.platform, &declared.view).await?;
        let clear = self.clear(caller, datasets, declared.definition(), &columns);
        Ok(Shown { declared, clear })
    }

    async fn told(
        &self,
        caller: &Caller,
        view: &FeatureView,
        wanted: &Wanted,
        window: Window,
    ) -> Result<Value, Problem> {
        let shown = self.shown(caller, view, wanted.version.as_deref(), "statistics").await?;
        let (mut told, features) = if wanted.served {
            let served = self.served_in(&shown.declared, &window).await?;
            let features = served.told(shown.names());
            let features = features.map_err(|error| Problem::of("what was served", &error))?;
            (about_served(&served), features)
        } else {
            has_times(&shown.declared, &window)?;
            let found = shown.declared.statistics(&self.platform, vec![window.clone()]).await?;
            let [found] = <[_; 1]>::try_from(found).map_err(|_| unexpected())?;
            (json!({ "of": "offline", "window": window, "rows": found.rows, "newest": found.newest }), found.features)
        };
        let is_clear = |feature: &FeatureStatistics| shown.clear.contains(&feature.profile.name);
        told["features"] = json!(features.into_iter().filter(is_clear).collect::<Vec<_>>());
        told["hidden"] = json!(shown.hidden());
        Ok(named(told, &shown.declared))
    }

    /// What was served in the hours of a window, of all processes, up to now of this one.
    pub async fn served_in(&self, declared: &Declared, window: &Window) -> Result<ServedWindow, Problem> {
        self.served.flush().await?;
        self.kept_in(declared, window).await
    }

    /// The same up to when it was last kept.
    pub async fn kept_in(&self, declared: &Declared, window: &Window) -> Result<ServedWindow, Problem> {
        let now = self.facts.clock.now();
        let from = window.from.unwrap_or(Timestamp::from_micros(now.micros() - SERVED_IN.micros()));
        let hours = (hour_of(from), window.to.map_or(i64::MAX, Timestamp::micros));
        let (id, width) = (declared.online_id(), declared.definition().features.len());
        let db = self.facts.db.clone();
        // Megabytes, of many hours.
        let read = move || db.read(|tx| bedplate_statistics::read(tx, &id, width, hours));
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.map_err(|error| Problem::new(ErrorKind::Internal, "what was served", error.to_string()))?;
        read.map_err(|error| Problem::of("what was served", &error))
    }
}

pub fn about_served(served: &ServedWindow) -> Value {
    let at = |hour: i64| Timestamp::from_micros(hour);
    json!({ "of": "served", "from": served.hours.map(|(first, _)| at(first)),
        "to": served.hours.map(|(_, last)| at(last + HOUR)), "served": served.served,
        "rows": served.sample.len(), "keptHours": KEPT_HOURS })
}

pub fn named(mut told: Value, declared: &Declared) -> Value {
    told["view"] = json!(declared.name.name);
    told["namespace"] = json!(declared.name.namespace);
    told["version"] = json!(declared.version);
    told
}

pub fn unexpected() -> Problem {
    Problem::new(ErrorKind::Internal, "the statistics", "there are not as many as there are windows")
}

/// # Errors
/// `Invalid`, of a view whose rows were always known.
pub fn has_times(declared: &Declared, window: &Window) -> Result<(), Problem> {
    if declared.definition().timestamp.is_some() || *window == Window::default() {
        return Ok(());
    }
    let why = "it has no timestampColumn: its rows were always known, and are in every window";
    let what = format!("feature view {}", declared.name);
    Err(Problem::new(ErrorKind::Invalid, what, why).with_fix("leave the window out"))
}

fn is_version(declared: &Declared, asked: Option<&str>) -> Result<(), Problem> {
    let Some(asked) = asked else { return Ok(()) };
    let digits = asked.strip_prefix("sha256:").unwrap_or(asked);
    if digits.len() >= 6 && declared.version.hex().starts_with(digits) {
        return Ok(());
    }
    let why = format!(
        "the version that is declared is {}; how other versions are made, and so who may see them, is not kept",
        declared.version
    );
    Err(Problem::new(ErrorKind::NotFound, format!("version {asked} of feature view {}", declared.name), why)
        .with_fix("leave --at-version out, or apply the definition of that version"))
}

//! POST /get-online-features

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::{IntoResponse, Response};
use bedplate_policy::Action;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::error::FeastError;
use crate::guard::{Caller, Guard, purpose};
use crate::store::{Features, Selected};
use crate::{Served, StoreError, body};

/// How many values may be asked for at once.
const MOST_CELLS: usize = 1_000_000;

/// Feast's `GetOnlineFeaturesRequest`. Numbers of versions are Feast's own and unknown here.
#[derive(Deserialize)]
struct GetOnlineFeatures {
    entities: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    feature_service: Option<String>,
    #[serde(default)]
    features: Option<Vec<String>>,
    #[serde(default)]
    full_feature_names: bool,
}

/// One column a join key and a feature, in the order they were asked for.
pub(crate) async fn get_online_features(
    State(served): State<Arc<Served>>,
    request: Request<Body>,
) -> Result<Response, FeastError> {
    let (parts, body) = request.into_parts();
    let caller = served.guard.who(&parts.headers)?;
    let asked: GetOnlineFeatures = body::read(body).await?;
    let features = asked.features()?;
    let missing = features.missing();
    served.guard.check(&caller, Action::ReadData, missing)?;
    let rows = asked.rows()?;
    let selected = served.store.select(&caller.namespace, &features).await?;
    checked(&served.guard, &caller, &selected, purpose(&parts.headers))?;
    let names = selected.heading.names(asked.full_feature_names)?;
    if rows.saturating_mul(selected.features.len()) > MOST_CELLS {
        return Err(FeastError::body(
            "entities",
            format!("asks for more than {MOST_CELLS} values: ask for fewer rows"),
        ));
    }
    let keys = &selected.heading.keys;
    if let Some(key) = keys.iter().find(|key| !asked.entities.contains_key(*key)) {
        return Err(FeastError::body("entities", format!("lacks the join key {key:?}")));
    }
    let found = served.store.read(&selected, &asked.entities, rows).await.map_err(|error| match error {
        StoreError::Column { column, why } => FeastError::body("entities", format!("column {column:?} {why}")),
        other => other.into(),
    })?;
    let answer =
        Answer { names, sent: keys.iter().map(|key| asked.entities[key].as_slice()).collect(), found: &found, rows };
    let text = answer.text().map_err(|error| FeastError::body("body", error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Whether the caller may read each of the views for the purpose.
pub(crate) fn checked(
    guard: &Guard,
    caller: &Caller,
    selected: &Selected,
    purpose: Option<&str>,
) -> Result<(), FeastError> {
    selected.views.iter().try_for_each(|view| guard.check_view(caller, view, purpose))
}

impl GetOnlineFeatures {
    fn features(&self) -> Result<Features, FeastError> {
        match (&self.feature_service, &self.features) {
            (Some(service), None) => Ok(Features::Service(service.clone())),
            (None, Some(refs)) if !refs.is_empty() => {
                refs.iter().map(|text| reference(text)).collect::<Result<_, _>>().map(Features::Refs)
            }
            (Some(_), Some(_)) => Err(FeastError::body("features", "stand beside feature_service: name one of them")),
            _ => Err(FeastError::body("features", "no features specified for retrieval")),
        }
    }

    fn rows(&self) -> Result<usize, FeastError> {
        let lengths: BTreeSet<usize> = self.entities.values().map(Vec::len).collect();
        match (lengths.len(), lengths.first()) {
            (1, Some(rows)) => Ok(*rows),
            (0, _) => Err(FeastError::body("entities", "is empty: name the join keys, each with a value a row")),
            _ => Err(FeastError::body("entities", "all columns must have as many values")),
        }
    }
}

/// `view:feature`, or with the version that is in force, `view@latest:feature`.
pub(crate) fn reference(text: &str) -> Result<(String, String), FeastError> {
    let wrong = || {
        FeastError::body("features", format!("invalid feature reference {text:?}: it must be <feature_view>:<feature>"))
    };
    let (view, feature) = text.split_once(':').ok_or_else(wrong)?;
    if view.is_empty() || feature.is_empty() {
        return Err(wrong());
    }
    match view.split_once('@') {
        None => Ok((view.to_owned(), feature.to_owned())),
        Some((view, "latest")) => Ok((view.to_owned(), feature.to_owned())),
        Some((view, version)) => {
            Err(StoreError::NoVersion { view: view.to_owned(), version: version.to_owned() }.into())
        }
    }
}

//! What a dataset's columns hold. Counts are for whoever may get the dataset; what tells of values is for whoever may read
//! the column as it is, in all rows.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use bedplate_controllers::DatasetProfile;
use bedplate_db::{DbError, Tx};
use bedplate_policy::Action;
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Data, Failed, failed};
use crate::surface::profile::shown;
use crate::surface::sql::Caller;

#[derive(Deserialize)]
pub struct ProfileQuery {
    /// The newest when left out.
    version: Option<i64>,
    /// What the values are read for.
    purpose: Option<String>,
}

pub async fn profile(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    Query(asked): Query<ProfileQuery>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let principal = data.facts.who(&headers)?;
    let dataset = data.facts.dataset(&principal, Action::Get, &name).await.map_err(Failed)?;
    let read = |tx: &mut dyn Tx| -> Result<_, DbError> {
        let found = bedplate_controllers::profile(tx, &name, asked.version)?;
        Ok((found, bedplate_controllers::profiled_versions(tx, &name)?))
    };
    let what = format!("the profile of dataset {name}");
    let (found, versions) = data.facts.db.read(read).map_err(|error| failed(&what)(&error))?;
    let Some(DatasetProfile { version, at, profile, suggestions, .. }) = found else { return Err(none(&name, what)) };
    let purpose = asked.purpose.filter(|purpose| !purpose.is_empty());
    let caller = Caller { principal, namespace: name.namespace.clone(), purpose };
    let profile = shown(profile, &dataset.spec, &data.sql.in_the_clear(&caller, &dataset));
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "version": version, "at": at,
        "rows": profile.rows, "columns": profile.columns, "piiSuggestions": suggestions, "versions": versions })))
}

fn none(name: &NamespacedName, what: String) -> Failed {
    let why = "there is none of that version: one is gathered behind each ingest, and the last 20 are kept";
    let fix = format!("bedplate describe dataset {} -n {}", name.name, name.namespace);
    Failed(Problem::new(ErrorKind::NotFound, what, why).with_fix(fix))
}

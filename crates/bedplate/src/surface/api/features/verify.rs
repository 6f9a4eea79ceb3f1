//! `POST …/verify`: a sample of what the online store says of a view, against what its source says.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use bedplate_controllers::{Look, look, source_columns};
use bedplate_kinds::{FeatureView, ParityResult};
use bedplate_parity::How;
use bedplate_types::{ErrorKind, NamespacedName, Problem, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Features, in_time};
use crate::surface::api::{Asked, Failed, readable};
use crate::surface::sql::Caller;

/// Entities of a sample where nobody says how many, and at most.
const SAMPLE: usize = 1_000;
const LARGEST_SAMPLE: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    /// Entities.
    sample: Option<usize>,
    #[serde(default)]
    seed: u32,
    at: Option<Timestamp>,
    /// What the values are read for.
    purpose: Option<String>,
}

pub async fn verify(
    State(features): State<Features>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<Wanted>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("verifying feature view {name}");
    let purpose = wanted.as_ref().ok().and_then(|Json(wanted)| wanted.purpose.clone());
    let (caller, view) = features.opened(&headers, &name, purpose).await?;
    let wanted = readable(wanted, &what)?;
    let how = how(&wanted, &what, features.facts.clock.now())?;
    features.must_lead()?;
    let (look, mut told) = in_time(what, features.verified(&caller, &view, how)).await?;
    let now = features.facts.clock.now();
    let freshness = look.freshness(now);
    told["view"] = json!(name.name);
    told["namespace"] = json!(name.namespace);
    told["version"] = json!(look.version);
    told["stale"] = json!(look.stale);
    told["result"] = json!(look.result());
    told["seed"] = json!(wanted.seed);
    told["at"] = json!(now);
    told["ttl"] = json!(look.view.definition.ttl);
    told["expired"] = json!(freshness.expired);
    told["materializeUntil"] = json!(view.spec.materialize_until);
    Ok(Json(told))
}

fn how(wanted: &Wanted, what: &str, now: Timestamp) -> Result<How, Failed> {
    let entities = wanted.sample.unwrap_or(SAMPLE);
    if entities == 0 || entities > LARGEST_SAMPLE {
        let why = format!("a sample is of 1 to {LARGEST_SAMPLE} entities, not of {entities}");
        return Err(Failed(Problem::new(ErrorKind::Invalid, what, why)));
    }
    Ok(How { entities, seed: wanted.seed.into(), at: wanted.at, now })
}

impl Features {
    /// Written down before anything is read. Of the examples those stay whose values the caller may read.
    async fn verified(&self, caller: &Caller, view: &FeatureView, how: How) -> Result<(Look, Value), Problem> {
        let datasets = self.datasets(caller, &view.spec.source.datasets).await?;
        let detail =
            json!({ "via": "verify", "featureView": view.metadata.name, "sample": how.entities, "seed": how.seed });
        self.tell(caller, &datasets, &detail).await?;
        let mut look = look(&self.platform, view, how).await?;
        let mut hidden = 0;
        if look.result() == ParityResult::Different {
            let columns = source_columns(&self.platform, &look.view).await?;
            let clear = self.clear(caller, &datasets, &look.view.definition, &columns);
            let all = look.verified.examples.len();
            look.verified.examples.retain(|example| clear.contains(&example.feature));
            hidden = all - look.verified.examples.len();
        }
        let told = serde_json::to_value(&look.verified);
        let mut told = told.map_err(|error| Problem::new(ErrorKind::Internal, "the result", error.to_string()))?;
        told["hiddenExamples"] = json!(hidden);
        Ok((look, told))
    }
}

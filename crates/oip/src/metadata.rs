//! GET /v2/models/{model}[/versions/{version}][/ready]

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use bedplate_identity::Principal;
use bedplate_policy::{Action, Tags};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::OipError;
use crate::server::status;
use crate::target::{self, Target};
use crate::{ModelMetadata, Served, guard};

/// The variable parts of a URL.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub model: String,
    #[serde(default)]
    pub version: Option<String>,
}

pub(crate) async fn model(
    State(served): State<Arc<Served>>,
    Path(named): Path<Named>,
    headers: HeaderMap,
) -> Result<Json<Value>, OipError> {
    let (_, metadata) = visible(&served, &named, &headers)?;
    Ok(Json(json!({
        "name": named.model,
        "versions": metadata.versions.iter().map(u32::to_string).collect::<Vec<_>>(),
        "platform": metadata.platform,
        "inputs": metadata.inputs.iter().map(|input| tensor(&input.name, input.datatype.as_str(), &[-1])).collect::<Vec<_>>(),
        "outputs": metadata.outputs.iter().map(|out| tensor(&out.name, out.datatype.as_str(), &out.shape)).collect::<Vec<_>>(),
    })))
}

fn tensor(name: &str, datatype: &str, shape: &[i64]) -> Value {
    json!({ "name": name, "datatype": datatype, "shape": shape })
}

pub(crate) async fn ready(
    State(served): State<Arc<Served>>,
    Path(named): Path<Named>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Value>), OipError> {
    let (_, metadata) = visible(&served, &named, &headers)?;
    Ok((status(metadata.ready), Json(json!({ "name": named.model, "ready": metadata.ready }))))
}

fn visible(served: &Served, named: &Named, headers: &HeaderMap) -> Result<(Target, Arc<ModelMetadata>), OipError> {
    let who = served.guard.who(headers)?;
    let target = target::resolve(&named.model, headers, &who);
    let metadata = permitted(served, &who, Action::Get, &target, headers)?;
    version(named, &target, &metadata)?;
    Ok((target, metadata))
}

/// The endpoint, for whom the policy lets do this with the data behind it. The answer to all others does not depend on what
/// is there.
pub(crate) fn permitted(
    served: &Served,
    who: &Principal,
    action: Action,
    target: &Target,
    headers: &HeaderMap,
) -> Result<Arc<ModelMetadata>, OipError> {
    let found = served.predictor.metadata(&target.namespace, &target.endpoint);
    let tags = found.as_ref().map_or(Tags::none(), |found| &found.tags);
    served.guard.check(who, action, target, tags, guard::purpose(headers))?;
    found.ok_or_else(|| OipError::NoEndpoint(target.clone()))
}

/// The version in the URL, if there is one: it must be served.
pub(crate) fn version(named: &Named, target: &Target, metadata: &ModelMetadata) -> Result<Option<u32>, OipError> {
    let Some(text) = &named.version else { return Ok(None) };
    let version = text.parse().ok().filter(|version| metadata.versions.contains(version));
    version.map(Some).ok_or_else(|| OipError::NoVersion {
        target: target.clone(),
        version: text.clone(),
        served: metadata.versions.clone(),
    })
}

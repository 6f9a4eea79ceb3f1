//! `data load`: a source on another machine is looked at now, and not only when it is due.

use bedplate_client::ClientError;
use bedplate_controllers::ASKED;
use bedplate_kinds::Dataset;
use bedplate_types::{ErrorKind, Problem, Timestamp};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::commands::connect::asking;

/// Asks for it by an annotation, with the right to change the Dataset.
pub async fn ask(client: &Client, namespace: &str, dataset: &str, now: Timestamp) -> Result<Value, Problem> {
    let what = || format!("dataset {namespace}/{dataset}");
    let failed = |error| asking(what())(ClientError::of(&what(), error));
    let api = Api::<Dataset>::namespaced(client.clone(), namespace);
    let found = api.get(dataset).await.map_err(failed)?;
    if !found.spec.source.is_elsewhere() {
        let why = "its source is a path of the platform's own machine, which is looked at every five minutes";
        let fix = "bedplate apply -f its manifest, once anything in it has changed";
        return Err(Problem::new(ErrorKind::Invalid, what(), why).with_fix(fix));
    }
    let patch = Patch::Merge(json!({ "metadata": { "annotations": { ASKED: now.to_string() } } }));
    api.patch(dataset, &PatchParams::default(), &patch).await.map_err(failed)?;
    Ok(json!({ "dataset": dataset, "asked": now.to_string() }))
}

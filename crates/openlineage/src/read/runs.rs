//! GET /api/v1/jobs/runs/{id}, and runs wherever they are shown.

use std::collections::BTreeMap;

use axum::Json;
use bedplate_db::{Row, Tx};
use bedplate_policy::Action;
use bedplate_types::Timestamp;
use serde_json::json;

use super::facets::{facets, word};
use crate::answer::{Detail, FacetTexts, Id, Run, UsedVersion, VersionId};
use crate::call::Call;
use crate::dataset::Side;
use crate::error::Failure;
use crate::sight::Sight;
use crate::store::facets::{RunKey, Subject};
use crate::store::{state, uuid_of};

/// What [`run`] reads.
pub(super) const COLUMNS: &str =
    "id, namespace, job, created_at, updated_at, started_at, end_state, ended_at, ended_by";
/// The most datasets of a run that are shown, and the most jobs whose runs share an id.
const SHOWN: i64 = 1_000;

pub(crate) async fn get(call: Call) -> Result<Json<Run>, Failure> {
    let (id, sight) = (call.name("id")?, call.sight(Action::Get));
    call.read(move |tx| one(tx, &sight, &id)).await.map(Json)
}

/// The earliest run of that id that may be seen.
fn one(tx: &mut dyn Tx, sight: &Sight, id: &str) -> Result<Run, Failure> {
    let sql =
        format!("SELECT {COLUMNS} FROM openlineage_runs WHERE id = $1 ORDER BY created_at, namespace, job LIMIT $2");
    for row in tx.query(&sql, &[id.to_ascii_lowercase().into(), SHOWN.into()])? {
        if sight.reaches(row.text(1)?) {
            return run(tx, sight, &row, Detail::Full);
        }
    }
    Err(Failure::NotFound(format!("Run '{id}'")))
}

pub(super) fn run(tx: &mut dyn Tx, sight: &Sight, row: &Row, detail: Detail) -> Result<Run, Failure> {
    let key = RunKey { id: row.text(0)?, namespace: row.text(1)?, job: row.text(2)? };
    let state = state(row, 3)?;
    let facets = facets(tx, Subject::Run(key))?;
    let (inputs, outputs) = (used(tx, sight, key, Side::Input, detail)?, used(tx, sight, key, Side::Output, detail)?);
    let ended = state.end.as_ref().map(|end| end.stamp.at);
    let micros = state.started.zip(ended).map(|(started, ended)| ended.saturating_sub(started));
    Ok(Run {
        id: key.id.to_owned(),
        created_at: Timestamp::from_micros(state.first),
        updated_at: Timestamp::from_micros(state.last),
        nominal_start_time: word(&facets, "nominalTime", "nominalStartTime"),
        nominal_end_time: word(&facets, "nominalTime", "nominalEndTime"),
        state: state.name().to_owned(),
        started_at: state.started.map(Timestamp::from_micros),
        ended_at: ended.map(Timestamp::from_micros),
        duration_ms: micros.map(|micros| micros / 1_000),
        args: BTreeMap::new(),
        job_version: job_version(key.namespace, key.job, &ids(&inputs), &ids(&outputs)),
        input_dataset_versions: inputs,
        output_dataset_versions: outputs,
        facets,
    })
}

fn used(
    tx: &mut dyn Tx,
    sight: &Sight,
    run: RunKey<'_>,
    side: Side,
    detail: Detail,
) -> Result<Vec<UsedVersion>, Failure> {
    let rows = tx.query(
        "SELECT dataset_namespace, dataset, version FROM openlineage_run_io
         WHERE run_id = $1 AND namespace = $2 AND job = $3 AND side = $4 ORDER BY dataset_namespace, dataset LIMIT $5",
        &[run.id.into(), run.namespace.into(), run.job.into(), side.as_str().into(), SHOWN.into()],
    )?;
    let mut used = Vec::new();
    for row in &rows {
        let (namespace, dataset) = (row.text(0)?, row.text(1)?);
        if sight.reaches(namespace) {
            let version = row.opt_text(2)?.map(str::to_owned);
            let id = VersionId { namespace: namespace.to_owned(), name: dataset.to_owned(), version };
            let facets = match detail {
                Detail::Full => facets(tx, Subject::Use { run, side, namespace, dataset })?,
                Detail::Brief => FacetTexts::new(),
            };
            used.push(UsedVersion { dataset_version_id: id, facets });
        }
    }
    Ok(used)
}

fn ids(used: &[UsedVersion]) -> Vec<Id> {
    let id = |of: &VersionId| Id { namespace: of.namespace.clone(), name: of.name.clone() };
    used.iter().map(|used| id(&used.dataset_version_id)).collect()
}

/// A job is another version of itself when it reads or writes other datasets.
pub(super) fn job_version(namespace: &str, job: &str, inputs: &[Id], outputs: &[Id]) -> VersionId {
    let version = uuid_of(&json!([namespace, job, inputs, outputs]).to_string());
    VersionId { namespace: namespace.to_owned(), name: job.to_owned(), version: Some(version) }
}

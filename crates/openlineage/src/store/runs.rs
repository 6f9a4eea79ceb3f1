//! Runs: their state, and the versions they read and wrote.

use bedplate_db::{DbError, Row, Tx};

use super::datasets::Version;
use super::facets::{self, RunKey, Subject};
use crate::dataset::Use;
use crate::event::{Job, Run};
use crate::run_state::{End, RunState, Stamp};

pub(super) fn put(tx: &mut dyn Tx, run: &Run, job: &Job, stamp: &Stamp) -> Result<(), DbError> {
    let told = RunState::of(run.change, stamp.clone());
    let state = match known(tx, key(run, job))? {
        Some(known) => known.join(told),
        None => told,
    };
    let (end_state, ended_at, ended_by) =
        state.end.map_or((None, None, None), |end| (Some(end.state), Some(end.stamp.at), Some(end.stamp.event)));
    tx.execute(
        "INSERT INTO openlineage_runs
             (id, namespace, job, created_at, updated_at, started_at, end_state, ended_at, ended_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id, namespace, job) DO UPDATE SET
             created_at = excluded.created_at, updated_at = excluded.updated_at, started_at = excluded.started_at,
             end_state = excluded.end_state, ended_at = excluded.ended_at, ended_by = excluded.ended_by",
        &[
            (&run.id).into(),
            (&job.namespace).into(),
            (&job.name).into(),
            state.first.into(),
            state.last.into(),
            state.started.into(),
            end_state.into(),
            ended_at.into(),
            ended_by.into(),
        ],
    )?;
    facets::put(tx, Subject::Run(key(run, job)), &run.facets, stamp)
}

fn known(tx: &mut dyn Tx, run: RunKey<'_>) -> Result<Option<RunState>, DbError> {
    let rows = tx.query(
        "SELECT created_at, updated_at, started_at, end_state, ended_at, ended_by FROM openlineage_runs
         WHERE id = $1 AND namespace = $2 AND job = $3",
        &[run.id.into(), run.namespace.into(), run.job.into()],
    )?;
    rows.first().map(|row| state(row, 0)).transpose()
}

/// Reads six columns from `first` on: created_at, updated_at, started_at, end_state, ended_at, ended_by.
pub(crate) fn state(row: &Row, first: usize) -> Result<RunState, DbError> {
    let end = match (row.opt_text(first + 3)?, row.opt_int(first + 4)?, row.opt_text(first + 5)?) {
        (Some(state), Some(at), Some(by)) => {
            Some(End { stamp: Stamp { at, event: by.to_owned() }, state: state.to_owned() })
        }
        _ => None,
    };
    Ok(RunState { first: row.int(first)?, last: row.int(first + 1)?, started: row.opt_int(first + 2)?, end })
}

pub(super) fn put_use(
    tx: &mut dyn Tx,
    run: &Run,
    job: &Job,
    used: &Use,
    version: Option<Version>,
    stamp: &Stamp,
) -> Result<(), DbError> {
    let told = version.is_some();
    let by = told.then(|| stamp.event.clone());
    tx.execute(
        "INSERT INTO openlineage_run_io AS known
             (run_id, namespace, job, side, dataset_namespace, dataset, version, version_at, version_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (run_id, namespace, job, side, dataset_namespace, dataset) DO UPDATE
         SET version = excluded.version, version_at = excluded.version_at, version_by = excluded.version_by
         WHERE excluded.version_at IS NOT NULL AND (known.version_at IS NULL
            OR excluded.version_at > known.version_at
            OR (excluded.version_at = known.version_at AND excluded.version_by > known.version_by))",
        &[
            (&run.id).into(),
            (&job.namespace).into(),
            (&job.name).into(),
            used.side.as_str().into(),
            (&used.dataset.namespace).into(),
            (&used.dataset.name).into(),
            version.and_then(|version| version.0).into(),
            told.then_some(stamp.at).into(),
            by.into(),
        ],
    )?;
    let (namespace, dataset) = (used.dataset.namespace.as_str(), used.dataset.name.as_str());
    let subject = Subject::Use { run: key(run, job), side: used.side, namespace, dataset };
    facets::put(tx, subject, &used.facets, stamp)
}

fn key<'a>(run: &'a Run, job: &'a Job) -> RunKey<'a> {
    RunKey { id: &run.id, namespace: &job.namespace, job: &job.name }
}

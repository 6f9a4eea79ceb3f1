//! GET /api/v1/namespaces/{namespace}/jobs, …/jobs/{job} and …/jobs/{job}/runs

use axum::Json;
use axum::response::{IntoResponse, Response};
use bedplate_db::{Row, Tx};
use bedplate_policy::Action;
use bedplate_types::Timestamp;
use serde::Serialize;

use super::facets::{facets, weight, within, word};
use super::{namespaces, runs};
use crate::answer::{Detail, Id, Job, Run};
use crate::call::{Call, Page};
use crate::dataset::Side;
use crate::error::Failure;
use crate::sight::Sight;
use crate::store::facets::Subject;

/// The runs that are shown with a job.
const RECENT: Page = Page { limit: 10, offset: 0 };
/// The most runs of a list.
const RUNS: u32 = 100;
/// The most datasets on a side of a job that are shown.
const SHOWN: i64 = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Jobs {
    jobs: Vec<Job>,
    total_count: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Runs {
    runs: Vec<Run>,
    total_count: i64,
}

pub(crate) async fn list(call: Call) -> Result<Response, Failure> {
    let (namespace, page, sight) = (call.name("namespace")?, call.page()?, call.sight(Action::List));
    call.read(move |tx| all(tx, &sight, &namespace, page)).await.map(|jobs| Json(jobs).into_response())
}

pub(crate) async fn get(call: Call) -> Result<Response, Failure> {
    let (namespace, (name, runs)) = (call.name("namespace")?, call.name_before("runs")?);
    let (page, sight) = (call.page()?, call.sight(if runs { Action::List } else { Action::Get }));
    if runs {
        call.read(move |tx| runs_of(tx, &sight, &namespace, &name, page)).await.map(|runs| Json(runs).into_response())
    } else {
        call.read(move |tx| one(tx, &sight, &namespace, &name)).await.map(|job| Json(job).into_response())
    }
}

fn all(tx: &mut dyn Tx, sight: &Sight, namespace: &str, page: Page) -> Result<Jobs, Failure> {
    namespaces::one(tx, sight, namespace)?;
    let sql = "SELECT namespace, name, created_at, updated_at FROM openlineage_jobs WHERE namespace = $1
               ORDER BY name LIMIT $2 OFFSET $3";
    let rows = tx.query(sql, &[namespace.into(), page.limit.into(), page.offset.into()])?;
    let jobs = within(&rows, |row| {
        let job = job(tx, sight, row, Detail::Brief)?;
        Ok((weight(job.facets.as_ref()), job))
    })?;
    let count = tx.query("SELECT COUNT(*) FROM openlineage_jobs WHERE namespace = $1", &[namespace.into()])?;
    Ok(Jobs { jobs, total_count: count.first().map_or(Ok(0), |row| row.int(0))? })
}

fn one(tx: &mut dyn Tx, sight: &Sight, namespace: &str, name: &str) -> Result<Job, Failure> {
    namespaces::one(tx, sight, namespace)?;
    find(tx, sight, namespace, name, Detail::Full)?.ok_or_else(|| Failure::NotFound(format!("Job '{name}'")))
}

/// The job, in a namespace that may be seen.
pub(super) fn find(
    tx: &mut dyn Tx,
    sight: &Sight,
    namespace: &str,
    name: &str,
    detail: Detail,
) -> Result<Option<Job>, Failure> {
    let sql = "SELECT namespace, name, created_at, updated_at FROM openlineage_jobs WHERE namespace = $1 AND name = $2";
    let rows = tx.query(sql, &[namespace.into(), name.into()])?;
    rows.first().map(|row| job(tx, sight, row, detail)).transpose()
}

fn runs_of(tx: &mut dyn Tx, sight: &Sight, namespace: &str, name: &str, page: Page) -> Result<Runs, Failure> {
    one(tx, sight, namespace, name)?;
    let page = Page { limit: page.limit.min(RUNS), ..page };
    let runs = recent(tx, sight, namespace, name, page, Detail::Full)?;
    let sql = "SELECT COUNT(*) FROM openlineage_runs WHERE namespace = $1 AND job = $2";
    let count = tx.query(sql, &[namespace.into(), name.into()])?;
    Ok(Runs { runs, total_count: count.first().map_or(Ok(0), |row| row.int(0))? })
}

fn recent(
    tx: &mut dyn Tx,
    sight: &Sight,
    namespace: &str,
    name: &str,
    page: Page,
    detail: Detail,
) -> Result<Vec<Run>, Failure> {
    let sql = format!(
        "SELECT {} FROM openlineage_runs WHERE namespace = $1 AND job = $2
         ORDER BY created_at DESC, id LIMIT $3 OFFSET $4",
        runs::COLUMNS
    );
    let rows = tx.query(&sql, &[namespace.into(), name.into(), page.limit.into(), page.offset.into()])?;
    within(&rows, |row| {
        let run = runs::run(tx, sight, row, detail)?;
        Ok((weight(Some(&run.facets)), run))
    })
}

fn job(tx: &mut dyn Tx, sight: &Sight, row: &Row, detail: Detail) -> Result<Job, Failure> {
    let (namespace, name) = (row.text(0)?, row.text(1)?);
    let facets = facets(tx, Subject::Job { namespace, name })?;
    let inputs = side(tx, sight, namespace, name, Side::Input)?;
    let outputs = side(tx, sight, namespace, name, Side::Output)?;
    let latest = recent(tx, sight, namespace, name, Page { limit: 1, ..RECENT }, detail)?.pop();
    let earlier = match detail {
        Detail::Full => recent(tx, sight, namespace, name, RECENT, detail)?,
        Detail::Brief => Vec::new(),
    };
    let streams = word(&facets, "jobType", "processingType").is_some_and(|told| told == "STREAMING");
    Ok(Job {
        id: Id { namespace: namespace.to_owned(), name: name.to_owned() },
        sort: if streams { "STREAM" } else { "BATCH" },
        name: name.to_owned(),
        simple_name: name.to_owned(),
        parent_job_name: None,
        parent_job_uuid: None,
        created_at: Timestamp::from_micros(row.int(2)?),
        updated_at: Timestamp::from_micros(row.int(3)?),
        namespace: namespace.to_owned(),
        location: word(&facets, "sourceCodeLocation", "url"),
        description: word(&facets, "documentation", "description"),
        latest_run: latest,
        latest_runs: earlier,
        facets: Some(facets),
        current_version: runs::job_version(namespace, name, &inputs, &outputs).version.unwrap_or_default(),
        labels: Vec::new(),
        tags: Vec::new(),
        inputs,
        outputs,
    })
}

fn side(tx: &mut dyn Tx, sight: &Sight, namespace: &str, job: &str, side: Side) -> Result<Vec<Id>, Failure> {
    let rows = tx.query(
        "SELECT dataset_namespace, dataset FROM openlineage_io WHERE namespace = $1 AND job = $2 AND side = $3
         ORDER BY dataset_namespace, dataset LIMIT $4",
        &[namespace.into(), job.into(), side.as_str().into(), SHOWN.into()],
    )?;
    let ids = rows.iter().map(|row| Ok(Id { namespace: row.text(0)?.to_owned(), name: row.text(1)?.to_owned() }));
    let ids = ids.collect::<Result<Vec<_>, Failure>>()?;
    Ok(ids.into_iter().filter(|id| sight.reaches(&id.namespace)).collect())
}

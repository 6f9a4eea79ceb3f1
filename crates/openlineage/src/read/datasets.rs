//! GET /api/v1/namespaces/{namespace}/datasets, …/datasets/{dataset} and …/datasets/{dataset}/versions

use axum::Json;
use axum::response::{IntoResponse, Response};
use bedplate_db::{Row, Tx};
use bedplate_policy::Action;
use bedplate_types::Timestamp;
use serde::Serialize;

use super::facets::{facets, weight, within, word};
use super::{columns, namespaces, runs};
use crate::answer::{Dataset, DatasetVersion, Detail, FieldTold, Id, Run, VersionId};
use crate::call::{Call, Page};
use crate::error::Failure;
use crate::sight::Sight;
use crate::store::facets::Subject;

/// Every dataset of OpenLineage is a table to Marquez.
const SORT: &str = "DB_TABLE";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Datasets {
    datasets: Vec<Dataset>,
    total_count: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    versions: Vec<DatasetVersion>,
    total_count: i64,
}

pub(crate) async fn list(call: Call) -> Result<Response, Failure> {
    let (namespace, page, sight) = (call.name("namespace")?, call.page()?, call.sight(Action::List));
    call.read(move |tx| all(tx, &sight, &namespace, page)).await.map(|datasets| Json(datasets).into_response())
}

pub(crate) async fn get(call: Call) -> Result<Response, Failure> {
    let (namespace, (name, versions)) = (call.name("namespace")?, call.name_before("versions")?);
    let (page, sight) = (call.page()?, call.sight(if versions { Action::List } else { Action::Get }));
    if versions {
        let versions = call.read(move |tx| versions_of(tx, &sight, &namespace, &name, page)).await?;
        Ok(Json(versions).into_response())
    } else {
        call.read(move |tx| one(tx, &sight, &namespace, &name)).await.map(|dataset| Json(dataset).into_response())
    }
}

const FROM: &str =
    "SELECT d.namespace, d.name, d.created_at, d.updated_at, d.version, v.fields FROM openlineage_datasets d
    LEFT JOIN openlineage_versions v ON v.namespace = d.namespace AND v.dataset = d.name AND v.version = d.version";

fn all(tx: &mut dyn Tx, sight: &Sight, namespace: &str, page: Page) -> Result<Datasets, Failure> {
    namespaces::one(tx, sight, namespace)?;
    let sql = format!("{FROM} WHERE d.namespace = $1 ORDER BY d.name LIMIT $2 OFFSET $3");
    let rows = tx.query(&sql, &[namespace.into(), page.limit.into(), page.offset.into()])?;
    let datasets = within(&rows, |row| {
        let dataset = dataset(tx, sight, row, Detail::Brief)?;
        Ok((weight(dataset.facets.as_ref()), dataset))
    })?;
    let count = tx.query("SELECT COUNT(*) FROM openlineage_datasets WHERE namespace = $1", &[namespace.into()])?;
    Ok(Datasets { datasets, total_count: count.first().map_or(Ok(0), |row| row.int(0))? })
}

fn one(tx: &mut dyn Tx, sight: &Sight, namespace: &str, name: &str) -> Result<Dataset, Failure> {
    namespaces::one(tx, sight, namespace)?;
    find(tx, sight, namespace, name, Detail::Full)?.ok_or_else(|| Failure::NotFound(format!("Dataset '{name}'")))
}

/// The dataset, in a namespace that may be seen.
pub(super) fn find(
    tx: &mut dyn Tx,
    sight: &Sight,
    namespace: &str,
    name: &str,
    detail: Detail,
) -> Result<Option<Dataset>, Failure> {
    let sql = format!("{FROM} WHERE d.namespace = $1 AND d.name = $2");
    let rows = tx.query(&sql, &[namespace.into(), name.into()])?;
    rows.first().map(|row| dataset(tx, sight, row, detail)).transpose()
}

fn dataset(tx: &mut dyn Tx, sight: &Sight, row: &Row, detail: Detail) -> Result<Dataset, Failure> {
    let (namespace, name) = (row.text(0)?, row.text(1)?);
    let facets = facets(tx, Subject::Dataset { namespace, name })?;
    let lineage = match detail {
        Detail::Full => columns::inputs_of(tx, sight, namespace, name)?,
        Detail::Brief => Vec::new(),
    };
    Ok(Dataset {
        id: Id { namespace: namespace.to_owned(), name: name.to_owned() },
        sort: SORT,
        name: name.to_owned(),
        physical_name: name.to_owned(),
        created_at: Timestamp::from_micros(row.int(2)?),
        updated_at: Timestamp::from_micros(row.int(3)?),
        namespace: namespace.to_owned(),
        source_name: word(&facets, "dataSource", "name").unwrap_or_else(|| namespace.to_owned()),
        fields: row.opt_text(5)?.map_or(Ok(Vec::new()), fields)?,
        tags: Vec::new(),
        last_modified_at: modified(tx, namespace, name)?,
        last_lifecycle_state: word(&facets, "lifecycleStateChange", "lifecycleStateChange"),
        description: word(&facets, "documentation", "description"),
        current_version: row.opt_text(4)?.map(str::to_owned),
        column_lineage: (!lineage.is_empty()).then_some(lineage),
        facets: Some(facets),
        deleted: false,
    })
}

pub(super) fn fields(text: &str) -> Result<Vec<FieldTold>, Failure> {
    let fields: Vec<crate::dataset::Field> =
        serde_json::from_str(text).map_err(|_| Failure::Stored("a dataset's fields".into()))?;
    Ok(fields.into_iter().map(|field| FieldTold { field, tags: Vec::new() }).collect())
}

/// When a run that wrote it last completed.
fn modified(tx: &mut dyn Tx, namespace: &str, name: &str) -> Result<Option<Timestamp>, Failure> {
    let rows = tx.query(
        "SELECT MAX(r.ended_at) FROM openlineage_run_io io JOIN openlineage_runs r
             ON r.id = io.run_id AND r.namespace = io.namespace AND r.job = io.job
         WHERE io.dataset_namespace = $1 AND io.dataset = $2 AND io.side = 'output' AND r.end_state = 'COMPLETED'",
        &[namespace.into(), name.into()],
    )?;
    Ok(rows.first().map_or(Ok(None), |row| row.opt_int(0))?.map(Timestamp::from_micros))
}

fn versions_of(tx: &mut dyn Tx, sight: &Sight, namespace: &str, name: &str, page: Page) -> Result<Versions, Failure> {
    let of = one(tx, sight, namespace, name)?;
    let sql = "SELECT version, created_at, fields, run_id, run_namespace, run_job FROM openlineage_versions
               WHERE namespace = $1 AND dataset = $2 ORDER BY created_at DESC, version LIMIT $3 OFFSET $4";
    let rows = tx.query(sql, &[namespace.into(), name.into(), page.limit.into(), page.offset.into()])?;
    let versions = within(&rows, |row| {
        let version = version(tx, sight, &of, row)?;
        Ok((weight(version.created_by_run.as_ref().map(|run| &run.facets)), version))
    })?;
    let sql = "SELECT COUNT(*) FROM openlineage_versions WHERE namespace = $1 AND dataset = $2";
    let count = tx.query(sql, &[namespace.into(), name.into()])?;
    Ok(Versions { versions, total_count: count.first().map_or(Ok(0), |row| row.int(0))? })
}

fn version(tx: &mut dyn Tx, sight: &Sight, of: &Dataset, row: &Row) -> Result<DatasetVersion, Failure> {
    let version = row.text(0)?.to_owned();
    Ok(DatasetVersion {
        id: VersionId { namespace: of.namespace.clone(), name: of.name.clone(), version: Some(version.clone()) },
        sort: SORT,
        name: of.name.clone(),
        physical_name: of.name.clone(),
        created_at: Timestamp::from_micros(row.int(1)?),
        version,
        namespace: of.namespace.clone(),
        source_name: of.source_name.clone(),
        fields: fields(row.text(2)?)?,
        tags: Vec::new(),
        description: of.description.clone(),
        created_by_run: maker(tx, sight, row)?,
    })
}

fn maker(tx: &mut dyn Tx, sight: &Sight, row: &Row) -> Result<Option<Run>, Failure> {
    let (Some(id), Some(namespace), Some(job)) = (row.opt_text(3)?, row.opt_text(4)?, row.opt_text(5)?) else {
        return Ok(None);
    };
    if !sight.reaches(namespace) {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM openlineage_runs WHERE id = $1 AND namespace = $2 AND job = $3", runs::COLUMNS);
    let rows = tx.query(&sql, &[id.into(), namespace.into(), job.into()])?;
    rows.first().map(|row| runs::run(tx, sight, row, Detail::Brief)).transpose()
}

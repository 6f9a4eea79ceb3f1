//! Datasets and the versions of their schemas.

use bedplate_db::{DbError, Tx};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Builder;

use super::columns;
use super::facets::{self, RunKey, Subject};
use crate::dataset::{Dataset, Field, Schema, Side, Use};
use crate::event::{Job, Run};
use crate::run_state::Stamp;
use crate::scope::scope;

/// What an event says of the version; `None` inside: that the columns are not known.
pub(super) struct Version(pub Option<String>);

/// The run that made what it tells of: reading a dataset makes no version of it.
pub(super) fn maker<'a>(used: &Use, run: &'a Run, job: &'a Job) -> Option<RunKey<'a>> {
    let key = RunKey { id: &run.id, namespace: &job.namespace, job: &job.name };
    (used.side == Side::Output).then_some(key)
}

pub(super) fn put(
    tx: &mut dyn Tx,
    dataset: &Dataset,
    by: Option<RunKey<'_>>,
    stamp: &Stamp,
) -> Result<Option<Version>, DbError> {
    let version = match &dataset.schema {
        Some(Schema::Fields(fields)) => Some(Version(Some(put_version(tx, dataset, fields, by, stamp)?))),
        Some(Schema::Unknown) => Some(Version(None)),
        None => None,
    };
    put_dataset(tx, dataset, version.as_ref(), stamp)?;
    let subject = Subject::Dataset { namespace: &dataset.namespace, name: &dataset.name };
    facets::put(tx, subject, &dataset.facets, stamp)?;
    columns::put(tx, dataset, stamp)?;
    Ok(version)
}

fn put_dataset(tx: &mut dyn Tx, dataset: &Dataset, version: Option<&Version>, stamp: &Stamp) -> Result<(), DbError> {
    let Dataset { namespace, name, .. } = dataset;
    tx.execute(
        "INSERT INTO openlineage_datasets AS known (namespace, name, scope, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (namespace, name) DO UPDATE SET
             created_at = CASE WHEN excluded.created_at < known.created_at THEN excluded.created_at ELSE known.created_at END,
             updated_at = CASE WHEN excluded.updated_at > known.updated_at THEN excluded.updated_at ELSE known.updated_at END",
        &[namespace.into(), name.into(), scope(namespace).into(), stamp.at.into()],
    )?;
    let Some(Version(version)) = version else { return Ok(()) };
    tx.execute(
        "UPDATE openlineage_datasets SET version = $3, version_at = $4, version_by = $5
         WHERE namespace = $1 AND name = $2
           AND (version_at IS NULL OR version_at < $4 OR (version_at = $4 AND version_by < $5))",
        &[namespace.into(), name.into(), version.clone().into(), stamp.at.into(), (&stamp.event).into()],
    )?;
    Ok(())
}

fn put_version(
    tx: &mut dyn Tx,
    dataset: &Dataset,
    fields: &[Field],
    by: Option<RunKey<'_>>,
    stamp: &Stamp,
) -> Result<String, DbError> {
    let fields = json!(fields).to_string();
    let version = version(dataset, &fields, by);
    tx.execute(
        "INSERT INTO openlineage_versions AS known
             (namespace, dataset, version, created_at, fields, run_id, run_namespace, run_job)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (namespace, dataset, version) DO UPDATE SET
             created_at = CASE WHEN excluded.created_at < known.created_at THEN excluded.created_at ELSE known.created_at END",
        &[
            (&dataset.namespace).into(),
            (&dataset.name).into(),
            (&version).into(),
            stamp.at.into(),
            fields.into(),
            by.map(|run| run.id).into(),
            by.map(|run| run.namespace).into(),
            by.map(|run| run.job).into(),
        ],
    )?;
    Ok(version)
}

/// The same columns written by the same run are one version.
fn version(dataset: &Dataset, fields: &str, by: Option<RunKey<'_>>) -> String {
    let run = by.map(|run| [run.id, run.namespace, run.job]);
    uuid_of(&json!([dataset.namespace, dataset.name, fields, run]).to_string())
}

/// A UUID (version 8, RFC 9562) made of the text's SHA-256.
pub(crate) fn uuid_of(text: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text)[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

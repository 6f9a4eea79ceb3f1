//! Jobs and what they read and write.

use bedplate_db::{DbError, Tx};

use super::facets::{self, Subject};
use crate::dataset::Use;
use crate::event::Job;
use crate::run_state::Stamp;
use crate::scope::scope;

pub(super) fn put(tx: &mut dyn Tx, job: &Job, uses: &[Use], stamp: &Stamp) -> Result<(), DbError> {
    let Job { namespace, name, facets } = job;
    tx.execute(
        "INSERT INTO openlineage_jobs AS known (namespace, name, scope, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (namespace, name) DO UPDATE SET
             created_at = CASE WHEN excluded.created_at < known.created_at THEN excluded.created_at ELSE known.created_at END,
             updated_at = CASE WHEN excluded.updated_at > known.updated_at THEN excluded.updated_at ELSE known.updated_at END",
        &[namespace.into(), name.into(), scope(namespace).into(), stamp.at.into()],
    )?;
    facets::put(tx, Subject::Job { namespace, name }, facets, stamp)?;
    uses.iter().try_for_each(|used| put_edge(tx, job, used))
}

fn put_edge(tx: &mut dyn Tx, job: &Job, used: &Use) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO openlineage_io (namespace, job, side, dataset_namespace, dataset) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        &[
            (&job.namespace).into(),
            (&job.name).into(),
            used.side.as_str().into(),
            (&used.dataset.namespace).into(),
            (&used.dataset.name).into(),
        ],
    )?;
    Ok(())
}

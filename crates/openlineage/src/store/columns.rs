//! Columns that were made of columns.

use bedplate_db::{DbError, Tx};

use crate::dataset::Dataset;
use crate::run_state::Stamp;

pub(super) fn put(tx: &mut dyn Tx, dataset: &Dataset, stamp: &Stamp) -> Result<(), DbError> {
    for column in &dataset.columns {
        tx.execute(
            "INSERT INTO openlineage_columns AS known
                 (namespace, dataset, field, of_namespace, of_dataset, of_field, transformation, description, told_at, told_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (namespace, dataset, field, of_namespace, of_dataset, of_field) DO UPDATE
             SET transformation = excluded.transformation, description = excluded.description,
                 told_at = excluded.told_at, told_by = excluded.told_by
             WHERE excluded.told_at > known.told_at
                OR (excluded.told_at = known.told_at AND excluded.told_by > known.told_by)",
            &[
                (&dataset.namespace).into(),
                (&dataset.name).into(),
                (&column.field).into(),
                (&column.of.namespace).into(),
                (&column.of.dataset).into(),
                (&column.of.field).into(),
                column.transformation.clone().into(),
                column.description.clone().into(),
                stamp.at.into(),
                (&stamp.event).into(),
            ],
        )?;
    }
    Ok(())
}

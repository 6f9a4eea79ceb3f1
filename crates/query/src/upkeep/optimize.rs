//! Joining small files: each file that is opened costs a reader, and each load leaves one.

use std::path::Path;

use arrow::datatypes::SchemaRef;

use super::small::{TARGET, runs};
use super::{By, Held, Upkeep, UpkeepAction, UpkeepError, blocking};
use crate::delta::{self, DataFile, DataFileWriter, NewVersion, Record, TableError, name_in_place_of, rewrite};
use crate::{IngestReport, Lake};

impl Lake {
    /// Joins neighbouring data files up to [`TARGET`] bytes each; the rows and their order stay. The report is of the
    /// table after it, and what was done; none of it when there was nothing to join. Memory does not grow with the table.
    ///
    /// # Errors
    /// Any leaves the last version in place.
    pub async fn optimize(
        &self,
        namespace: &str,
        name: &str,
        by: By,
    ) -> Result<(IngestReport, Option<Upkeep>), UpkeepError> {
        let Held { table, record, writing } = Held::enter(self, namespace, name).await?;
        let files = table.sizes()?;
        let bytes: Vec<u64> = files.iter().map(|(_, bytes)| *bytes).collect();
        let runs: Vec<Vec<(String, u64)>> = runs(&bytes, TARGET).into_iter().map(|run| files[run].to_vec()).collect();
        if runs.is_empty() {
            return Ok((IngestReport::from_record(&table.location, table.version, record), None));
        }
        let (location, schema, version) = (table.location.clone(), table.schema()?, table.version + 1);
        let (joining, shape, held) = (runs.clone(), schema.clone(), writing.clone());
        let joined = blocking(held, move || joining.iter().map(|run| join(&location, run, version, &shape)).collect());
        let joined: Vec<DataFile> = joined.await?;
        let without: std::collections::BTreeSet<String> = runs.iter().flatten().map(|(name, _)| name.clone()).collect();
        let gone: u64 = runs.iter().flatten().map(|(_, bytes)| bytes).sum();
        let written = joined.iter().map(|file| file.bytes).sum();
        let upkeep = Upkeep {
            action: UpkeepAction::Optimize,
            by: by.name,
            at: by.at,
            removed: without.len(),
            added: joined.len(),
            written,
        };
        let record = Record {
            bytes: record.bytes.saturating_sub(gone) + written,
            file: joined.first().map(|file| file.name.clone()),
            // No file of the source was read, and what was read before stays loaded.
            files: Some(Vec::new()),
            appended: true,
            review: None,
            rows_of: record.rows_of.or(Some(table.version)),
            upkeep: Some(upkeep.clone()),
            ..record
        };
        let new = NewVersion { location: &table.location, schema, files: joined, without, record };
        let (version, record) = delta::commit(new, Some(&table), Some(&table)).await?;
        drop(writing);
        Ok((IngestReport::from_record(&table.location, version, record), Some(upkeep)))
    }
}

/// One file of several, in the place of the first.
fn join(location: &Path, run: &[(String, u64)], version: i64, schema: &SchemaRef) -> Result<DataFile, TableError> {
    let first = run.first().map(|(name, _)| name.as_str()).unwrap_or_default();
    let mut writer = DataFileWriter::named(location, name_in_place_of(first, version), schema.clone())?;
    for (name, _) in run {
        let path = location.join(name);
        for batch in rewrite::rows(&path, rewrite::open(&path)?, schema.clone())? {
            writer.write(&batch?)?;
        }
    }
    let file = writer.finish()?;
    file.ok_or_else(|| TableError::Engine(format!("{} files from {first} on have no rows", run.len())))
}

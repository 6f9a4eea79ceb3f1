//! Joining small files: each file that is opened costs a reader, and each load leaves one.

use std::path::Path;

use super::small::{TARGET, runs};
use super::{By, Held, Upkeep, UpkeepAction, UpkeepError, blocking};
use crate::delta::{self, DataFile, DataFileWriter, Layout, NewVersion, Record, TableError, TableFile, rewrite};
use crate::{IngestReport, Lake};

impl Lake {
    /// Joins neighbouring data files of a partition up to [`TARGET`] bytes each; the rows and their order stay. The report is of the
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
        let files = delta::by_partition(table.files()?);
        let runs: Vec<Vec<TableFile>> = files.iter().flat_map(|files| joined(files)).collect();
        if runs.is_empty() {
            return Ok((IngestReport::from_record(&table.location, table.version, record), None));
        }
        let (location, layout, version) = (table.location.clone(), table.layout()?, table.version + 1);
        let (joining, shape, held) = (runs.clone(), layout.clone(), writing.clone());
        let files = blocking(held, move || joining.iter().map(|run| join(&location, run, version, &shape)).collect());
        let files: Vec<DataFile> = files.await?;
        let without: std::collections::BTreeSet<String> = runs.iter().flatten().map(|file| file.name.clone()).collect();
        let gone: u64 = runs.iter().flatten().map(|file| file.bytes).sum();
        let written = files.iter().map(|file| file.bytes).sum();
        let upkeep = Upkeep {
            action: UpkeepAction::Optimize,
            by: by.name,
            at: by.at,
            removed: without.len(),
            added: files.len(),
            written,
        };
        let record = Record {
            bytes: record.bytes.saturating_sub(gone) + written,
            file: files.first().map(|file| file.name.clone()),
            // No file of the source was read, and what was read before stays loaded.
            files: Some(Vec::new()),
            appended: true,
            review: None,
            rows_of: record.rows_of.or(Some(table.version)),
            upkeep: Some(upkeep.clone()),
            ..record
        };
        let new = NewVersion { location: &table.location, layout, files, without, constraints: None, record };
        let (version, record) = delta::commit(new, Some(&table), Some(&table)).await?;
        drop(writing);
        Ok((IngestReport::from_record(&table.location, version, record), Some(upkeep)))
    }
}

/// Those of a partition's files that become one each.
fn joined(files: &[TableFile]) -> Vec<Vec<TableFile>> {
    let bytes: Vec<u64> = files.iter().map(|file| file.bytes).collect();
    runs(&bytes, TARGET).into_iter().map(|run| files[run].to_vec()).collect()
}

/// One file of several, in the place of the first.
fn join(location: &Path, run: &[TableFile], version: i64, layout: &Layout) -> Result<DataFile, TableError> {
    let Some(first) = run.first() else { return Err(TableError::Engine("there are no files to join".to_owned())) };
    let mut writer = DataFileWriter::in_place_of(location, first, version, layout)?;
    for file in run {
        let path = location.join(&file.name);
        for batch in rewrite::rows(&path, rewrite::open(&path)?, layout.stored(), &file.partition)? {
            writer.write(&batch?)?;
        }
    }
    let file = writer.finish()?;
    file.ok_or_else(|| TableError::Engine(format!("{} files from {} on have no rows", run.len(), first.name)))
}

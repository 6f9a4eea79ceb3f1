//! Bringing an earlier version back, as another version: nothing that came between is lost.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::{By, Held, Upkeep, UpkeepAction, UpkeepError, blocking, known};
use crate::constraint::judge_files;
use crate::delta::{self, NewVersion, Record, Table, TableFile};
use crate::reader::AsOf;
use crate::{IngestReport, Lake};

impl Lake {
    /// Makes a version with the rows of an earlier one, of those that the dataset `object` (its uid) made. What was loaded
    /// since counts as loaded: no load brings it again, unless its files change. The quarantine stays as it is.
    ///
    /// # Errors
    /// [`crate::TableError::NotKept`] when there is no such version or it was vacuumed, [`UpkeepError::OtherColumns`],
    /// [`UpkeepError::OtherPartitions`]; [`UpkeepError::Constraint`] when a constraint that came since is not true of its rows.
    pub async fn restore(
        &self,
        (namespace, name): (&str, &str),
        object: &str,
        version: i64,
        by: By,
    ) -> Result<(IngestReport, Upkeep), UpkeepError> {
        let Held { table, record, writing } = Held::enter(self, namespace, name).await?;
        self.version_as_of(namespace, name, object, &AsOf::Version(version))?;
        let earlier = Table::open(&table.location, Some(version)).await?;
        if earlier.schema()? != table.schema()? {
            return Err(UpkeepError::OtherColumns { version });
        }
        if earlier.layout()? != table.layout()? {
            return Err(UpkeepError::OtherPartitions { version });
        }
        let rows = known(&table.location, version)?;
        let (are, shall) = (table.files()?, earlier.files()?);
        let back = shall.iter().filter(|file| !are.contains(file)).cloned().collect();
        judge(&table, &earlier, back, writing.clone()).await?;
        let upkeep = Upkeep {
            action: UpkeepAction::Restore { to: version },
            by: by.name,
            at: by.at,
            removed: are.iter().filter(|file| !shall.contains(file)).count(),
            added: shall.iter().filter(|file| !are.contains(file)).count(),
            written: 0,
        };
        let record = Record {
            rows: rows.rows,
            bytes: rows.bytes,
            released_rows: rows.released_rows,
            file: None,
            files: Some(Vec::new()),
            appended: true,
            review: None,
            rows_of: rows.rows_of.or(Some(version)),
            restored: true,
            upkeep: Some(upkeep.clone()),
            ..record
        };
        let new = NewVersion::adding(&table.location, table.layout()?, Vec::new(), record);
        let (version, record) = delta::commit(new, Some(&table), Some(&earlier)).await?;
        drop(writing);
        Ok((IngestReport::from_record(&table.location, version, record), upkeep))
    }
}

/// Whether the rows that would come back meet what was not demanded of them in their time.
async fn judge(
    table: &Table,
    earlier: &Table,
    back: Vec<TableFile>,
    writing: Arc<OwnedMutexGuard<()>>,
) -> Result<(), UpkeepError> {
    let (since, schema, location) =
        (table.demands()?.beyond(&earlier.demands()?), table.schema()?, table.location.clone());
    let judged = blocking(writing, move || {
        let back = back.iter().map(|file| (&*file.name, &file.partition));
        judge_files(&location, back, (&since, &schema, "the rows that would come back"), || Ok::<_, UpkeepError>(()))
    });
    judged.await
}

//! Bringing an earlier version back, as another version: nothing that came between is lost.

use super::{By, Held, Upkeep, UpkeepAction, UpkeepError, known};
use crate::delta::{self, NewVersion, Record, Table};
use crate::reader::AsOf;
use crate::{IngestReport, Lake};

impl Lake {
    /// Makes a version with the rows of an earlier one, of those that the dataset `object` (its uid) made. What was loaded
    /// since counts as loaded: no load brings it again, unless its files change. The quarantine stays as it is.
    ///
    /// # Errors
    /// [`crate::TableError::NotKept`] when there is no such version or it was vacuumed, [`UpkeepError::OtherColumns`],
    /// [`UpkeepError::OtherPartitions`].
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

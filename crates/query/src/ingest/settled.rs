//! A quarantine is committed before its table: killed in between, it is ahead of it.

use std::path::Path;

use crate::delta::{self, NewVersion, Record, Table, TableError};

/// The quarantine as it was before what a killed ingest wrote for version `target` of the table, which never came.
pub(crate) async fn settled(location: &Path, latest: Option<&Table>, target: i64) -> Result<Option<Table>, TableError> {
    let Some(latest) = latest else { return Ok(None) };
    for version in (0..=latest.version).rev() {
        let ahead = delta::record_of(location, version)?
            .and_then(|(_, record)| record.table_version)
            .is_some_and(|of_table| of_table >= target);
        if !ahead {
            return Table::open(location, Some(version)).await.map(Some);
        }
    }
    Ok(None)
}

/// Takes back what the quarantine has ahead, where it has; true when it had.
pub(crate) async fn take_back(latest: &Table, record: &Record, target: i64) -> Result<bool, TableError> {
    let settled = settled(&latest.location, Some(latest), target).await?;
    if settled.as_ref().is_some_and(|settled| settled.version == latest.version) {
        return Ok(false);
    }
    let before = match &settled {
        Some(settled) => delta::record_of(&latest.location, settled.version)?.map(|(_, record)| record),
        None => None,
    };
    let empty = || Record { rows: 0, quarantined: 0, bytes: 0, table_version: None, ..record.clone() };
    let record = Record { file: None, appended: settled.is_some(), ..before.unwrap_or_else(empty) };
    let new = NewVersion::adding(&latest.location, latest.layout()?, Vec::new(), record);
    delta::commit(new, Some(latest), settled.as_ref()).await?;
    Ok(true)
}

//! Looking at a quarantine: how many rows each reason keeps there, and which rows; not what is in them.

use serde::Serialize;

use crate::Lake;
use crate::delta;
use crate::ingest::{gave, quarantine_name};
use crate::sql::{QueryError, TableRef};

/// A dataset's quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantined {
    /// The most frequent first. A row with several reasons counts for each.
    pub reasons: Vec<Reason>,
    /// The first rows only, file by file.
    pub rows: Vec<QuarantinedRow>,
}

/// A row of the quarantine, without what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuarantinedRow {
    /// Number in the file; 0 is its first.
    pub row: i64,
    /// Path of the file.
    pub file: String,
    pub reasons: String,
}

/// An expectation and the rows it keeps in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub name: String,
    pub rows: u64,
}

impl Lake {
    /// The quarantine of a table, with `limit` of its rows; empty when there is none.
    pub async fn quarantined(&self, namespace: &str, name: &str, limit: u32) -> Result<Quarantined, QueryError> {
        let beside = quarantine_name(name);
        let location = self.location(namespace, &beside)?;
        if !delta::exists(&location)? {
            return Ok(Quarantined::default());
        }
        let table = || TableRef { alias: "q".into(), namespace: namespace.into(), name: beside.clone(), version: None };
        let counts = self.sql(&[table()], "SELECT _reasons, count(*) AS n FROM q GROUP BY 1").await?;
        let rows = format!("SELECT _row, _file, _reasons FROM q ORDER BY _file, _row LIMIT {limit}");
        let rows = self.sql(&[table()], &rows).await?;
        let texts = |column| Ok::<_, QueryError>(rows.strings(column)?.into_iter().map(Option::unwrap_or_default));
        let numbers = rows.strings("_row")?.into_iter().flatten().filter_map(|row| row.parse().ok());
        let rows = numbers.zip(texts("_file")?).zip(texts("_reasons")?);
        let rows = rows.map(|((row, file), reasons)| QuarantinedRow { row, file, reasons }).collect();
        let counted = counts.strings("_reasons")?.into_iter().flatten().zip(counts.f64("n")?);
        Ok(Quarantined { reasons: by_reason(counted), rows })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of rows, below 2^53")]
fn by_reason(counted: impl Iterator<Item = (String, f64)>) -> Vec<Reason> {
    let mut all = std::collections::BTreeMap::<String, u64>::new();
    for (reasons, count) in counted {
        for reason in gave(&reasons) {
            *all.entry(reason.to_owned()).or_default() += count as u64;
        }
    }
    let mut all: Vec<Reason> = all.into_iter().map(|(name, rows)| Reason { name, rows }).collect();
    all.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
    all
}

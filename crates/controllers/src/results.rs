//! What each ingest of a dataset came to: kept for the last [`KEPT_INGESTS`] of them, refused ones too.

use std::collections::HashMap;

use bedplate_db::{DbError, Migration, Row, Tx};
use bedplate_kinds::{ExpectationOutcome, KEPT_INGESTS};
use bedplate_types::{NamespacedName, Timestamp};
use serde::Serialize;

pub(crate) const RESULTS: Migration =
    Migration { name: "controllers-1-dataset-results", sql: include_str!("results.sql") };

/// One ingest.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestResult {
    pub at: Timestamp,
    /// Digest of what was ingested.
    pub input_digest: String,
    /// The table's version it made; none when it was refused.
    pub version: Option<i64>,
    pub rows_read: u64,
    pub rows: u64,
    pub quarantined: u64,
    pub outcomes: Vec<ExpectationOutcome>,
}

/// Adds a result and forgets what is too old. Inputs that were refused last time too are not told of again.
pub fn record(tx: &mut dyn Tx, dataset: &NamespacedName, result: &IngestResult) -> Result<(), DbError> {
    let key = [dataset.namespace.as_str().into(), dataset.name.as_str().into()];
    let last = "SELECT number, input_digest, version FROM dataset_results
        WHERE namespace = $1 AND dataset = $2 ORDER BY number DESC LIMIT 1";
    let last = tx.query(last, &key)?;
    let number = match last.first() {
        Some(row) if is_again(row, result)? => return Ok(()),
        Some(row) => row.int(0)? + 1,
        None => 0,
    };
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    let [namespace, name] = key;
    tx.execute(
        "INSERT INTO dataset_results
            (namespace, dataset, number, at, input_digest, version, rows_read, rows_kept, quarantined, outcomes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            namespace.clone(),
            name.clone(),
            number.into(),
            result.at.micros().into(),
            result.input_digest.as_str().into(),
            result.version.into(),
            count(result.rows_read).into(),
            count(result.rows).into(),
            count(result.quarantined).into(),
            serde_json::to_string(&result.outcomes).unwrap_or_default().into(),
        ],
    )?;
    let old = "DELETE FROM dataset_results WHERE namespace = $1 AND dataset = $2 AND number <= $3";
    tx.execute(old, &[namespace, name, (number - i64::from(KEPT_INGESTS)).into()])?;
    Ok(())
}

fn is_again(last: &Row, result: &IngestResult) -> Result<bool, DbError> {
    let refused = last.opt_int(2)?.is_none() && result.version.is_none();
    Ok(refused && last.text(1)? == result.input_digest)
}

/// The results of a dataset, the newest first, `limit` of them at most.
pub fn results(tx: &mut dyn Tx, dataset: &NamespacedName, limit: u32) -> Result<Vec<IngestResult>, DbError> {
    let sql = "SELECT at, input_digest, version, rows_read, rows_kept, quarantined, outcomes FROM dataset_results
        WHERE namespace = $1 AND dataset = $2 ORDER BY number DESC LIMIT $3";
    let limit = limit.min(KEPT_INGESTS);
    let rows = tx.query(sql, &[dataset.namespace.as_str().into(), dataset.name.as_str().into(), limit.into()])?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<IngestResult, DbError> {
    let count = |column| row.int(column).map(|count| u64::try_from(count).unwrap_or_default());
    Ok(IngestResult {
        at: Timestamp::from_micros(row.int(0)?),
        input_digest: row.text(1)?.to_owned(),
        version: row.opt_int(2)?,
        rows_read: count(3)?,
        rows: count(4)?,
        quarantined: count(5)?,
        // Written by `record`; fields are added to an outcome, never taken away.
        outcomes: serde_json::from_str(row.text(6)?).unwrap_or_default(),
    })
}

/// What each expectation observed on the ingests that were not refused, the oldest first: what an anomaly check looks at.
pub fn observed(results: &[IngestResult]) -> HashMap<String, Vec<f64>> {
    let mut all: HashMap<String, Vec<f64>> = HashMap::new();
    for result in results.iter().rev().filter(|result| result.version.is_some()) {
        for outcome in &result.outcomes {
            all.entry(outcome.name.clone()).or_default().extend(outcome.value);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use bedplate_db::Db;
    use bedplate_kinds::Severity;

    use super::*;

    fn result(digest: &str, version: Option<i64>, value: Option<f64>) -> IngestResult {
        let outcome = ExpectationOutcome {
            name: "rows".into(),
            severity: Severity::Warn,
            passed: true,
            failing: 0,
            observed: 3,
            value,
            detail: "3 rows".into(),
        };
        IngestResult {
            at: Timestamp::from_micros(7),
            input_digest: digest.into(),
            version,
            rows_read: 5,
            rows: 3,
            quarantined: 2,
            outcomes: vec![outcome],
        }
    }

    fn kept(all: &[IngestResult]) -> Vec<IngestResult> {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("t.db"), &[RESULTS]).unwrap();
        let (name, all) = (NamespacedName::new("demo", "weather"), all.to_vec());
        let other = NamespacedName::new("demo", "flights");
        db.write(move |tx| {
            all.iter().try_for_each(|result| record(tx, &name, result))?;
            record(tx, &other, &result("other", Some(9), None))
        })
        .unwrap();
        db.read(|tx| results(tx, &NamespacedName::new("demo", "weather"), u32::MAX)).unwrap()
    }

    #[test]
    fn the_newest_come_first_and_a_refusal_is_told_once() {
        let refused = result("b", None, Some(9.0));
        let all = [
            result("a", Some(0), Some(1.5)),
            refused.clone(),
            refused.clone(),
            result("a", Some(1), None),
            refused.clone(),
        ];
        let kept = kept(&all);
        assert_eq!(kept, [all[4].clone(), all[3].clone(), all[1].clone(), all[0].clone()]);
        assert_eq!(observed(&kept), HashMap::from([("rows".to_owned(), vec![1.5])]), "refused ones are not looked at");
    }

    #[test]
    fn only_so_many_are_kept() {
        let many: Vec<_> = (0..130).map(|n| result("a", Some(n), Some(n as f64))).collect();
        let kept = kept(&many);
        assert_eq!((kept.len(), kept[0].version, kept[99].version), (100, Some(129), Some(30)));
        assert_eq!(observed(&kept)["rows"][..2], [30.0, 31.0]);
    }
}

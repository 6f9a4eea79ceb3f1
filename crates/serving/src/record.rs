//! The record of every prediction: queued without waiting, written in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bedplate_db::{Db, DbError, Migration, Row, Tx};
use bedplate_ledger::{PriceSheet, UsageEvent};
use bedplate_types::{Digest, NamespacedName, PredictionId, Timestamp};
use tokio::sync::mpsc;

pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "serving-1-predictions", sql: include_str!("predictions.sql") }];

/// Rows waiting to be written; more are dropped and counted.
const QUEUE: usize = 32_768;
/// Rows in one transaction.
const BATCH: usize = 1_024;

#[derive(Clone, Debug, PartialEq)]
pub struct StoredPrediction {
    pub id: PredictionId,
    pub at: Timestamp,
    pub endpoint: NamespacedName,
    pub model: String,
    pub version: u32,
    pub digest: Digest,
    /// The request's columns as text.
    pub request: serde_json::Value,
    pub probability: f64,
    /// Of the whole request the row came in.
    pub latency_micros: i64,
}

/// The sending end of the queue. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<StoredPrediction>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// The queue and the task that empties it; the task ends when the last clone is dropped, after writing what is left.
    pub fn start(db: Db, prices: PriceSheet) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write_all(waiting, db, prices));
        (Self { queue, dropped: Arc::default() }, task)
    }

    pub(crate) fn offer(&self, prediction: StoredPrediction) {
        if self.queue.try_send(prediction).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

async fn write_all(mut waiting: mpsc::Receiver<StoredPrediction>, db: Db, prices: PriceSheet) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let rows = std::mem::take(&mut batch);
        let prices = prices.clone();
        let written = db.write_async(move |tx| rows.iter().try_for_each(|row| write(tx, row, &prices))).await;
        if let Err(error) = written {
            tracing::error!(%error, "predictions were not recorded");
        }
    }
}

fn write(tx: &mut dyn Tx, row: &StoredPrediction, prices: &PriceSheet) -> Result<(), bedplate_ledger::LedgerError> {
    let new = tx.execute(
        "INSERT INTO predictions (id, at, namespace, endpoint, model, version, digest, request, probability, latency)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
        &[
            row.id.as_str().into(),
            row.at.micros().into(),
            row.endpoint.namespace.as_str().into(),
            row.endpoint.name.as_str().into(),
            row.model.as_str().into(),
            row.version.into(),
            row.digest.to_string().into(),
            row.request.to_string().into(),
            row.probability.into(),
            row.latency_micros.into(),
        ],
    )?;
    if new > 0 {
        bedplate_ledger::record(tx, &usage(row), prices)?;
    }
    Ok(())
}

fn usage(row: &StoredPrediction) -> UsageEvent {
    UsageEvent {
        id: format!("prediction:{}", row.id),
        at: row.at,
        namespace: row.endpoint.namespace.clone(),
        subject: format!("endpoint:{}", row.endpoint),
        resource: "predictions".into(),
        amount_micro: 1_000_000,
    }
}

const COLUMNS: &str = "id, at, namespace, endpoint, model, version, digest, request, probability, latency";

/// The record of one prediction.
pub fn find(tx: &mut dyn Tx, id: &PredictionId) -> Result<Option<StoredPrediction>, DbError> {
    let rows = tx.query(&format!("SELECT {COLUMNS} FROM predictions WHERE id = $1"), &[id.as_str().into()])?;
    rows.first().map(read).transpose()
}

/// The last predictions of a namespace, newest first.
pub fn latest(tx: &mut dyn Tx, namespace: &str, limit: u32) -> Result<Vec<StoredPrediction>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM predictions WHERE namespace = $1 ORDER BY at DESC, id DESC LIMIT $2");
    tx.query(&sql, &[namespace.into(), limit.into()])?.iter().map(read).collect()
}

/// How many predictions a namespace's endpoint has answered.
pub fn count(tx: &mut dyn Tx, endpoint: &NamespacedName) -> Result<i64, DbError> {
    let sql = "SELECT count(*) FROM predictions WHERE namespace = $1 AND endpoint = $2";
    let rows = tx.query(sql, &[endpoint.namespace.as_str().into(), endpoint.name.as_str().into()])?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

fn read(row: &Row) -> Result<StoredPrediction, DbError> {
    Ok(StoredPrediction {
        id: PredictionId::new(row.text(0)?),
        at: Timestamp::from_micros(row.int(1)?),
        endpoint: NamespacedName::new(row.text(2)?, row.text(3)?),
        model: row.text(4)?.to_owned(),
        version: u32::try_from(row.int(5)?).unwrap_or_default(),
        digest: row.text(6)?.parse().unwrap_or(Digest::from_sha256([0; 32])),
        request: serde_json::from_str(row.text(7)?).unwrap_or_default(),
        probability: row.real(8)?,
        latency_micros: row.int(9)?,
    })
}

#[cfg(test)]
mod tests {
    use bedplate_testkit::{postgres_database, suite_on_postgres};
    use bedplate_types::Money;

    use super::*;

    fn open(folder: &tempfile::TempDir) -> Db {
        let migrations = [bedplate_ledger::MIGRATIONS, MIGRATIONS].concat();
        match postgres_database() {
            Some(url) => Db::connect(&url, &migrations).unwrap(),
            None => Db::open(&folder.path().join("test.db"), &migrations).unwrap(),
        }
    }

    fn prices() -> PriceSheet {
        PriceSheet { currency: "EUR".into(), prices: [("predictions".to_owned(), Money(7))].into() }
    }

    fn prediction(id: u32, endpoint: &str) -> StoredPrediction {
        StoredPrediction {
            id: PredictionId::new(format!("p{id}")),
            at: Timestamp::from_micros(i64::from(id)),
            endpoint: NamespacedName::new("flights", endpoint),
            model: "delay".into(),
            version: 3,
            digest: Digest::from_sha256([9; 32]),
            request: serde_json::json!({ "tailnum": "N14228", "distance": 1.5 }),
            probability: 0.1 + 0.2,
            latency_micros: 250,
        }
    }

    #[tokio::test]
    async fn what_was_offered_is_found_counted_and_paid_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder);
        let (recorder, writing) = Recorder::start(db.clone(), prices());
        let offered = [(1, "delays"), (2, "delays"), (3, "other"), (2, "delays")];
        offered.iter().for_each(|(id, endpoint)| recorder.offer(prediction(*id, endpoint)));
        assert_eq!(recorder.dropped(), 0);
        drop(recorder);
        writing.await.unwrap();
        let read = |tx: &mut dyn Tx| {
            let found = find(tx, &PredictionId::new("p2"))?;
            assert_eq!(found, Some(prediction(2, "delays")));
            assert_eq!(find(tx, &PredictionId::new("p9"))?, None);
            let ids = |rows: Vec<StoredPrediction>| rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>();
            assert_eq!(ids(latest(tx, "flights", 2)?), ["p3", "p2"]);
            assert_eq!(ids(latest(tx, "nowhere", 2)?), [""; 0]);
            let delays = count(tx, &NamespacedName::new("flights", "delays"))?;
            Ok::<_, bedplate_ledger::LedgerError>((delays, bedplate_ledger::total(tx, Some("flights"))?))
        };
        assert_eq!(db.read(read).unwrap(), (2, Money(21)));
    }

    #[test]
    fn everything_once_more_on_postgres() {
        suite_on_postgres(&["everything_once_more_on_postgres"]);
    }
}

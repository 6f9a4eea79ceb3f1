//! The record of every prediction: queued without waiting, written in batches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bedplate_db::{Db, DbError, Migration, Row, Tx};
use bedplate_ledger::{LedgerError, UsageEvent};
use bedplate_types::{Digest, NamespacedName, PredictionId, Timestamp};
use tokio::sync::mpsc;

pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "serving-1-predictions", sql: include_str!("predictions.sql") },
    Migration {
        name: "serving-2-principals",
        sql: "ALTER TABLE predictions ADD COLUMN principal TEXT NOT NULL DEFAULT '';
              CREATE TABLE prediction_views (digest TEXT PRIMARY KEY, versions TEXT NOT NULL);",
    },
];

/// Rows waiting to be written; more are dropped and counted.
const QUEUE: usize = 32_768;
/// Rows in one transaction.
const BATCH: usize = 1_024;

#[derive(Clone, Debug, PartialEq)]
pub struct StoredPrediction {
    pub id: PredictionId,
    pub at: Timestamp,
    /// Who asked; empty in records of before it was kept.
    pub principal: String,
    pub endpoint: NamespacedName,
    /// Who answers for the model; not kept with the prediction but with what it cost.
    pub team: String,
    pub model: String,
    pub version: u32,
    pub digest: Digest,
    /// The version of each feature view the model took its features from.
    pub view_versions: Arc<BTreeMap<String, String>>,
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
    pub fn start(db: Db) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write_all(waiting, db));
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

async fn write_all(mut waiting: mpsc::Receiver<StoredPrediction>, db: Db) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let rows = std::mem::take(&mut batch);
        let written = db.write_async(move |tx| write(tx, &rows)).await;
        if let Err(error) = written {
            tracing::error!(%error, "predictions were not recorded");
        }
    }
}

/// Writes what is new of a batch, and what that cost: one usage event for what an endpoint answered within one second. A price
/// sheet begins and ends with a whole second, so all of it has one price.
fn write(tx: &mut dyn Tx, rows: &[StoredPrediction]) -> Result<(), LedgerError> {
    let mut used: BTreeMap<(&NamespacedName, i64), (&StoredPrediction, i64)> = BTreeMap::new();
    for row in rows {
        if insert(tx, row)? {
            let second = row.at.micros().div_euclid(1_000_000);
            used.entry((&row.endpoint, second)).or_insert((row, 0)).1 += 1;
        }
    }
    let models: BTreeMap<String, &StoredPrediction> = rows.iter().map(|row| (row.digest.to_string(), row)).collect();
    for (digest, row) in models {
        let versions = serde_json::to_string(&*row.view_versions).unwrap_or_default();
        let sql = "INSERT INTO prediction_views (digest, versions) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
        tx.execute(sql, &[digest.into(), versions.into()])?;
    }
    used.into_values().try_for_each(|(first, count)| bedplate_ledger::record(tx, &usage(first, count)).map(drop))
}

fn insert(tx: &mut dyn Tx, row: &StoredPrediction) -> Result<bool, DbError> {
    let new = tx.execute(
        "INSERT INTO predictions
             (id, at, namespace, endpoint, model, version, digest, request, probability, latency, principal)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
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
            row.principal.as_str().into(),
        ],
    )?;
    Ok(new > 0)
}

/// Named after the first of the rows: a prediction is new once, and so is the event.
fn usage(first: &StoredPrediction, count: i64) -> UsageEvent {
    UsageEvent {
        id: format!("prediction:{}", first.id),
        at: first.at,
        namespace: first.endpoint.namespace.clone(),
        team: first.team.clone(),
        subject: format!("endpoint:{}", first.endpoint),
        resource: "predictions".into(),
        amount_micro: count * 1_000_000,
    }
}

const SELECT: &str =
    "SELECT p.id, p.at, p.namespace, p.endpoint, p.model, p.version, p.digest, p.request, p.probability,
    p.latency, p.principal, v.versions FROM predictions p LEFT JOIN prediction_views v ON v.digest = p.digest";

/// The record of one prediction.
pub fn find(tx: &mut dyn Tx, id: &PredictionId) -> Result<Option<StoredPrediction>, DbError> {
    let rows = tx.query(&format!("{SELECT} WHERE p.id = $1"), &[id.as_str().into()])?;
    rows.first().map(read).transpose()
}

/// The last predictions of a namespace, newest first.
pub fn latest(tx: &mut dyn Tx, namespace: &str, limit: u32) -> Result<Vec<StoredPrediction>, DbError> {
    let sql = format!("{SELECT} WHERE p.namespace = $1 ORDER BY p.at DESC, p.id DESC LIMIT $2");
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
        principal: row.text(10)?.to_owned(),
        team: String::new(),
        view_versions: Arc::new(serde_json::from_str(row.opt_text(11)?.unwrap_or_default()).unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use bedplate_ledger::{PriceSheet, find as usage_of, put_sheet, total};
    use bedplate_types::Money;

    use super::*;

    fn row(id: &str, at: i64) -> StoredPrediction {
        StoredPrediction {
            id: PredictionId::new(id),
            at: Timestamp::from_micros(at),
            principal: "user:ana".into(),
            endpoint: NamespacedName::new("flights", "late"),
            team: "operations".into(),
            model: "late".into(),
            version: 1,
            digest: Digest::from_sha256([7; 32]),
            view_versions: Arc::new([("weather".to_owned(), "sha256:ab".to_owned())].into()),
            request: serde_json::json!({ "carrier": "UA" }),
            probability: 0.25,
            latency_micros: 9,
        }
    }

    fn sheet() -> PriceSheet {
        PriceSheet {
            name: "standard".into(),
            generation: 1,
            currency: "EUR".into(),
            prices: [("predictions".to_owned(), Money(3))].into(),
            valid_from: None,
            valid_to: None,
        }
    }

    #[test]
    fn a_second_is_one_usage_of_its_new_rows_and_the_record_says_who_asked_of_which_features() {
        let folder = tempfile::tempdir().unwrap();
        let migrations = [bedplate_ledger::MIGRATIONS, MIGRATIONS].concat();
        recorded(&Db::open(&folder.path().join("it.db"), &migrations).unwrap());
        if let Some(server) = bedplate_testkit::Postgres::shared("the record of predictions on PostgreSQL") {
            recorded(&Db::connect(&server.database(), &migrations).unwrap());
        }
    }

    fn recorded(db: &Db) {
        db.write(|tx| put_sheet(tx, &sheet())).unwrap();
        db.write(|tx| write(tx, &[row("r/0", 5), row("r/1", 6), row("s/0", 1_000_000)])).unwrap();
        db.write(|tx| write(tx, &[row("r/1", 6), row("r/2", 5)])).unwrap();
        let amounts = ["r/0", "r/1", "r/2", "s/0"].map(|id| {
            let found = db.read(|tx| usage_of(tx, &format!("prediction:{id}"))).unwrap();
            found.map(|event| (event.amount_micro / 1_000_000, event.team))
        });
        let one = |n| Some((n, "operations".to_owned()));
        assert_eq!(amounts, [one(2), None, one(1), one(1)]);
        assert_eq!(db.read(|tx| total(tx, Some("flights"), "EUR")).unwrap(), Money(12), "four predictions");
        let found = db.read(|tx| find(tx, &PredictionId::new("r/2"))).unwrap().unwrap();
        assert_eq!(found, StoredPrediction { team: String::new(), ..row("r/2", 5) });
        assert_eq!(db.read(|tx| latest(tx, "flights", 10)).unwrap().len(), 4);
    }

    #[tokio::test]
    async fn what_was_offered_is_found_counted_and_paid_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let migrations = [bedplate_ledger::MIGRATIONS, MIGRATIONS].concat();
        let db = Db::open(&folder.path().join("it.db"), &migrations).unwrap();
        db.write(|tx| put_sheet(tx, &sheet())).unwrap();
        let (recorder, writing) = Recorder::start(db.clone());
        ["p/1", "p/2", "p/3", "p/2"].iter().for_each(|id| recorder.offer(row(id, 5)));
        assert_eq!(recorder.dropped(), 0);
        drop(recorder);
        writing.await.unwrap();
        assert_eq!(db.read(|tx| count(tx, &NamespacedName::new("flights", "late"))).unwrap(), 3);
        assert_eq!(db.read(|tx| total(tx, Some("flights"), "EUR")).unwrap(), Money(9), "three at three each");
    }
}

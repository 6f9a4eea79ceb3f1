//! Views, rows, and a source of rows that are in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bedplate_features::{Brought, FeatureDef, SourceRow, ViewDefinition, rows};
use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
use bedplate_offline::{Batches, OfflineError, Sources, View};
use bedplate_online::OnlineStore;
use bedplate_parity::{How, Subject, Verified, verify};
use bedplate_types::{Span, Timestamp};
use futures::StreamExt;

#[derive(Clone, Debug)]
pub struct Raw {
    pub carrier: Option<String>,
    pub time: Option<i64>,
    pub created: Option<i64>,
    pub id: Option<i64>,
    pub x: Option<f64>,
}

/// A row of `carrier` known at `time`.
pub fn raw(carrier: &str, time: i64, x: f64) -> Raw {
    Raw { carrier: Some(carrier.into()), time: Some(time), created: None, id: None, x: Some(x) }
}

pub fn batch(raws: &[Raw]) -> RecordBatch {
    let moments = |moments: Vec<Option<i64>>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(moments)) };
    let columns: [(&str, ArrayRef); 5] = [
        ("carrier", Arc::new(raws.iter().map(|raw| raw.carrier.clone()).collect::<StringArray>())),
        ("known_at", moments(raws.iter().map(|raw| raw.time).collect())),
        ("written_at", moments(raws.iter().map(|raw| raw.created).collect())),
        ("row_id", Arc::new(raws.iter().map(|raw| raw.id).collect::<Int64Array>())),
        ("x", Arc::new(raws.iter().map(|raw| raw.x).collect::<Float64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

pub fn feature(name: &str, aggregate: Aggregate, window: Option<i64>) -> FeatureDef {
    let quantile = (aggregate == Aggregate::Quantile).then_some(0.7);
    FeatureDef { name: name.into(), column: "x".into(), aggregate, window: window.map(Span::from_micros), quantile }
}

pub fn definition(ttl: Option<i64>, features: Vec<FeatureDef>) -> ViewDefinition {
    ViewDefinition {
        name: "carriers".into(),
        join_keys: vec![JoinKey { name: "carrier".into(), type_: ColumnType::String }],
        timestamp: Some("known_at".into()),
        created: None,
        ttl: ttl.map(Span::from_micros),
        features,
    }
}

/// Rows in two parts.
struct Given(Vec<Raw>);

impl Sources for Given {
    async fn parts(&self, _: &View) -> Result<Vec<Batches>, OfflineError> {
        let (one, other) = self.0.split_at(self.0.len() / 2);
        let part = |raws: &[Raw]| -> Batches {
            let batches: Vec<_> = raws.chunks(7).map(|raws| Ok(batch(raws))).collect();
            futures::stream::iter(batches).boxed()
        };
        Ok(vec![part(one), part(other)])
    }
}

/// A view with what is stored of it, and what its source has.
pub struct Store {
    _folder: tempfile::TempDir,
    pub online: OnlineStore,
    pub subject: Subject,
    pub source: Vec<Raw>,
}

const ID: &str = "flights/carriers@1";

impl Store {
    /// What is said to be brought of the source is.
    pub fn loaded(definition: ViewDefinition, source: Vec<Raw>, until: Option<i64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let online = OnlineStore::open(folder.path()).unwrap();
        let brought = Brought::until(until.map(Timestamp::from_micros));
        let selected = (0..definition.features.len()).collect();
        let view = View { definition, selected, tables: Vec::new(), sql: String::new(), as_known_at: None };
        let store = Self { _folder: folder, online, subject: Subject { view, online_id: ID.into(), brought }, source };
        let rows: Vec<SourceRow> =
            store.rows(&store.source).into_iter().filter(|row| brought.holds(row.time)).collect();
        store.online.load(ID, rows).unwrap();
        store
    }

    pub fn rows(&self, raws: &[Raw]) -> Vec<SourceRow> {
        rows(&self.subject.view.definition, &batch(raws)).unwrap()
    }

    pub fn push(&self, raws: &[Raw]) {
        self.online.put(ID, &self.rows(raws)).unwrap();
    }

    pub fn verify(&self, how: &How) -> Verified {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(verify(&Given(self.source.clone()), &self.online, &self.subject, how)).unwrap()
    }
}

pub fn all() -> How {
    How { entities: 1_000, seed: 7, at: None, now: Timestamp::from_micros(100) }
}

//! Reading online equals the point-in-time join of the same rows, bit by bit.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bedplate_features::{EntityKey, FeatureDef, PointInTime, Spine, SpineShape, ViewDefinition, rows};
use bedplate_kinds::Aggregate;
use bedplate_online::{OnlineError, OnlineStore, Question};
use bedplate_types::Timestamp;
use proptest::prelude::*;

use crate::engine::{Engine, on_each_engine};
use crate::source::{feature, view};

/// In time order, as pushes mostly come, or in any other.
fn in_time_or_shuffled(raws: Vec<Raw>) -> impl Strategy<Value = Vec<Raw>> {
    let mut in_time = raws.clone();
    in_time.sort_by_key(|raw| raw.time);
    prop_oneof![Just(in_time), Just(raws).prop_shuffle()]
}

#[derive(Clone, Debug)]
struct Raw {
    carrier: Option<String>,
    time: Option<i64>,
    created: Option<i64>,
    id: Option<i64>,
    x: Option<f64>,
    y: Option<f64>,
}

fn carrier() -> impl Strategy<Value = Option<String>> {
    prop_oneof![1 => Just(None), 12 => "[ab]{0,2}".prop_map(Some)]
}

fn time() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        1 => Just(None),
        15 => (-15..15_i64).prop_map(Some),
        1 => Just(Some(i64::MIN)),
        1 => Just(Some(i64::MAX)),
    ]
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(-0.0)),
        3 => (-2..3_i8).prop_map(|value| Some(f64::from(value))),
        3 => (-1e3..1e3_f64).prop_map(Some),
        2 => (-1e-9..1e-9_f64).prop_map(Some),
    ]
}

fn raw() -> impl Strategy<Value = Raw> {
    let id = prop_oneof![Just(None), (0..3_i64).prop_map(Some)];
    let made = (carrier(), time(), prop::option::of(-2..2_i64), id, number(), number());
    made.prop_map(|(carrier, time, created, id, x, y)| Raw { carrier, time, created, id, x, y })
}

/// Few rows, or so many of one entity that their tiles are kept.
fn raws() -> impl Strategy<Value = Vec<Raw>> {
    let dense = (raw(), prop_oneof![1 => -2..2_i64, 4 => 0..400_i64]);
    let dense = dense.prop_map(|(raw, time)| Raw { carrier: Some("a".into()), time: Some(time), ..raw });
    prop_oneof![4 => prop::collection::vec(raw(), 0..50), 1 => prop::collection::vec(dense, 100..200)]
}

fn definition() -> impl Strategy<Value = ViewDefinition> {
    use Aggregate::{Count, Distinct, Last, Max, Mean, Min, Quantile, Std, Sum};
    let aggregates = vec![Last, Mean, Sum, Count, Min, Max, Std, Distinct, Quantile];
    let window = prop_oneof![2 => 1..20_i64, 1 => 20..4_000_i64];
    let one = (prop::sample::select(aggregates), any::<bool>(), window);
    let features = prop::collection::vec(one, 1..6).prop_map(|features| {
        let define = |(i, (aggregate, x, window)): (usize, (Aggregate, bool, i64))| -> FeatureDef {
            let window = (aggregate != Aggregate::Last).then_some(window);
            feature(&format!("f{i}"), if x { "x" } else { "y" }, aggregate, window)
        };
        features.into_iter().enumerate().map(define).collect()
    });
    let ttl = prop_oneof![Just(None), (0..12_i64).prop_map(Some)];
    (ttl, features, prop::bool::weighted(0.9), any::<bool>()).prop_map(|(ttl, features, timed, created)| {
        let def = ViewDefinition { created: created.then(|| "written_at".into()), ..view(ttl, features) };
        if timed { def } else { timeless(def) }
    })
}

fn timeless(mut def: ViewDefinition) -> ViewDefinition {
    def.features.iter_mut().for_each(|feature| {
        (feature.aggregate, feature.window, feature.quantile) = (Aggregate::Last, None, None);
    });
    ViewDefinition { timestamp: None, ttl: None, ..def }
}

fn batch(raws: &[Raw]) -> RecordBatch {
    let times: TimestampMicrosecondArray = raws.iter().map(|raw| raw.time).collect();
    let created: TimestampMicrosecondArray = raws.iter().map(|raw| raw.created).collect();
    let columns: [(&str, ArrayRef); 6] = [
        ("written_at", Arc::new(created)),
        ("carrier", Arc::new(raws.iter().map(|raw| raw.carrier.clone()).collect::<StringArray>())),
        ("known_at", Arc::new(times)),
        ("row_id", Arc::new(raws.iter().map(|raw| raw.id).collect::<Int64Array>())),
        ("x", Arc::new(raws.iter().map(|raw| raw.x).collect::<Float64Array>())),
        ("y", Arc::new(raws.iter().map(|raw| raw.y).collect::<Float64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

type Bits = Vec<Vec<Option<u64>>>;

fn offline(def: &ViewDefinition, raws: &[Raw], labels: &RecordBatch) -> Bits {
    let spine = Spine::new(&SpineShape::of(def), labels, "at").unwrap();
    let mut join = PointInTime::new(Arc::new(def.clone()), Arc::new(spine));
    join.take(&batch(raws)).unwrap();
    let columns = join.finish();
    let at = |row| columns.iter().map(|column| column.iter().nth(row).unwrap().map(f64::to_bits)).collect();
    (0..labels.num_rows()).map(at).collect()
}

fn distinct(def: &ViewDefinition, raws: &[Raw]) -> usize {
    let rows = rows(def, &batch(raws)).unwrap();
    rows.iter().map(|row| (row.key.clone(), row.time, row.identity())).collect::<HashSet<_>>().len()
}

fn online(store: &OnlineStore, def: &ViewDefinition, view_id: &str, asked: &[(Option<EntityKey>, Timestamp)]) -> Bits {
    let bits = |values: Vec<Option<f64>>| values.into_iter().map(|value| value.map(f64::to_bits)).collect();
    let many: Bits = store.read_many(def, view_id, asked).unwrap().into_iter().map(bits).collect();
    let question = Question { definition: def, view_id, asked };
    let nothing = Question { view_id: "of nobody", ..question };
    let all = store.read_all(&[nothing, question]).unwrap();
    assert!(all[1].iter().zip(&many).all(|(one, other)| bits(one.clone()) == *other));
    let dated = store.read_all_dated(&[question, nothing]).unwrap();
    let values = |entity| (0..def.features.len()).map(|feature| dated[0].value(entity, feature)).collect();
    assert!(many.iter().enumerate().all(|(entity, wanted)| bits(values(entity)) == *wanted));
    for ((key, at), wanted) in asked.iter().zip(&many) {
        let one = [(key.clone(), *at)];
        if let Some(found) = store.remembered(def, view_id, &one) {
            assert_eq!(found, store.read_dated(def, view_id, &one).unwrap());
            let found = (0..def.features.len()).map(|feature| found.value(0, feature)).collect();
            assert_eq!(bits(found), *wanted);
        }
        let Some(key) = key else { continue };
        let one: Vec<_> = bits(store.read(def, view_id, key, *at).unwrap());
        assert_eq!(one, *wanted);
    }
    many
}

static CASES: AtomicU64 = AtomicU64::new(0);

/// The same questions as label rows and as keys.
type Asked = (RecordBatch, Vec<(Option<EntityKey>, Timestamp)>);

fn questions(asked: &[(Option<String>, i64)]) -> Asked {
    let columns: [(&str, ArrayRef); 2] = [
        ("carrier", Arc::new(asked.iter().map(|(carrier, _)| carrier.clone()).collect::<StringArray>())),
        ("at", Arc::new(asked.iter().map(|(_, at)| Some(*at)).collect::<TimestampMicrosecondArray>())),
    ];
    let keys =
        asked.iter().map(|(carrier, at)| (carrier.as_deref().map(crate::source::carrier), Timestamp::from_micros(*at)));
    (
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap(),
        keys.collect(),
    )
}

/// Pushes in pieces, each piece's last rows again with the next, as a client does that crashed before its answer came,
/// and asks after each: what is remembered from one answer must not spoil the next.
fn push(store: &OnlineStore, def: &ViewDefinition, view_id: &str, raws: &[Raw], piece: usize, asked: &Asked) {
    let mut fresh = 0;
    for start in (0..raws.len()).step_by(piece) {
        let end = (start + piece + piece / 2).min(raws.len());
        fresh += store.put(view_id, &rows(def, &batch(&raws[start..end])).unwrap()).unwrap();
        assert_eq!(online(store, def, view_id, &asked.1), offline(def, &raws[..end], &asked.0), "after {end} rows");
    }
    assert_eq!(fresh, store.count(view_id).unwrap());
    assert_eq!(fresh, distinct(def, raws) as u64);
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// One store for all cases, each with a view of its own, so that views are seen not to mix.
fn online_equals_offline_in_any_order_of_pushes(engine: &Engine) {
    let store = engine.open();
    proptest!(config(engine.cases(256)), |(
        def in definition(),
        (raws, shuffled) in raws().prop_flat_map(|raws| (Just(raws.clone()), in_time_or_shuffled(raws))),
        asked in prop::collection::vec((carrier(), time().prop_map(Option::unwrap_or_default)), 1..30),
        piece in 1..12_usize,
    )| {
        let asked = questions(&asked);
        // A case that is shrunk must not meet the rows it left before.
        let view_id = format!("case {}", CASES.fetch_add(1, Ordering::Relaxed));
        push(&store, &def, &view_id, &shuffled, piece, &asked);
        prop_assert_eq!(online(&store, &def, &view_id, &asked.1), offline(&def, &raws, &asked.0));
    });
}

fn online_equals_offline_after_reopening(engine: &Engine) {
    proptest!(config(12), |(
        def in definition(),
        raws in raws(),
        asked in prop::collection::vec((carrier(), time().prop_map(Option::unwrap_or_default)), 1..30),
        cut in any::<prop::sample::Index>(),
    )| {
        let view_id = format!("case {}", CASES.fetch_add(1, Ordering::Relaxed));
        let (before, after) = raws.split_at(cut.index(raws.len() + 1));
        let (spine, asked) = questions(&asked);
        for part in [before, after] {
            let store = engine.open();
            let loaded = rows(&def, &batch(part)).unwrap().into_iter().map(Ok::<_, OnlineError>);
            store.try_load(&view_id, Some(&def), loaded).unwrap();
            prop_assert_eq!(online(&store, &def, &view_id, &asked).len(), asked.len());
        }
        let store = engine.open();
        prop_assert_eq!(online(&store, &def, &view_id, &asked), offline(&def, &raws, &spine));
        prop_assert_eq!(store.count(&view_id).unwrap(), distinct(&def, &raws) as u64);
    });
}

on_each_engine! {
    online_equals_offline_in_any_order_of_pushes,
    online_equals_offline_after_reopening,
}

//! Reading online equals the point-in-time join of the same rows, bit by bit.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bedplate_features::{EntityKey, FeatureDef, PointInTime, Spine, SpineShape, ViewDefinition, rows};
use bedplate_kinds::Aggregate;
use bedplate_online::{OnlineError, OnlineStore};
use bedplate_types::Timestamp;
use proptest::prelude::*;

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

/// One store for all cases, each with a view of its own, so that views are seen not to mix.
static SHARED: LazyLock<(tempfile::TempDir, OnlineStore)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    (dir, store)
});

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn online_equals_offline_in_any_order_of_pushes(
        def in definition(),
        (raws, shuffled) in raws().prop_flat_map(|raws| (Just(raws.clone()), in_time_or_shuffled(raws))),
        asked in prop::collection::vec((carrier(), time().prop_map(Option::unwrap_or_default)), 1..30),
        piece in 1..12_usize,
    ) {
        let asked = questions(&asked);
        // A case that is shrunk must not meet the rows it left before.
        let view_id = format!("case {}", CASES.fetch_add(1, Ordering::Relaxed));
        push(&SHARED.1, &def, &view_id, &shuffled, piece, &asked);
        prop_assert_eq!(online(&SHARED.1, &def, &view_id, &asked.1), offline(&def, &raws, &asked.0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn online_equals_offline_after_reopening(
        def in definition(),
        raws in raws(),
        asked in prop::collection::vec((carrier(), time().prop_map(Option::unwrap_or_default)), 1..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (before, after) = raws.split_at(cut.index(raws.len() + 1));
        let (spine, asked) = questions(&asked);
        for part in [before, after] {
            let store = OnlineStore::open(dir.path()).unwrap();
            let loaded = rows(&def, &batch(part)).unwrap().into_iter().map(Ok::<_, OnlineError>);
            store.try_load("v", Some(&def), loaded).unwrap();
            prop_assert_eq!(online(&store, &def, "v", &asked).len(), asked.len());
        }
        let store = OnlineStore::open(dir.path()).unwrap();
        prop_assert_eq!(online(&store, &def, "v", &asked), offline(&def, &raws, &spine));
    }
}

#[test]
fn what_was_read_lately_is_answered_from_memory_and_with_what_is_pushed_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let (def, key) = (view(None, vec![feature("x", "x", Aggregate::Last, None)]), Some(crate::source::carrier("a")));
    let push = |time, x| {
        let raw = Raw { carrier: Some("a".into()), time: Some(time), created: None, id: None, x: Some(x), y: None };
        store.put("remembered", &rows(&def, &batch(&[raw])).unwrap()).unwrap();
    };
    let asked = |at| [(key.clone(), Timestamp::from_micros(at))];
    let found = |at| store.remembered(&def, "remembered", &asked(at)).map(|found| (found.value(0, 0), found.newest(0)));
    let known = |x, time| Some((Some(x), Some(Timestamp::from_micros(time))));
    push(10, 1.0);
    assert_eq!(found(20), None, "nothing was read yet");
    store.read_dated(&def, "remembered", &asked(20)).unwrap();
    assert_eq!(found(20), known(1.0, 10));
    assert_eq!(found(9), None, "of what was known before the newest row nothing is remembered");
    push(15, 2.0);
    push(12, 3.0);
    assert_eq!((found(20), found(14)), (known(2.0, 15), None));
    push(15, 1.0);
    assert_eq!(found(20), known(2.0, 15), "of two rows of one time the greater is the later one");
    push(15, 4.0);
    assert_eq!(found(20), known(4.0, 15));
    let late = store.read_dated(&def, "remembered", &asked(14)).unwrap();
    assert_eq!((late.value(0, 0), late.newest(0)), (Some(3.0), Some(Timestamp::from_micros(12))));
}

#[test]
fn a_loaded_view_is_answered_from_memory_also_after_a_restart_and_so_is_who_has_no_rows() {
    let dir = tempfile::tempdir().unwrap();
    let def = view(None, vec![feature("x", "x", Aggregate::Last, None)]);
    let asked = [
        (Some(crate::source::carrier("a")), Timestamp::from_micros(9)),
        (Some(crate::source::carrier("b")), Timestamp::from_micros(9)),
    ];
    let found = |store: &OnlineStore| {
        let found = store.remembered(&def, "v", &asked)?;
        Some([0, 1].map(|entity| (found.value(entity, 0), found.newest(entity).map(Timestamp::micros))))
    };
    let wanted = Some([(Some(2.0), Some(5)), (None, None)]);
    let store = OnlineStore::open(dir.path()).unwrap();
    let sorted =
        [(3, 1.0), (5, 2.0), (4, 3.0)].map(|(time, x)| Ok::<_, OnlineError>(crate::source::row("a", time, None, x)));
    assert_eq!(store.try_load("v", Some(&def), sorted).unwrap(), 3);
    assert_eq!(found(&store), wanted);
    drop(store);
    let store = OnlineStore::open(dir.path()).unwrap();
    assert_eq!(found(&store), None);
    store.remember(&def, "v").unwrap();
    assert_eq!(found(&store), wanted);
    store.drop_view("v").unwrap();
    assert_eq!(found(&store), None);
}

/// Readers, a view that is filled again and again, and writers in any order of time.
#[test]
fn memory_holds_what_the_store_does_whoever_comes_in_between() {
    let dir = tempfile::tempdir().unwrap();
    // So little that views forget.
    let store = OnlineStore::open_remembering(dir.path(), 500_000).unwrap();
    let def = view(None, vec![feature("x", "x", Aggregate::Last, None)]);
    let names: Vec<String> = (0..20).map(|i| format!("C{i}")).collect();
    let asked: Vec<_> =
        names.iter().map(|name| (Some(crate::source::carrier(name)), Timestamp::from_micros(i64::MAX))).collect();
    std::thread::scope(|scope| {
        for seed in 0..3_u64 {
            let (store, names) = (&store, &names);
            scope.spawn(move || {
                let mut state = seed;
                for _ in 0..400 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let (name, time) = (&names[(state >> 33) as usize % 20], (state >> 40) as i64 % 50);
                    store.put("v", &[crate::source::row(name, time, None, (state >> 50) as f64)]).unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..300 {
                    store.read_dated(&def, "v", &asked).unwrap();
                    store.remember(&def, "v").unwrap();
                    let _ = store.remembered(&def, "v", &asked);
                }
            });
        }
        // Gives up its place to this one, and takes it again.
        scope.spawn(|| {
            for i in 0..3 {
                let rows = (0..6_000).map(|entity| crate::source::row(&format!("{i}-{entity}"), 1, None, 1.0));
                store.try_load(&format!("other{i}"), Some(&def), rows.map(Ok::<_, OnlineError>)).unwrap();
            }
        });
    });
    let before = store.read_dated(&def, "v", &asked).unwrap();
    let remembered = store.remembered(&def, "v", &asked).expect("all of it was read");
    drop(store);
    let after = OnlineStore::open_remembering(dir.path(), 0).unwrap();
    assert_eq!(after.remembered(&def, "v", &asked), None);
    let stored = after.read_dated(&def, "v", &asked).unwrap();
    assert_eq!((&before, &remembered), (&stored, &stored));
}

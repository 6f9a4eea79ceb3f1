//! Random views, sources and label rows: the join equals the oracle bit by bit, in whatever order the rows come.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray};
use arrow::array::{StringViewArray, TimestampMicrosecondArray};
use bedplate_features::{FeatureDef, PointInTime, Spine, SpineShape, ViewDefinition};
use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
use bedplate_types::{Span, Timestamp};
use proptest::prelude::*;

use crate::oracle::{self, Raw};

type Entity = (Option<String>, Option<i64>);

pub const AGGREGATES: [Aggregate; 9] = {
    use Aggregate::{Count, Distinct, Last, Max, Mean, Min, Quantile, Std, Sum};
    [Last, Mean, Sum, Count, Min, Max, Std, Distinct, Quantile]
};

/// Few distinct values, so that rows meet at every edge.
fn entity() -> impl Strategy<Value = Entity> {
    let name = prop_oneof![1 => Just(None), 9 => "[ab]{0,2}".prop_map(Some)];
    let number = prop_oneof![1 => Just(None), 9 => (-1..1_i64).prop_map(Some)];
    (name, number)
}

fn time() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 12 => (-12..12_i64).prop_map(Some), 1 => Just(Some(i64::MIN)), 1 => Just(Some(i64::MAX))]
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(-0.0)),
        3 => (-2..3_i8).prop_map(|value| Some(f64::from(value))),
        // Far apart in size, so that a sum in another order has other last digits.
        3 => (-1e3..1e3_f64).prop_map(Some),
        2 => (-1e-9..1e-9_f64).prop_map(Some),
    ]
}

fn raw() -> impl Strategy<Value = Raw> {
    let id = prop_oneof![3 => Just(None), 2 => "[xy]{1,2}".prop_map(Some)];
    let created = prop_oneof![1 => Just(None), 4 => (-3..3_i64).prop_map(Some), 1 => Just(Some(i64::MAX))];
    let made = (entity(), time(), created, id, number(), number());
    made.prop_map(|(entity, time, created, id, a, b)| Raw { entity, time, created, id, a, b })
}

fn view() -> impl Strategy<Value = ViewDefinition> {
    let feature = (0..AGGREGATES.len(), any::<bool>(), 1..15_i64);
    let ttl = prop_oneof![Just(None), (0..10_i64).prop_map(Some)];
    let (timed, created) = (prop::bool::weighted(0.9), any::<bool>());
    // Views of latest values alone are joined another way.
    let mixed = prop::bool::weighted(0.5);
    (prop::collection::vec(feature, 1..6), ttl, timed, created, mixed).prop_map(
        |(features, ttl, timed, created, mixed)| {
            let features = features.into_iter().enumerate().map(|(i, (aggregate, a, window))| {
                let aggregate = if timed && mixed { AGGREGATES[aggregate] } else { Aggregate::Last };
                let window = (aggregate != Aggregate::Last).then(|| Span::from_micros(window));
                let quantile = (aggregate == Aggregate::Quantile).then_some(0.7);
                FeatureDef {
                    name: format!("f{i}"),
                    column: if a { "a" } else { "b" }.to_owned(),
                    aggregate,
                    window,
                    quantile,
                }
            });
            ViewDefinition {
                name: "view".into(),
                join_keys: vec![
                    JoinKey { name: "name".into(), type_: ColumnType::String },
                    JoinKey { name: "number".into(), type_: ColumnType::Int64 },
                ],
                timestamp: timed.then(|| "known_at".into()),
                created: created.then(|| "written_at".into()),
                ttl: ttl.filter(|_| timed).map(Span::from_micros),
                features: features.collect(),
            }
        },
    )
}

/// A source with a `row_id` column, or without.
fn source() -> impl Strategy<Value = (Vec<Raw>, bool)> {
    // Many rows have another of their entity and time: another version of theirs, or another row.
    let with_other = (raw(), prop::option::of((raw(), any::<bool>()))).prop_map(|(row, other)| {
        let beside = other.map(|(other, is_version)| Raw {
            entity: row.entity.clone(),
            time: row.time,
            id: if is_version { row.id.clone() } else { other.id.clone() },
            ..other
        });
        [Some(row), beside].into_iter().flatten()
    });
    (prop::collection::vec(with_other, 0..40), any::<bool>()).prop_map(|(rows, with_ids)| {
        let mut rows: Vec<Raw> = rows.into_iter().flatten().collect();
        // Some rows come twice: a push repeated after a crash.
        rows.extend(rows.iter().step_by(5).cloned().collect::<Vec<_>>());
        rows.iter_mut().filter(|_| !with_ids).for_each(|row| row.id = None);
        (rows, with_ids)
    })
}

fn batch(rows: &[Raw], with_ids: bool) -> RecordBatch {
    let names: StringArray = rows.iter().map(|row| row.entity.0.clone()).collect();
    let numbers: Int64Array = rows.iter().map(|row| row.entity.1).collect();
    let times: TimestampMicrosecondArray = rows.iter().map(|row| row.time).collect();
    let created: TimestampMicrosecondArray = rows.iter().map(|row| row.created).collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("b", Arc::new(rows.iter().map(|row| row.b).collect::<Float64Array>())),
        ("name", Arc::new(names)),
        ("number", Arc::new(numbers)),
        ("known_at", Arc::new(times.with_timezone("UTC"))),
        ("written_at", Arc::new(created)),
        ("a", Arc::new(rows.iter().map(|row| row.a).collect::<Float64Array>())),
    ];
    if with_ids {
        columns.push(("row_id", Arc::new(rows.iter().map(|row| row.id.clone()).collect::<StringArray>())));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

/// Label rows as another engine would bring them: other string types, other widths.
fn spine(rows: &[(Entity, Option<i64>)], form: u8) -> RecordBatch {
    let names = rows.iter().map(|(entity, _)| entity.0.clone());
    let names: ArrayRef = match form % 3 {
        0 => Arc::new(names.collect::<StringArray>()),
        1 => Arc::new(names.collect::<LargeStringArray>()),
        _ => Arc::new(names.collect::<StringViewArray>()),
    };
    let narrow = rows.iter().map(|(entity, _)| entity.1.map(|number| i32::try_from(number).unwrap()));
    let numbers: ArrayRef = match form % 2 {
        0 => Arc::new(narrow.collect::<Int32Array>()),
        _ => Arc::new(narrow.map(|number| number.map(i64::from)).collect::<Int64Array>()),
    };
    let times: TimestampMicrosecondArray = rows.iter().map(|(_, time)| *time).collect();
    let columns: [(&str, ArrayRef); 3] = [("asked_at", Arc::new(times)), ("number", numbers), ("name", names)];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

/// Bits rather than numbers: equal means equal to the last digit.
fn joined(
    def: &ViewDefinition,
    sources: &[RecordBatch],
    spine: &RecordBatch,
    cutoff: Option<i64>,
) -> Vec<Vec<Option<u64>>> {
    let spine = Arc::new(Spine::new(&SpineShape::of(def), spine, "asked_at").unwrap());
    let join = || {
        let join = PointInTime::new(Arc::new(def.clone()), spine.clone());
        match cutoff {
            Some(cutoff) => join.as_known_at(Timestamp::from_micros(cutoff)),
            None => join,
        }
    };
    // Two joins take the batches by turns, as two threads do.
    let (mut even, mut odd) = (join(), join());
    for pair in sources.chunks(2) {
        pair.iter().zip([&mut even, &mut odd]).for_each(|(source, join)| join.take(source).unwrap());
    }
    even.merge(odd);
    even.finish().iter().map(|column| column.iter().map(|value| value.map(f64::to_bits)).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_oracle_in_any_order_of_rows_and_drops_none(
        def in view(),
        (rows, with_ids) in source(),
        asked in prop::collection::vec((entity(), time()), 0..40),
        form in any::<u8>(),
        (shuffled, cut) in (any::<u64>(), any::<prop::sample::Index>()),
        cutoff in prop::option::weighted(0.3, -3..3_i64),
    ) {
        let spine = spine(&asked, form);
        let found = joined(&def, &[batch(&rows, with_ids)], &spine, cutoff);
        prop_assert_eq!(found.len(), def.features.len());
        let known_by = |row: &&Raw| def.created.is_none() || row.created <= Some(cutoff.unwrap_or(i64::MAX));
        let seen: Vec<Raw> = rows.iter().filter(known_by).cloned().collect();
        for (feature, column) in def.features.iter().zip(&found) {
            prop_assert_eq!(column.len(), asked.len());
            for ((entity, at), value) in asked.iter().zip(column) {
                let (value, wanted) = (value.map(f64::from_bits), oracle::value(&def, feature, &seen, entity, *at));
                let is_right = oracle::is_right(feature, value, wanted);
                prop_assert!(is_right, "{feature:?} of {entity:?} at {at:?}: {value:?}, {wanted:?} is right");
            }
        }
        let mut rows = rows;
        shuffle(&mut rows, shuffled);
        let pieces: Vec<_> = rows.chunks(cut.index(rows.len() + 1).max(1)).map(|rows| batch(rows, with_ids)).collect();
        prop_assert_eq!(joined(&def, &pieces, &spine, cutoff), found);
    }
}

/// Fisher-Yates over a linear congruential generator (Knuth's MMIX constants).
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for i in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(i, (state >> 33) as usize % (i + 1));
    }
}

//! Windows by tiles: kept, made on the fly, and by brute force, over rows that lie close together.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use bedplate_features::{FeatureDef, History, PointInTime, Spine, SpineShape, ViewDefinition, values};
use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
use bedplate_types::{Span, Timestamp};
use proptest::prelude::*;

use crate::oracle::{self, Raw};
use crate::point_in_time::AGGREGATES;

/// Rows lie within so many microseconds.
const EXTENT: i64 = 1_200;

fn view() -> impl Strategy<Value = ViewDefinition> {
    // Tiles of 1 to 4^6 microseconds.
    let window = prop_oneof![1..300_i64, 300..20_000_i64, 20_000..300_000_i64];
    let feature = (0..AGGREGATES.len(), any::<bool>(), window, 0.01..0.99_f64);
    let ttl = prop_oneof![3 => Just(None), 1 => (0..EXTENT).prop_map(Some)];
    (prop::collection::vec(feature, 1..6), ttl).prop_map(|(features, ttl)| ViewDefinition {
        name: "view".into(),
        join_keys: vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }],
        timestamp: Some("at".into()),
        created: None,
        ttl: ttl.map(Span::from_micros),
        features: features.into_iter().enumerate().map(feature_of).collect(),
    })
}

fn feature_of((i, (aggregate, a, window, q)): (usize, (usize, bool, i64, f64))) -> FeatureDef {
    let aggregate = AGGREGATES[aggregate];
    FeatureDef {
        name: format!("f{i}"),
        column: if a { "a" } else { "b" }.to_owned(),
        aggregate,
        window: (aggregate != Aggregate::Last).then(|| Span::from_micros(window)),
        quantile: (aggregate == Aggregate::Quantile).then_some(q),
    }
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![1 => Just(None), 3 => (-1e3..1e3_f64).prop_map(Some), 3 => (-1e-9..1e-9_f64).prop_map(Some)]
}

/// Times about where time begins, before and after 1970, and where it ends.
fn rows() -> impl Strategy<Value = (Vec<Raw>, i64)> {
    let middle = prop::sample::select(vec![i64::MIN + EXTENT / 2, 0, 1_700_000_000_000_000, i64::MAX - EXTENT / 2]);
    let row = (-EXTENT / 2..EXTENT / 2, number(), number());
    (prop::collection::vec(row, 0..600), middle).prop_map(|(mut rows, middle)| {
        rows.sort_by_key(|(time, ..)| *time);
        let raw = |(i, (time, a, b))| Raw {
            entity: (Some(String::new()), Some(0)),
            time: Some(middle + time),
            created: None,
            // One length, so that they order as the rows came.
            id: Some(format!("{i:03}")),
            a,
            b,
        };
        (rows.into_iter().enumerate().map(raw).collect(), middle)
    })
}

fn cells(def: &ViewDefinition, row: &Raw) -> Vec<Option<f64>> {
    def.columns().iter().map(|column| if *column == "a" { row.a } else { row.b }).collect()
}

fn bits(values: &[Option<f64>]) -> Vec<Option<u64>> {
    values.iter().map(|value| value.map(f64::to_bits)).collect()
}

fn joined(def: &ViewDefinition, rows: &[Raw], moments: &[i64]) -> Vec<Vec<Option<u64>>> {
    let batch = |columns: Vec<(&str, ArrayRef)>| {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
            .unwrap()
    };
    let times = |times: Vec<Option<i64>>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(times)) };
    let keys = |len| -> ArrayRef { Arc::new(Int64Array::from(vec![0; len])) };
    let ids: Int64Array = (0..rows.len() as i64).map(Some).collect();
    let source = batch(vec![
        ("k", keys(rows.len())),
        ("at", times(rows.iter().map(|row| row.time).collect())),
        ("row_id", Arc::new(ids)),
        ("a", Arc::new(rows.iter().map(|row| row.a).collect::<Float64Array>())),
        ("b", Arc::new(rows.iter().map(|row| row.b).collect::<Float64Array>())),
    ]);
    let asked = batch(vec![("k", keys(moments.len())), ("at", times(moments.iter().copied().map(Some).collect()))]);
    let spine = Spine::new(&SpineShape::of(def), &asked, "at").unwrap();
    let mut join = PointInTime::new(Arc::new(def.clone()), Arc::new(spine));
    join.take(&source).unwrap();
    let columns = join.finish();
    (0..moments.len())
        .map(|row| columns.iter().map(|column| column.iter().nth(row).unwrap().map(f64::to_bits)).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kept_tiles_and_rows_and_brute_force_make_the_same(
        def in view(),
        (rows, middle) in rows(),
        asked in prop::collection::vec(-EXTENT..2 * EXTENT, 1..8),
        step in 1..200_usize,
    ) {
        let entity = (Some(String::new()), Some(0));
        let moments: Vec<i64> = asked.iter().map(|asked| middle.saturating_add(*asked)).collect();
        let (mut tiled, mut plain) = (History::tiled(&def), History::new(def.columns().len()));
        let positions = def.positions();
        // What is pushed later finds tiles that are still open.
        for pushed in rows.chunks(step) {
            for row in pushed {
                tiled.push(row.time.unwrap(), &cells(&def, row));
                plain.push(row.time.unwrap(), &cells(&def, row));
            }
            for at in &moments {
                let at = Timestamp::from_micros(*at);
                prop_assert_eq!(bits(&tiled.values_of(&def, &positions, at)), bits(&values(&def, &plain.all(), at)));
            }
        }
        let joined = joined(&def, &rows, &moments);
        for (at, joined) in moments.iter().zip(&joined) {
            let found = tiled.values_of(&def, &positions, Timestamp::from_micros(*at));
            prop_assert_eq!(joined, &bits(&found));
            for (feature, value) in def.features.iter().zip(&found) {
                let wanted = oracle::value(&def, feature, &rows, &entity, Some(*at));
                let is_right = oracle::is_right(feature, *value, wanted);
                prop_assert!(is_right, "{:?} at {}: {:?}, {:?} is right", feature, at, value, wanted);
            }
        }
    }
}

#[test]
fn a_deviation_far_from_zero_loses_nothing() {
    let def = ViewDefinition {
        name: "view".into(),
        join_keys: Vec::new(),
        timestamp: Some("at".into()),
        created: None,
        ttl: None,
        features: vec![feature_of((0, (6, true, 100_000, 0.0)))],
    };
    let mut history = History::tiled(&def);
    (0..10_000).for_each(|i| history.push(i, &[Some(1e9 + f64::from(u8::from(i % 2 == 0)))]));
    let found = history.values_of(&def, &[0], Timestamp::from_micros(10_000))[0].unwrap();
    assert!((found - 0.500_025_001).abs() < 1e-8, "{found}");
}

//! A join the size of the flights example stays in the order of a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bedplate_features::{FeatureDef, History, PointInTime, RequestEncoder, Spine, SpineShape, ViewDefinition, values};
use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
use bedplate_types::Timestamp;

const ROWS: usize = 330_000;
const CARRIERS: usize = 16;
/// One flight each minute and a half: 16 carriers make a week of about 420 each, 40 days of 2,400.
const STEP: i64 = 90_000_000;

fn flights() -> RecordBatch {
    let rows = 0..i64::try_from(ROWS).unwrap();
    let carriers: StringArray =
        rows.clone().map(|i| Some(format!("C{}", i.unsigned_abs() as usize % CARRIERS))).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("carrier", Arc::new(carriers)),
        ("at", Arc::new(rows.clone().map(|i| Some(i * STEP)).collect::<TimestampMicrosecondArray>())),
        ("delay", Arc::new(rows.clone().map(|i| Some((i * 7 % 61 - 10) as f64)).collect::<Float64Array>())),
        ("row_id", Arc::new(rows.map(Some).collect::<Int64Array>())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn carrier_delays() -> ViewDefinition {
    let mean = |name: &str, window: &str| FeatureDef {
        name: name.into(),
        column: "delay".into(),
        aggregate: Aggregate::Mean,
        window: Some(window.parse().unwrap()),
        quantile: None,
    };
    ViewDefinition {
        name: "carrier_delays".into(),
        join_keys: vec![JoinKey { name: "carrier".into(), type_: ColumnType::String }],
        timestamp: Some("at".into()),
        created: None,
        ttl: None,
        features: vec![mean("mean_16d", "16d"), mean("mean_3h", "3h")],
    }
}

#[test]
fn joins_a_third_of_a_million_label_rows_over_windows_of_a_thousand() {
    let flights = flights();
    let start = Instant::now();
    let def = Arc::new(carrier_delays());
    let spine = Spine::new(&SpineShape::of(&def), &flights, "at").unwrap();
    let mut join = PointInTime::new(def, Arc::new(spine));
    join.take(&flights).unwrap();
    let taken = start.elapsed();
    let columns = join.finish();
    let joined = start.elapsed() - taken;
    println!("taken in {taken:?}, joined {joined:?}");
    assert_eq!(columns[0].len(), ROWS);
    assert_eq!(columns[0].null_count(), 0);
    // Far above what it takes (see the printed figure), so that a busy machine does not fail it.
    assert!(taken + joined < Duration::from_secs(20), "{taken:?} + {joined:?}");
}

#[test]
fn encodes_a_third_of_a_million_local_times() {
    let feature = |name: &str| serde_json::json!({"name": name, "column": "at", "transform": name, "timezone": "America/New_York"});
    let parts = ["minuteOfDay", "dayOfWeek", "month", "dayOfYear"].map(feature);
    let encoder = RequestEncoder::fit(&serde_json::from_value::<Vec<_>>(parts.to_vec().into()).unwrap(), &[]).unwrap();
    let flights = flights();
    let start = Instant::now();
    let columns = encoder.encode(&flights).unwrap();
    println!("four parts of {ROWS} local times {:?}", start.elapsed());
    assert!(columns.iter().all(|column| column.null_count() == 0));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// Nanoseconds this thread has worked, as Linux counts them; elsewhere nothing is printed that means anything.
fn worked() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}

fn long_windows(aggregate: Aggregate) -> ViewDefinition {
    let feature = |window: &str| FeatureDef {
        name: window.into(),
        column: "delay".into(),
        aggregate,
        window: Some(window.parse().unwrap()),
        quantile: (aggregate == Aggregate::Quantile).then_some(0.95),
    };
    ViewDefinition { features: vec![feature("7d"), feature("30d")], ..carrier_delays() }
}

#[test]
fn long_windows_over_many_rows_are_the_same_with_their_tiles_and_without() {
    const READS: i64 = 200;
    const DAYS: i64 = 30 * 86_400_000_000;
    for (aggregate, rows) in [
        (Aggregate::Mean, 100_000),
        (Aggregate::Mean, 1_000_000),
        (Aggregate::Std, 100_000),
        (Aggregate::Distinct, 100_000),
        (Aggregate::Quantile, 100_000),
    ] {
        let def = long_windows(aggregate);
        let (mut plain, mut tiled) = (History::new(1), History::tiled(&def));
        (0..rows).for_each(|i| plain.push(i * (DAYS / rows), &[Some((i * 7919 % 100_003) as f64)]));
        let started = worked();
        (0..rows).for_each(|i| tiled.push(i * (DAYS / rows), &[Some((i * 7919 % 100_003) as f64)]));
        let built = worked() - started;
        let moments = || (0..READS).map(|i| Timestamp::from_micros(DAYS - i * 1_234_567_891));
        let started = worked();
        let wanted: Vec<_> = moments().map(|at| values(&def, &plain.all(), at)).collect();
        let by_rows = worked() - started;
        let started = worked();
        let found: Vec<_> = moments().map(|at| tiled.values_of(&def, &[0, 0], at)).collect();
        let by_tiles = worked() - started;
        assert_eq!(found, wanted);
        let micros = |nanos: u64| nanos as f64 / 1e3 / READS as f64;
        println!(
            "{aggregate:?} over 7 and 30 days of {rows} rows: {:.1} us by rows, {:.1} us by tiles; {} us to push all, {} KiB",
            micros(by_rows),
            micros(by_tiles),
            built / 1_000,
            tiled.bytes() / 1024,
        );
    }
}

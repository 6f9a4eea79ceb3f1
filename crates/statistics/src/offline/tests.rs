use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, TimestampMicrosecondArray};
use bedplate_features::FeatureDef;
use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
use bedplate_lake::profile::Values;
use bedplate_offline::{Batches, OfflineError};

use super::*;

/// Rows that are there in parts.
struct Given(Vec<Vec<RecordBatch>>);

impl Sources for Given {
    async fn parts(&self, _: &View) -> Result<Vec<Batches>, OfflineError> {
        let part = |batches: &Vec<RecordBatch>| stream::iter(batches.clone().into_iter().map(Ok)).boxed();
        Ok(self.0.iter().map(part).collect())
    }
}

const HOUR: i64 = 3_600_000_000;

fn view() -> View {
    let feature = |name: &str, aggregate, window: Option<&str>| FeatureDef {
        name: name.into(),
        column: "x".into(),
        aggregate,
        window: window.map(|window| window.parse().unwrap()),
        quantile: None,
    };
    let definition = ViewDefinition {
        name: "v".into(),
        join_keys: vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }],
        timestamp: Some("at".into()),
        created: None,
        ttl: None,
        features: vec![
            feature("sum_3h", Aggregate::Sum, Some("3h")),
            feature("x", Aggregate::Last, None),
            feature("count_2h", Aggregate::Count, Some("2h")),
        ],
    };
    View { definition, selected: vec![0, 1, 2], tables: Vec::new(), sql: String::new(), as_known_at: None }
}

/// Each of the entities has a row an hour, whose value is the hour; every tenth is missing.
fn batch(entities: std::ops::Range<i64>, hours: std::ops::Range<i64>) -> RecordBatch {
    let rows: Vec<(i64, i64)> = entities.flat_map(|entity| hours.clone().map(move |hour| (entity, hour))).collect();
    let at: TimestampMicrosecondArray = rows.iter().map(|(_, hour)| Some(hour * HOUR)).collect();
    let x: Float64Array = rows.iter().map(|(_, hour)| (hour % 10 != 9).then_some(*hour as f64)).collect();
    let key: Int64Array = rows.iter().map(|(entity, _)| Some(*entity)).collect();
    RecordBatch::try_from_iter([("k", Arc::new(key) as _), ("at", Arc::new(at) as _), ("x", Arc::new(x) as _)]).unwrap()
}

fn window(from: Option<i64>, to: Option<i64>) -> Window {
    let at = |hour: i64| Timestamp::from_micros(hour * HOUR);
    Window { from: from.map(at), to: to.map(at) }
}

async fn of(parts: Vec<Vec<RecordBatch>>, window: Window) -> Gathered {
    gather(&Given(parts), &view(), &window).await.unwrap()
}

/// Least, greatest, mean.
fn numbers(gathered: &Gathered, feature: usize) -> (f64, f64, f64) {
    match gathered.features[feature].profile.values.as_ref().unwrap() {
        Values::Numbers(numbers) => (numbers.min.unwrap(), numbers.max.unwrap(), numbers.mean.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_row_of_the_window_counts_once_and_windows_look_back_before_it() {
    let found = of(vec![vec![batch(0..4, 0..12)]], window(Some(5), Some(8))).await;
    let names: Vec<&str> = found.features.iter().map(|feature| feature.profile.name.as_str()).collect();
    assert_eq!(names, ["sum_3h", "x", "count_2h"]);
    assert_eq!((found.rows, found.newest), (12, Some(Timestamp::from_micros(11 * HOUR))));
    assert!(found.features.iter().all(|feature| feature.rows == 12 && !feature.sampled));
    assert_eq!(numbers(&found, 1), (5.0, 7.0, 6.0));
    // At 5: 3 + 4 + 5, though 3 and 4 are before the window.
    assert_eq!(numbers(&found, 0), (12.0, 18.0, 15.0));
    assert_eq!(numbers(&found, 2), (2.0, 2.0, 2.0));
    assert!(found.samples.iter().all(|sample| sample.len() == 12));
}

#[tokio::test]
async fn what_is_missing_is_counted_and_a_window_without_rows_tells_how_new_the_newest_is() {
    let found = of(vec![vec![batch(0..4, 0..12)]], window(None, None)).await;
    let missing: Vec<u64> = found.features.iter().map(|feature| feature.profile.nulls).collect();
    assert_eq!((found.rows, missing), (48, vec![0, 4, 0]));
    assert_eq!(found.samples[1].iter().filter(|value| value.is_nan()).count(), 4);
    let found = of(vec![vec![batch(0..4, 0..12)]], window(Some(20), None)).await;
    assert_eq!((found.rows, found.newest), (0, Some(Timestamp::from_micros(11 * HOUR))));
    assert!(found.features.iter().all(|feature| feature.rows == 0), "{found:?}");
}

#[tokio::test]
async fn the_parts_and_their_order_make_no_difference() {
    let whole = of(vec![vec![batch(0..600, 0..40)]], window(Some(3), Some(38))).await;
    let parts =
        vec![vec![batch(300..600, 20..40), batch(0..300, 0..20)], vec![batch(300..600, 0..20), batch(0..300, 20..40)]];
    let parted = of(parts, window(Some(3), Some(38))).await;
    assert_eq!(whole.rows, 21_000);
    for feature in 0..3 {
        let sorted = |gathered: &Gathered| {
            let mut values = gathered.samples[feature].clone();
            values.sort_unstable_by(f64::total_cmp);
            values.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!((sorted(&whole), whole.samples[feature].len()), (sorted(&parted), SAMPLE));
        let (whole, parted) = (numbers(&whole, feature), numbers(&parted, feature));
        assert!(
            (whole.0, whole.1) == (parted.0, parted.1) && (whole.2 - parted.2).abs() < 1e-9,
            "{whole:?} {parted:?}"
        );
    }
}

/// More rows than are held: whole entities stay, and the others are not told of.
#[tokio::test]
async fn of_too_many_rows_windows_are_told_of_some_entities() {
    let batches = (0..60).map(|part| batch(part * 100..(part + 1) * 100, 0..50)).collect();
    let found = of(vec![batches], window(None, None)).await;
    let [sum, x, _] = found.features.as_slice() else { panic!() };
    assert_eq!((found.rows, x.rows, x.sampled), (300_000, 300_000, false));
    assert!(sum.sampled && sum.rows <= 250_000 && sum.rows > 240_000 && sum.rows.is_multiple_of(50), "{}", sum.rows);
}

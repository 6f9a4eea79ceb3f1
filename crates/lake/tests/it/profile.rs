//! Whatever the rows and wherever the batches end, a profile says what a naive look at all values says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use bedplate_kinds::{Column, ColumnType};
use bedplate_lake::profile::{Numbers, Profiler, TableProfile, Values};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Row {
    amount: Option<f64>,
    count: Option<i64>,
    at: Option<i64>,
    word: Option<String>,
    flag: Option<bool>,
}

fn columns() -> Vec<Column> {
    let all = [
        ("amount", ColumnType::Float64),
        ("count", ColumnType::Int64),
        ("at", ColumnType::Timestamp),
        ("word", ColumnType::String),
        ("flag", ColumnType::Boolean),
    ];
    let column = |(name, type_): (&str, ColumnType)| Column {
        name: name.into(),
        type_,
        nullable: true,
        outcome: false,
        description: String::new(),
    };
    all.into_iter().map(column).collect()
}

fn batch(rows: &[Row]) -> RecordBatch {
    let at: TimestampMicrosecondArray = rows.iter().map(|row| row.at).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("amount", Arc::new(rows.iter().map(|row| row.amount).collect::<Float64Array>())),
        ("count", Arc::new(rows.iter().map(|row| row.count).collect::<Int64Array>())),
        ("at", Arc::new(at.with_timezone("UTC"))),
        ("word", Arc::new(rows.iter().map(|row| row.word.clone()).collect::<StringArray>())),
        ("flag", Arc::new(rows.iter().map(|row| row.flag).collect::<BooleanArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn profile(rows: &[Row], size: usize) -> TableProfile {
    let mut profiler = Profiler::new(&columns());
    rows.chunks(size).for_each(|rows| profiler.observe(&batch(rows)).unwrap());
    profiler.finish()
}

fn row() -> impl Strategy<Value = Row> {
    let amounts = prop_oneof![-5.0..5.0_f64, Just(f64::NAN), Just(f64::INFINITY), Just(0.0), -1e9..1e9_f64];
    let words = prop_oneof!["[ab]{0,2}", "ü{1,3}"];
    let maybe = proptest::option::of::<BoxedStrategy<f64>>;
    (
        maybe(amounts.boxed()),
        proptest::option::of(-20..20_i64),
        proptest::option::of(1_372_636_800_000_000..1_372_636_900_000_000_i64),
        proptest::option::of(words),
        proptest::option::of(any::<bool>()),
    )
        .prop_map(|(amount, count, at, word, flag)| Row { amount, count, at, word, flag })
}

#[track_caller]
fn check_numbers(found: &Numbers, values: &[f64]) {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    assert_eq!(found.nan, values.iter().filter(|value| value.is_nan()).count() as u64);
    assert_eq!(found.infinite, values.iter().filter(|value| value.is_infinite()).count() as u64);
    assert_eq!(found.min, finite.iter().copied().reduce(f64::min));
    assert_eq!(found.max, finite.iter().copied().reduce(f64::max));
    if finite.is_empty() {
        return assert!(found.mean.is_none() && found.histogram.is_none() && found.quantiles.is_empty());
    }
    let mean = finite.iter().sum::<f64>() / finite.len() as f64;
    let near =
        |one: f64, other: f64, scale: f64| assert!((one - other).abs() <= 1e-9 * scale.abs().max(1.0), "{one} {other}");
    let scale = finite.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    near(found.mean.unwrap(), mean, scale);
    if finite.len() > 1 {
        let squares: f64 = finite.iter().map(|value| (value - mean).powi(2)).sum();
        near(found.std.unwrap(), (squares / (finite.len() - 1) as f64).sqrt(), scale);
    }
    let mut sorted = finite.clone();
    sorted.sort_by(f64::total_cmp);
    for quantile in &found.quantiles {
        let place = quantile.at * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        assert!(quantile.value >= low && quantile.value <= high, "{quantile:?} of {sorted:?}");
    }
    let histogram = found.histogram.as_ref().unwrap();
    assert_eq!(histogram.counts.iter().sum::<u64>(), finite.len() as u64);
    for (at, count) in histogram.counts.iter().enumerate().filter(|_| histogram.width > 0.0) {
        let from = histogram.start + at as f64 * histogram.width;
        let within = finite.iter().filter(|value| **value >= from && **value < from + histogram.width);
        assert_eq!(within.count() as u64, *count, "bin {at} of {histogram:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_profile_is_as_a_naive_look(rows in proptest::collection::vec(row(), 0..60), size in 1..20_usize) {
        let told = profile(&rows, size);
        prop_assert_eq!(told.rows, rows.len() as u64);
        let [amount, count, at, word, flag] = &told.columns[..] else { panic!("{told:?}") };

        let amounts: Vec<f64> = rows.iter().filter_map(|row| row.amount).collect();
        prop_assert_eq!(amount.nulls as usize, rows.len() - amounts.len());
        // 0 and -0 are one value, and so is every NaN.
        let different: BTreeSet<u64> =
            amounts.iter().map(|value| if value.is_nan() { f64::NAN } else { value + 0.0 }.to_bits()).collect();
        prop_assert_eq!((amount.distinct, amount.distinct_estimated), (different.len() as u64, false));
        let Some(Values::Numbers(numbers)) = &amount.values else { panic!("{amount:?}") };
        check_numbers(numbers, &amounts);

        for (column, values) in [
            (count, rows.iter().filter_map(|row| row.count).collect::<Vec<_>>()),
            (at, rows.iter().filter_map(|row| row.at).collect()),
        ] {
            let Some(Values::Numbers(numbers)) = &column.values else { panic!("{column:?}") };
            prop_assert_eq!(column.distinct as usize, values.iter().collect::<BTreeSet<_>>().len());
            check_numbers(numbers, &values.iter().map(|value| *value as f64).collect::<Vec<_>>());
        }

        let words: Vec<&String> = rows.iter().filter_map(|row| row.word.as_ref()).collect();
        let Some(Values::Texts(texts)) = &word.values else { panic!("{word:?}") };
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        words.iter().for_each(|word| *counts.entry(word).or_default() += 1);
        prop_assert_eq!(word.distinct as usize, counts.len());
        let mut top: Vec<(u64, &str)> = counts.iter().map(|(word, count)| (u64::MAX - count, *word)).collect();
        top.sort_unstable();
        let top: Vec<(String, u64)> = top.into_iter().take(10).map(|(n, word)| (word.to_owned(), u64::MAX - n)).collect();
        let found: Vec<(String, u64)> = texts.top.iter().map(|one| (one.value.clone(), one.count)).collect();
        prop_assert_eq!((found, texts.short_by), (top, 0));
        prop_assert_eq!(texts.longest, words.iter().map(|word| word.chars().count() as u64).max());
        prop_assert_eq!(texts.shortest, words.iter().map(|word| word.chars().count() as u64).min());
        prop_assert_eq!(texts.empty, words.iter().filter(|word| word.is_empty()).count() as u64);

        let is_true = rows.iter().filter(|row| row.flag == Some(true)).count() as u64;
        prop_assert_eq!(flag.values.as_ref(), Some(&Values::Booleans(is_true)));
    }
}

/// Beyond what is held exactly, what is told keeps to its bounds.
#[test]
fn a_large_table_is_told_within_bounds() {
    let row = |n: u32| Row {
        amount: Some(f64::from(n * 7_919 % 300_007)),
        count: Some(i64::from(n / 3)),
        at: None,
        word: Some(if n.is_multiple_of(5) { "often".to_owned() } else { format!("w{n}") }),
        flag: Some(true),
    };
    let rows: Vec<Row> = (0..200_000).map(row).collect();
    let told = profile(&rows, 8_192);
    let off = |found: u64, expect: f64| (found as f64 - expect).abs() / expect;
    // Four standard errors.
    assert!(off(told.columns[0].distinct, 200_000.0) < 0.033, "{:?}", told.columns[0].distinct);
    assert!(off(told.columns[1].distinct, 66_667.0) < 0.033 && told.columns[1].distinct_estimated);
    assert!(off(told.columns[3].distinct, 160_001.0) < 0.033);
    let Some(Values::Numbers(numbers)) = &told.columns[0].values else { panic!() };
    let mut sorted: Vec<f64> = rows.iter().filter_map(|row| row.amount).collect();
    sorted.sort_by(f64::total_cmp);
    for quantile in &numbers.quantiles {
        let below = sorted.partition_point(|value| *value <= quantile.value) as f64 / sorted.len() as f64;
        assert!((below - quantile.at).abs() < 0.005, "{quantile:?}: {below}");
    }
    let Some(Values::Texts(texts)) = &told.columns[3].values else { panic!() };
    assert_eq!(texts.top[0].value, "often");
    assert!(texts.top[0].count <= 40_000 && texts.top[0].count + texts.short_by >= 40_000, "{texts:?}");
    assert_eq!((told.columns[2].nulls, told.columns[2].distinct), (200_000, 0));
}

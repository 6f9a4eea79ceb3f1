//! The definition of a feature's value, spelled out as slowly and plainly as possible.
//!
//! It shares no code with the crate: it looks at every source row for every label row.

use bedplate_features::{FeatureDef, ViewDefinition};
use bedplate_kinds::Aggregate;

/// One row of a source as the test made it; a view over it has the columns `a` and `b`.
#[derive(Clone, Debug)]
pub struct Raw {
    pub entity: (Option<String>, Option<i64>),
    pub time: Option<i64>,
    /// When it was written, which counts in views with a created column.
    pub created: Option<i64>,
    pub id: Option<String>,
    pub a: Option<f64>,
    pub b: Option<f64>,
}

pub fn value(
    def: &ViewDefinition,
    feature: &FeatureDef,
    source: &[Raw],
    entity: &(Option<String>, Option<i64>),
    at: Option<i64>,
) -> Option<f64> {
    // Without a timestamp column the rows have no time to be ordered by.
    let timeless = |row: &Raw| Raw {
        time: row.time.filter(|_| def.timestamp.is_some()),
        created: row.created.filter(|_| def.created.is_some()),
        ..row.clone()
    };
    let source: Vec<Raw> = source.iter().map(timeless).collect();
    let mut usable: Vec<&Raw> = Vec::new();
    for row in &source {
        let same_entity = entity.0.is_some() && entity.1.is_some() && row.entity == *entity;
        if same_entity && is_usable(def, feature, row, at) {
            usable.push(row);
        }
    }
    let stored = def.columns();
    usable.sort_by(|x, y| order(&stored, x, y));
    let kept: Vec<&Raw> = (0..usable.len()).filter(|i| survives(&stored, &usable, *i)).map(|i| usable[i]).collect();
    aggregate(feature, &kept)
}

/// Whether a value is what the oracle says: to the last bit, but for what is estimated, or rounded in other steps.
pub fn is_right(feature: &FeatureDef, found: Option<f64>, wanted: Option<f64>) -> bool {
    let (Some(found), Some(wanted)) = (found, wanted) else { return found == wanted };
    match feature.aggregate {
        Aggregate::Std => (found - wanted).abs() <= 1e-9 * (1.0 + wanted.abs()),
        // Estimated then, with a standard error of 1.6 %.
        Aggregate::Distinct if wanted > 512.0 => (found - wanted).abs() <= 0.08 * wanted,
        Aggregate::Quantile => (found - wanted).abs() <= 0.01 * wanted.abs(),
        _ => found.to_bits() == wanted.to_bits(),
    }
}

/// Known by then, not older than the TTL, within the window.
fn is_usable(def: &ViewDefinition, feature: &FeatureDef, row: &Raw, at: Option<i64>) -> bool {
    if def.timestamp.is_none() {
        return true;
    }
    let (Some(known), Some(at)) = (row.time, at) else { return false };
    let (known, at) = (i128::from(known), i128::from(at));
    let age = at - known;
    let alive = def.ttl.is_none_or(|ttl| age <= i128::from(ttl.micros()));
    let inside = feature.window.is_none_or(|window| age < i128::from(window.micros()));
    known <= at && alive && inside
}

fn number(value: Option<f64>) -> Option<f64> {
    value.filter(|value| !value.is_nan()).map(|value| if value == 0.0 { 0.0 } else { value })
}

fn column(row: &Raw, name: &str) -> Option<f64> {
    number(if name == "a" { row.a } else { row.b })
}

/// Null before any number; NaN is null. Only the columns a feature uses are part of a row.
fn order_of_values(stored: &[&str], x: &Raw, y: &Raw) -> std::cmp::Ordering {
    let one = |x: Option<f64>, y: Option<f64>| match (x, y) {
        (None, None) => std::cmp::Ordering::Equal,
        (None, Some(_)) => std::cmp::Ordering::Less,
        (Some(_), None) => std::cmp::Ordering::Greater,
        (Some(x), Some(y)) => x.partial_cmp(&y).unwrap(),
    };
    let orders = stored.iter().map(|name| one(column(x, name), column(y, name)));
    orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
}

/// Time; then when it was created, never first of all; then identity.
fn order(stored: &[&str], x: &Raw, y: &Raw) -> std::cmp::Ordering {
    x.time.cmp(&y.time).then(x.created.cmp(&y.created)).then_with(|| order_of_identities(stored, x, y))
}

/// Rows with an id by it (shorter ids first), then rows without one by their values.
fn order_of_identities(stored: &[&str], x: &Raw, y: &Raw) -> std::cmp::Ordering {
    match (&x.id, &y.id) {
        (Some(x), Some(y)) => x.len().cmp(&y.len()).then(x.cmp(y)),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => order_of_values(stored, x, y),
    }
}

/// Of rows with one time and identity, the one created last; of those the one with the greatest values, and the first.
fn survives(stored: &[&str], rows: &[&Raw], i: usize) -> bool {
    (0..rows.len()).filter(|j| *j != i).all(|j| {
        let (own, other) = (rows[i], rows[j]);
        let same = own.time == other.time && order_of_identities(stored, own, other).is_eq();
        let beaten = match own.created.cmp(&other.created).then(order_of_values(stored, own, other)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => j < i,
            std::cmp::Ordering::Greater => false,
        };
        !(same && beaten)
    })
}

fn aggregate(feature: &FeatureDef, rows: &[&Raw]) -> Option<f64> {
    if feature.aggregate == Aggregate::Last {
        return rows.last().and_then(|row| column(row, &feature.column));
    }
    let timed = rows.iter().filter_map(|row| Some((row.time?, column(row, &feature.column)?)));
    let (times, mut values): (Vec<i64>, Vec<f64>) = timed.unzip();
    match feature.aggregate {
        Aggregate::Count => return Some(values.len() as f64),
        Aggregate::Distinct => {
            let different: std::collections::BTreeSet<u64> = values.iter().map(|value| value.to_bits()).collect();
            return Some(different.len() as f64);
        }
        _ if values.is_empty() => return None,
        _ => {}
    }
    let sum = sum_by_tiles(feature, &times, &values);
    number(match feature.aggregate {
        Aggregate::Sum => Some(sum),
        Aggregate::Mean => Some(sum / values.len() as f64),
        Aggregate::Min => values.into_iter().min_by(|x, y| x.partial_cmp(y).unwrap()),
        Aggregate::Max => values.into_iter().max_by(|x, y| x.partial_cmp(y).unwrap()),
        Aggregate::Std => deviation(&values),
        Aggregate::Quantile => {
            values.sort_by(f64::total_cmp);
            Some(values[(feature.quantile.unwrap() * (values.len() - 1) as f64).floor() as usize])
        }
        Aggregate::Last | Aggregate::Count | Aggregate::Distinct => unreachable!("answered above"),
    })
}

/// From the beginning of time in tiles, the greatest power of four of which 32 make no more than the window; a sum for each.
fn sum_by_tiles(feature: &FeatureDef, times: &[i64], values: &[f64]) -> f64 {
    let window = feature.window.unwrap().micros();
    let mut width = 1_i128;
    while width * 4 * 32 <= i128::from(window) {
        width *= 4;
    }
    let tile = |time: i64| i128::from(time).div_euclid(width);
    let mut sums: Vec<(i128, f64)> = Vec::new();
    for (time, value) in times.iter().zip(values) {
        match sums.last_mut().filter(|(of, _)| *of == tile(*time)) {
            Some((_, sum)) => *sum += value,
            None => sums.push((tile(*time), 0.0 + value)),
        }
    }
    sums.into_iter().fold(0.0, |whole, (_, sum)| whole + sum)
}

/// In two passes.
fn deviation(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt())
}

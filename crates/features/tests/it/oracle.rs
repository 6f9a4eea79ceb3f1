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
    let timeless = |row: &Raw| Raw { time: row.time.filter(|_| def.timestamp.is_some()), ..row.clone() };
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
fn order_of_values(stored: &[String], x: &Raw, y: &Raw) -> std::cmp::Ordering {
    let one = |x: Option<f64>, y: Option<f64>| match (x, y) {
        (None, None) => std::cmp::Ordering::Equal,
        (None, Some(_)) => std::cmp::Ordering::Less,
        (Some(_), None) => std::cmp::Ordering::Greater,
        (Some(x), Some(y)) => x.partial_cmp(&y).unwrap(),
    };
    let orders = stored.iter().map(|name| one(column(x, name), column(y, name)));
    orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
}

/// Time; then rows with an id by it (shorter ids first), then rows without one by their values.
fn order(stored: &[String], x: &Raw, y: &Raw) -> std::cmp::Ordering {
    let ids = match (&x.id, &y.id) {
        (Some(x), Some(y)) => x.len().cmp(&y.len()).then(x.cmp(y)),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => order_of_values(stored, x, y),
    };
    x.time.cmp(&y.time).then(ids)
}

/// Of rows with one time and identity, the one with the greatest values; of equal ones, the first.
fn survives(stored: &[String], rows: &[&Raw], i: usize) -> bool {
    (0..rows.len()).filter(|j| *j != i).all(|j| {
        let same = order(stored, rows[i], rows[j]).is_eq();
        let beaten = match order_of_values(stored, rows[i], rows[j]) {
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
    let values: Vec<f64> = rows.iter().filter_map(|row| column(row, &feature.column)).collect();
    let mut sum = 0.0;
    for value in &values {
        sum += value;
    }
    match feature.aggregate {
        Aggregate::Count => Some(values.len() as f64),
        _ if values.is_empty() => None,
        Aggregate::Sum => Some(sum),
        Aggregate::Mean => Some(sum / values.len() as f64),
        Aggregate::Min => values.into_iter().min_by(|x, y| x.partial_cmp(y).unwrap()),
        Aggregate::Max => values.into_iter().max_by(|x, y| x.partial_cmp(y).unwrap()),
        Aggregate::Last => unreachable!("answered above"),
    }
}

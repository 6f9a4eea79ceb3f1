//! From an asked entity to its key, and from what is known of it to a cell of the answer.

use std::collections::BTreeMap;

use bedplate_feast::{Cell, Status, StoreError};
use bedplate_features::{EntityKey, KeyValue, ViewDefinition};
use bedplate_online::Dated;
use bedplate_types::Timestamp;

/// The key of each of the rows; none where a part of it is null.
pub fn keys(
    definition: &ViewDefinition,
    entities: &BTreeMap<String, Vec<serde_json::Value>>,
    rows: usize,
) -> Result<Vec<Option<EntityKey>>, StoreError> {
    let columns: Vec<_> = definition.join_keys.iter().map(|key| (key.name.as_str(), entities.get(&key.name))).collect();
    let mut parts = Vec::with_capacity(columns.len());
    let key = |row| {
        parts.clear();
        for (name, column) in &columns {
            parts.push(part(name, *column, row)?);
        }
        EntityKey::from_values(&definition.join_keys, &parts).map_err(|error| StoreError::Column {
            column: definition.join_keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(", "),
            why: format!("is of another type: {error}"),
        })
    };
    (0..rows).map(key).collect()
}

fn part<'a>(name: &str, column: Option<&'a Vec<serde_json::Value>>, row: usize) -> Result<KeyValue<'a>, StoreError> {
    let wrong = |why: &str| StoreError::Column { column: name.to_owned(), why: why.to_owned() };
    let value = column.and_then(|column| column.get(row)).ok_or_else(|| wrong("is missing"))?;
    KeyValue::from_json(value).ok_or_else(|| wrong("has a value that is neither text nor a whole number"))
}

/// What is told of one feature of an entity, both by their places.
pub fn cell(definition: &ViewDefinition, dated: &Dated, (entity, feature): (usize, usize), now: Timestamp) -> Cell {
    let (value, known) = (dated.value(entity, feature), dated.newest(entity));
    let is_old = |known: Timestamp| definition.ttl.is_some_and(|ttl| now.micros_since(known) > ttl.micros());
    let status = match (value, known) {
        (Some(_), _) => Status::Present,
        (None, None) => Status::NotFound,
        (None, Some(known)) if is_old(known) => Status::OutsideMaxAge,
        (None, Some(_)) => Status::Null,
    };
    // A view without times has rows that were always known.
    Cell { value, status, known: known.filter(|_| definition.timestamp.is_some()) }
}

#[cfg(test)]
mod tests {
    use bedplate_features::FeatureDef;
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
    use bedplate_types::Span;

    use super::*;

    fn view(ttl: Option<i64>) -> ViewDefinition {
        let feature = FeatureDef {
            name: "d".into(),
            column: "d".into(),
            aggregate: Aggregate::Last,
            window: None,
            quantile: None,
        };
        ViewDefinition {
            name: "v".into(),
            join_keys: vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }],
            timestamp: Some("at".into()),
            created: None,
            ttl: ttl.map(Span::from_micros),
            features: vec![feature],
        }
    }

    #[test]
    fn why_there_is_no_value_is_told() {
        let status = |ttl, value, newest: Option<i64>| {
            let mut dated = Dated::new(1, 1);
            dated.push(newest.map(Timestamp::from_micros), [value]);
            cell(&view(ttl), &dated, (0, 0), Timestamp::from_micros(100)).status
        };
        assert_eq!(status(None, Some(1.0), Some(5)), Status::Present);
        assert_eq!(status(None, None, None), Status::NotFound);
        assert_eq!(status(None, None, Some(5)), Status::Null);
        assert_eq!(status(Some(95), None, Some(5)), Status::Null);
        assert_eq!(status(Some(94), None, Some(5)), Status::OutsideMaxAge);
    }

    #[test]
    fn keys_of_another_type_are_refused_and_null_has_none() {
        let entities =
            |values: serde_json::Value| BTreeMap::from([("k".to_owned(), values.as_array().unwrap().clone())]);
        let made = keys(&view(None), &entities(serde_json::json!([1, null])), 2).unwrap();
        assert_eq!(made.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        for wrong in [serde_json::json!(["a"]), serde_json::json!([1.5]), serde_json::json!([[1]])] {
            let error = keys(&view(None), &entities(wrong.clone()), 1).unwrap_err();
            assert!(matches!(&error, StoreError::Column { column, .. } if column == "k"), "{wrong}: {error}");
        }
    }
}

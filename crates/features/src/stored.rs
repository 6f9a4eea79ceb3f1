//! Rows as a source has them, of rows that were stored: for whoever joins what was pushed with what the source has.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use bedplate_kinds::{ColumnType, JoinKey};

use crate::{EntityKey, KeyValue, ROW_ID_COLUMN, RowId, SourceRow, ViewDefinition};

/// Batches of which [`crate::rows`] makes the same rows again, in another order; one for each type of id there is.
///
/// # Errors
/// When a row's key or number of values is not the view's.
pub fn batches(def: &ViewDefinition, rows: &[SourceRow]) -> Result<Vec<RecordBatch>, ArrowError> {
    let sort = |row: &SourceRow| row.id.as_ref().map(|id| matches!(id, RowId::Text(_)));
    let alike = |wanted| rows.iter().filter(|row| sort(row) == wanted).collect::<Vec<_>>();
    let sorts = [None, Some(false), Some(true)].map(alike);
    sorts.iter().filter(|rows| !rows.is_empty()).map(|rows| batch(def, rows)).collect()
}

fn batch(def: &ViewDefinition, rows: &[&SourceRow]) -> Result<RecordBatch, ArrowError> {
    let keys: Vec<&EntityKey> = rows.iter().map(|row| &row.key).collect();
    let mut columns = key_columns(&def.join_keys, &keys)?;
    let mut add = |name: &str, column: ArrayRef| {
        // A column may be a key and a feature: it is there already.
        if columns.iter().all(|(known, _)| known != name) {
            columns.push((name.to_owned(), column));
        }
    };
    if let Some(name) = &def.timestamp {
        add(name, moments(rows.iter().map(|row| Some(row.time))));
    }
    if let Some(name) = &def.created {
        add(name, moments(rows.iter().map(|row| row.created.filter(|moment| *moment != i64::MIN))));
    }
    if let Some(ids) = ids(rows) {
        add(ROW_ID_COLUMN, ids);
    }
    for (at, name) in def.columns().into_iter().enumerate() {
        let values: Float64Array = rows.iter().map(|row| row.values.get(at).copied().flatten()).collect();
        add(name, Arc::new(values));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
}

/// The columns of the join keys, of entities in this order.
///
/// # Errors
/// When a key is not of these join keys.
pub fn key_columns(join_keys: &[JoinKey], keys: &[&EntityKey]) -> Result<Vec<(String, ArrayRef)>, ArrowError> {
    let strange = || ArrowError::InvalidArgumentError("a stored row is of another entity than the view's".into());
    let parts: Vec<Vec<KeyValue<'_>>> =
        keys.iter().map(|key| key.parts()).collect::<Option<_>>().ok_or_else(strange)?;
    if parts.iter().any(|parts| parts.len() != join_keys.len()) {
        return Err(strange());
    }
    let column = |(at, key): (usize, &JoinKey)| -> (String, ArrayRef) {
        let values = parts.iter().map(|parts| parts[at]);
        let column: ArrayRef = match key.type_ {
            ColumnType::String => Arc::new(values.map(text).collect::<StringArray>()),
            _ => Arc::new(values.map(int).collect::<Int64Array>()),
        };
        (key.name.clone(), column)
    };
    Ok(join_keys.iter().enumerate().map(column).collect())
}

fn text(value: KeyValue<'_>) -> Option<&str> {
    if let KeyValue::Text(text) = value { Some(text) } else { None }
}

fn int(value: KeyValue<'_>) -> Option<i64> {
    if let KeyValue::Int(int) = value { Some(int) } else { None }
}

fn moments(micros: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Of rows whose ids are of one type; none where they have none.
fn ids(rows: &[&SourceRow]) -> Option<ArrayRef> {
    match &rows.first()?.id {
        None => None,
        Some(RowId::Int(_)) => {
            let id = |row: &&SourceRow| if let Some(RowId::Int(id)) = row.id { Some(id) } else { None };
            Some(Arc::new(rows.iter().map(id).collect::<Int64Array>()))
        }
        Some(RowId::Text(_)) => {
            let id = |row: &&SourceRow| if let Some(RowId::Text(id)) = &row.id { Some(id.clone()) } else { None };
            Some(Arc::new(rows.iter().map(id).collect::<StringArray>()))
        }
    }
}

#[cfg(test)]
mod tests {
    use bedplate_kinds::Aggregate;

    use super::*;
    use crate::FeatureDef;

    #[test]
    fn stored_rows_are_read_as_they_were() {
        let key = |name: &str, type_| JoinKey { name: name.into(), type_ };
        let feature = |name: &str| FeatureDef {
            name: name.into(),
            column: name.into(),
            aggregate: Aggregate::Last,
            window: None,
            quantile: None,
        };
        let def = ViewDefinition {
            name: "v".into(),
            join_keys: vec![key("tail", ColumnType::String), key("year", ColumnType::Int32)],
            timestamp: Some("at".into()),
            created: Some("made".into()),
            ttl: None,
            features: vec![feature("delay"), feature("year")],
        };
        let row = |tail: &str, time, created, id, delay| {
            let parts = [KeyValue::Text(tail), KeyValue::Int(2013)];
            let key = EntityKey::from_values(&def.join_keys, &parts).unwrap().unwrap();
            SourceRow { key, time, created: Some(created), id, values: vec![delay, Some(2013.0)] }
        };
        let stored = [
            row("N1", 5, i64::MIN, None, None),
            row("é", -5, 7, Some(RowId::Int(3)), Some(1.5)),
            row("", 0, -7, Some(RowId::Text("x".into())), Some(f64::INFINITY)),
            row("N1", 6, 1, None, Some(2.0)),
        ];
        let batches = batches(&def, &stored).unwrap();
        assert_eq!(batches.len(), 3);
        let read: Vec<SourceRow> = batches.iter().flat_map(|batch| crate::rows(&def, batch).unwrap()).collect();
        assert_eq!(read, [stored[0].clone(), stored[3].clone(), stored[1].clone(), stored[2].clone()]);
        let other = SourceRow { key: EntityKey::from_bytes(b"i00000000"), ..stored[0].clone() };
        assert!(super::batches(&def, &[other]).is_err());
    }
}

//! The entities and moments as label rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use bedplate_features::{EntityKey, ViewDefinition, key_columns};

use crate::sampled::Asked;

/// No join key can be called so.
pub const MOMENT: &str = "its moment";

/// A row for each entity and moment, entity by entity.
pub fn labels(def: &ViewDefinition, asked: &[Asked]) -> Result<RecordBatch, ArrowError> {
    let each = || asked.iter().flat_map(|asked| asked.moments.iter().map(move |moment| (&asked.key, *moment)));
    let keys: Vec<&EntityKey> = each().map(|(key, _)| key).collect();
    let moments: TimestampMicrosecondArray = each().map(|(_, moment)| Some(moment)).collect();
    let mut columns = key_columns(&def.join_keys, &keys)?;
    columns.push((MOMENT.to_owned(), Arc::new(moments) as ArrayRef));
    RecordBatch::try_from_iter(columns)
}

//! What a new version says of the table as a whole: columns, partitions, constraints, and what its writers must know.

use std::collections::HashMap;

use arrow::datatypes::DataType as ArrowType;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::{Action, DataType, PrimitiveType, StructField, StructType};
use deltalake_core::table::state::DeltaTableState;
use serde_json::{Value, json};

use super::writable::key_of;
use super::{Layout, NewVersion};
use crate::constraint::Expressions;

/// The first version of the protocol whose writers meet constraints; from the seventh on its features say it.
const CONSTRAINTS_SINCE: i64 = 3;
const FEATURE: &str = "checkConstraints";

/// The metadata of the new version, where it is not that of the table.
pub(super) fn changed(state: &DeltaTableState, new: &NewVersion<'_>) -> Result<Option<Action>, DeltaTableError> {
    let (is, columns) = (state.metadata(), struct_type(&new.layout, Some(&state.schema()))?);
    let settings = with_those_of(is.configuration(), new);
    if *state.schema() == columns
        && *is.partition_columns() == new.layout.partition_by
        && settings == *is.configuration()
    {
        return Ok(None);
    }
    let mut json = serde_json::to_value(is).map_err(unspoken)?;
    json["schemaString"] = Value::String(serde_json::to_string(&columns).map_err(unspoken)?);
    json["partitionColumns"] = json!(new.layout.partition_by);
    json["configuration"] = json!(settings);
    Ok(Some(Action::Metadata(serde_json::from_value(json).map_err(unspoken)?)))
}

fn unspoken(json_err: serde_json::Error) -> DeltaTableError {
    DeltaTableError::SerializeLogJson { json_err }
}

/// The table's settings with the constraints of the new version.
fn with_those_of(settings: &HashMap<String, String>, new: &NewVersion<'_>) -> HashMap<String, String> {
    let mut settings = settings.clone();
    if let Some(constraints) = &new.constraints {
        settings.retain(|key, _| !key.starts_with(&key_of("")));
        settings.extend(constraints.iter().map(|(name, expression)| (key_of(name), expression.clone())));
    }
    settings
}

/// The protocol of a version with constraints, where the table's writers need not know of any yet.
pub(super) fn protocol(
    state: Option<&DeltaTableState>,
    new: &NewVersion<'_>,
) -> Result<Option<Action>, DeltaTableError> {
    if new.constraints.as_ref().is_none_or(Expressions::is_empty) {
        return Ok(None);
    }
    let mut asked = match state {
        Some(state) => serde_json::to_value(state.protocol()).map_err(unspoken)?,
        None => json!({ "minReaderVersion": 1, "minWriterVersion": 2 }),
    };
    match asked["minWriterVersion"].as_i64().unwrap_or_default() {
        3..=6 => return Ok(None),
        ..=2 => asked["minWriterVersion"] = json!(CONSTRAINTS_SINCE),
        _ => {
            let features = asked["writerFeatures"].as_array_mut();
            let Some(features) = features.filter(|features| !features.contains(&json!(FEATURE))) else {
                return Ok(None);
            };
            features.push(json!(FEATURE));
        }
    }
    Ok(Some(Action::Protocol(serde_json::from_value(asked).map_err(unspoken)?)))
}

/// Columns that `known` has stay as they are there, with what other writers say of them.
pub(super) fn struct_type(layout: &Layout, known: Option<&StructType>) -> Result<StructType, DeltaTableError> {
    let fields = layout.schema.fields().iter().map(|field| {
        let type_ = primitive(field.data_type()).ok_or_else(|| {
            DeltaTableError::Generic(format!("{} has no Delta type: {}", field.name(), field.data_type()))
        })?;
        let type_ = DataType::Primitive(type_);
        let known = known.and_then(|known| known.field(field.name())).filter(|known| known.data_type == type_);
        Ok(known.cloned().unwrap_or_else(|| StructField::new(field.name(), type_, field.is_nullable())))
    });
    Ok(StructType::try_new(fields.collect::<Result<Vec<_>, DeltaTableError>>()?)?)
}

/// The types of [`bedplate_lake::schema::arrow_type`].
fn primitive(type_: &ArrowType) -> Option<PrimitiveType> {
    Some(match type_ {
        ArrowType::Utf8 => PrimitiveType::String,
        ArrowType::Int32 => PrimitiveType::Integer,
        ArrowType::Int64 => PrimitiveType::Long,
        ArrowType::Float64 => PrimitiveType::Double,
        ArrowType::Boolean => PrimitiveType::Boolean,
        ArrowType::Timestamp(_, Some(_)) => PrimitiveType::Timestamp,
        _ => return None,
    })
}

//! Schemas: the declared columns as Arrow spells them, and how a source is brought into their shape.

mod cast;
mod conform;
mod error;
mod evolution;

pub use conform::Conform;
pub use error::{SchemaError, SchemaFault};
pub use evolution::{ColumnsChanged, evolution};

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bedplate_kinds::{Column, ColumnType, DatasetSpec};

/// The Arrow type a logical type is stored as.
#[must_use]
pub fn arrow_type(type_: ColumnType) -> DataType {
    match type_ {
        ColumnType::String => DataType::Utf8,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// The name a manifest uses for a logical type.
#[must_use]
pub fn type_name(type_: ColumnType) -> &'static str {
    match type_ {
        ColumnType::String => "string",
        ColumnType::Int32 => "int32",
        ColumnType::Int64 => "int64",
        ColumnType::Float64 => "float64",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp",
    }
}

/// The dataset's declared columns, in order. Every field is nullable: nulls are an expectation's business.
#[must_use]
pub fn arrow_schema(spec: &DatasetSpec) -> SchemaRef {
    let fields = spec.schema.iter().map(|column| Field::new(&column.name, arrow_type(column.type_), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns that a source of this schema can be declared with.
///
/// # Errors
/// The columns that are of no type a dataset can have, each with its type and what helps.
pub fn declarable(source: &Schema) -> Result<Vec<Column>, Vec<String>> {
    let (mut columns, mut others) = (Vec::new(), Vec::new());
    for field in source.fields() {
        match cast::nearest_type(field.data_type()) {
            Some(type_) => columns.push(Column {
                name: field.name().clone(),
                type_,
                nullable: true,
                outcome: false,
                description: String::new(),
            }),
            None => {
                let hint = cast::hint(field.data_type(), ColumnType::Timestamp);
                others.push(format!("{} is {}: {hint}", field.name(), cast::found_name(field.data_type())));
            }
        }
    }
    if others.is_empty() { Ok(columns) } else { Err(others) }
}

/// The schema of text whose header names these columns: the declared types, and strings where nothing is declared.
#[must_use]
pub fn header_schema<'a>(names: impl Iterator<Item = &'a str>, spec: &DatasetSpec) -> Schema {
    let type_of = |name: &str| spec.column(name).map_or(DataType::Utf8, |column| arrow_type(column.type_));
    Schema::new(names.map(|name| Field::new(name, type_of(name), true)).collect::<Vec<_>>())
}

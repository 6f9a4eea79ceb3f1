//! Bringing a source's batches into the declared shape: order and type, without loss.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit, TimestampNanosecondType};
use arrow::error::ArrowError;
use bedplate_kinds::{Column, DatasetSpec, SchemaEvolution};

use super::cast::{found_name, hint, is_lossless};
use super::{SchemaError, SchemaFault, arrow_schema, type_name};

/// A checked way from one source schema to the declared schema.
#[derive(Clone, Debug)]
pub struct Conform {
    target: SchemaRef,
    /// For each declared column, where the source has it; none where it may be without it.
    positions: Vec<Option<usize>>,
}

impl Conform {
    /// Checks a source's columns: all of them must be declared, none may be missing (with `schemaEvolution: addColumns`
    /// a nullable one may), and every type must hold the source's values without loss. The error lists everything that is
    /// wrong.
    pub fn compile(source: &Schema, spec: &DatasetSpec) -> Result<Self, SchemaError> {
        let mut faults: Vec<SchemaFault> =
            spec.schema.iter().filter_map(|column| fault(source, column, spec)).collect();
        faults.extend(undeclared(source, spec));
        faults.extend(twice(source));
        if !faults.is_empty() {
            return Err(SchemaError(faults));
        }
        let positions = spec.schema.iter().map(|column| source.index_of(&column.name).ok()).collect();
        Ok(Self { target: arrow_schema(spec), positions })
    }

    /// The declared schema that [`apply`](Self::apply) makes.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.target
    }

    /// For each declared column, where the source has it; none where it is null in every row.
    #[must_use]
    pub fn positions(&self) -> &[Option<usize>] {
        &self.positions
    }

    /// A source batch in the declared order and types. Fails on a time that is not whole microseconds or out of range.
    pub fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let pairs = self.positions.iter().zip(self.target.fields());
        let columns = pairs.map(|(position, field)| match position {
            Some(position) => convert(field.name(), batch.column(*position), field.data_type()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        });
        RecordBatch::try_new(self.target.clone(), columns.collect::<Result<_, _>>()?)
    }
}

fn fault(source: &Schema, column: &Column, spec: &DatasetSpec) -> Option<SchemaFault> {
    let declared = type_name(column.type_);
    let name = column.name.clone();
    let Ok(field) = source.field_with_name(&column.name) else {
        let may = column.nullable && spec.source.schema_evolution == SchemaEvolution::AddColumns;
        return (!may).then_some(SchemaFault::Missing { column: name, declared });
    };
    let from = field.data_type();
    let wrong = !is_lossless(from, column.type_);
    let hint = || hint(from, column.type_);
    wrong.then(|| SchemaFault::WrongType { column: name, declared, found: found_name(from), hint: hint() })
}

fn undeclared(source: &Schema, spec: &DatasetSpec) -> impl Iterator<Item = SchemaFault> {
    let declared: HashSet<&str> = spec.schema.iter().map(|column| column.name.as_str()).collect();
    let extra = source.fields().iter().filter(move |field| !declared.contains(field.name().as_str()));
    extra.map(|field| SchemaFault::Extra { column: field.name().clone(), found: found_name(field.data_type()) })
}

fn twice(source: &Schema) -> impl Iterator<Item = SchemaFault> {
    let mut seen = HashSet::new();
    let again = source.fields().iter().filter(move |field| !seen.insert(field.name().clone()));
    again.map(|field| SchemaFault::Twice { column: field.name().clone() })
}

fn convert(name: &str, array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(array.clone());
    }
    if let DataType::Timestamp(TimeUnit::Nanosecond, _) = array.data_type() {
        check_whole_micros(name, array)?;
    }
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })
}

fn check_whole_micros(name: &str, array: &ArrayRef) -> Result<(), ArrowError> {
    let nanos = array.as_primitive::<TimestampNanosecondType>();
    match nanos.iter().flatten().find(|nanos| nanos % 1_000 != 0) {
        Some(nanos) => Err(ArrowError::CastError(format!(
            "column {name} has a time of {nanos} ns since 1970, which is not whole microseconds; round it in the source"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Float32Array, Int32Array, LargeStringArray, StringViewArray, TimestampMicrosecondArray,
        TimestampNanosecondArray,
    };
    use arrow::datatypes::{Field, TimestampMicrosecondType};
    use bedplate_kinds::{ColumnType, DatasetSource};

    use crate::schema::header_schema;
    use bedplate_types::Explained;

    use super::*;

    fn spec(columns: &[(&str, ColumnType)]) -> DatasetSpec {
        let schema = columns.iter().map(|(name, type_)| Column {
            name: (*name).into(),
            type_: *type_,
            nullable: true,
            outcome: false,
            description: String::new(),
        });
        DatasetSpec {
            owner: "team".into(),
            description: String::new(),
            classification: Default::default(),
            tags: Default::default(),
            source: DatasetSource::at("x"),
            time_column: None,
            schema: schema.collect(),
            partition_by: Vec::new(),
            constraints: Vec::new(),
            suite: None,
            column_masks: Vec::new(),
            row_filters: Vec::new(),
            terms: Vec::new(),
            retention: None,
        }
    }

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn casts_without_loss_and_puts_columns_in_order() {
        let spec = spec(&[
            ("at", ColumnType::Timestamp),
            ("n", ColumnType::Int64),
            ("x", ColumnType::Float64),
            ("s", ColumnType::String),
            ("v", ColumnType::String),
        ]);
        let source = batch(vec![
            ("v", Arc::new(StringViewArray::from(vec![Some("a")]))),
            ("s", Arc::new(LargeStringArray::from(vec!["b"]))),
            ("x", Arc::new(Float32Array::from(vec![0.5]))),
            ("n", Arc::new(Int32Array::from(vec![7]))),
            ("at", Arc::new(TimestampNanosecondArray::from(vec![1_234_000]).with_timezone("America/New_York"))),
        ]);
        let conform = Conform::compile(&source.schema(), &spec).unwrap();
        let result = conform.apply(&source).unwrap();
        assert_eq!(result.schema(), arrow_schema(&spec));
        assert_eq!(result.column(0).as_primitive::<TimestampMicrosecondType>().value(0), 1_234);
        assert_eq!(result.column(3).as_string::<i32>().value(0), "b");
    }

    #[test]
    fn lists_every_fault_with_its_fix() {
        let spec = spec(&[
            ("gone", ColumnType::String),
            ("year", ColumnType::Int32),
            ("at", ColumnType::Timestamp),
            ("fine", ColumnType::Float64),
        ]);
        let source = Schema::new(vec![
            Field::new("year", DataType::Float64, true),
            Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
            Field::new("fine", DataType::Int32, true),
            Field::new("more", DataType::Utf8, true),
        ]);
        let error = Conform::compile(&source, &spec).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the source does not match spec.schema: column gone (string) is missing; column year is float64 and not int32; \
             column at is timestamp[us, no time zone] and not timestamp; column more (string) is not declared"
        );
        let fix = error.fix().unwrap();
        for part in ["remove gone", "declare it as type: float64", "zone UTC", "add more (string)"] {
            assert!(fix.contains(part), "{part}: {fix}");
        }
    }

    #[test]
    fn with_add_columns_a_source_may_lack_a_nullable_column() {
        let mut spec = spec(&[("n", ColumnType::Int64), ("more", ColumnType::String)]);
        let source = batch(vec![("n", Arc::new(Int32Array::from(vec![7])))]);
        assert!(Conform::compile(&source.schema(), &spec).is_err());
        spec.source.schema_evolution = SchemaEvolution::AddColumns;
        let result = Conform::compile(&source.schema(), &spec).unwrap().apply(&source).unwrap();
        assert_eq!((result.schema(), result.column(1).null_count()), (arrow_schema(&spec), 1));
        spec.schema[1].nullable = false;
        assert!(Conform::compile(&source.schema(), &spec).is_err());
    }

    #[test]
    fn the_columns_of_a_header_are_told_as_those_of_a_file() {
        let spec = spec(&[("n", ColumnType::Int64), ("s", ColumnType::String)]);
        let header = |names: &[&str]| header_schema(names.iter().copied(), &spec);
        let conform = Conform::compile(&header(&["s", "n"]), &spec).unwrap();
        assert_eq!(conform.positions(), [Some(1), Some(0)]);
        let error = Conform::compile(&header(&["n", "n", "x"]), &spec).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the source does not match spec.schema: column s (string) is missing; column x (string) is not declared; \
             column n is there twice"
        );
    }

    #[test]
    fn a_time_between_microseconds_is_refused() {
        let spec = spec(&[("at", ColumnType::Timestamp)]);
        let source = batch(vec![("at", Arc::new(TimestampNanosecondArray::from(vec![1_001]).with_timezone("UTC")))]);
        let conform = Conform::compile(&source.schema(), &spec).unwrap();
        assert!(conform.apply(&source).unwrap_err().to_string().contains("column at"));
        let fine = TimestampMicrosecondArray::from(vec![None, Some(1)]).with_timezone("UTC");
        let fine = batch(vec![("at", Arc::new(fine))]);
        assert_eq!(Conform::compile(&fine.schema(), &spec).unwrap().apply(&fine).unwrap(), fine);
    }
}

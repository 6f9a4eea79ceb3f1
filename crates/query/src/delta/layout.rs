//! What a table's metadata says of its rows: their columns, and by which of them they are parted.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use bedplate_kinds::DatasetSpec;
use bedplate_lake::schema::arrow_schema;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// All columns, in the order readers see them.
    pub schema: SchemaRef,
    /// Columns whose values name folders; the files in them do not have these columns.
    pub partition_by: Vec<String>,
}

impl Layout {
    /// One folder.
    pub fn whole(schema: SchemaRef) -> Self {
        Self { schema, partition_by: Vec::new() }
    }

    /// As a dataset declares it.
    pub fn of(spec: &DatasetSpec) -> Self {
        Self { schema: arrow_schema(spec), partition_by: spec.partition_by.clone() }
    }

    /// The same, whatever another writer says of nulls: rows are judged by what they have.
    pub fn nullable(self) -> Self {
        let fields = self.schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), ..self }
    }

    /// Of the columns that are in files, where they are in the schema.
    pub fn stored_places(&self) -> Vec<usize> {
        let is_stored = |field: &Field| !self.partition_by.contains(field.name());
        let fields = self.schema.fields().iter().enumerate();
        fields.filter(|(_, field)| is_stored(field)).map(|(place, _)| place).collect()
    }

    /// The columns that are in files.
    pub fn stored(&self) -> SchemaRef {
        let fields = self.stored_places().into_iter().map(|place| self.schema.field(place).clone());
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Rows as they are in a file.
    pub fn to_store(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.partition_by.is_empty() { Ok(batch.clone()) } else { batch.project(&self.stored_places()) }
    }

    /// The columns that name folders, in that order; those that the schema does not have are left out.
    pub fn partition_fields(&self) -> Vec<Field> {
        let fields = self.partition_by.iter().filter_map(|name| self.schema.field_with_name(name).ok());
        fields.cloned().collect()
    }
}

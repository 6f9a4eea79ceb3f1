//! A version of a partitioned table, as the engine reads it: the values of its partitions are those that the log tells, never
//! what folders are called, and files of partitions that conditions leave out are not opened.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{and, prep_null_mask_filter};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use deltalake_core::Path as FilePath;

use super::QueryError;
use crate::delta::{Layout, Table, TableError, TableFile, partition};

#[derive(Debug)]
pub(super) struct Partitioned {
    layout: Layout,
    files: Vec<Located>,
}

/// A file and what its rows have in the columns that name folders, in their order.
#[derive(Clone, Debug)]
struct Located {
    file: PartitionedFile,
    rows: Option<u64>,
}

impl Partitioned {
    pub fn new(table: &Table, layout: Layout) -> std::result::Result<Self, QueryError> {
        let fields = layout.partition_fields();
        let files = table.files()?.into_iter().map(|file| located(&table.location, file, &fields));
        Ok(Self { files: files.collect::<std::result::Result<_, TableError>>()?, layout })
    }

    /// Those that may have a row which meets the conditions.
    fn needed(&self, state: &dyn Session, filters: &[Expr]) -> Vec<&Located> {
        let all = || self.files.iter().collect();
        // What cannot be worked out of the partitions' values is worked out of the rows.
        let Ok(Some(mask)) = self.mask(state, filters) else { return all() };
        self.files.iter().zip(mask.iter()).filter(|(_, may)| *may == Some(true)).map(|(file, _)| file).collect()
    }

    /// For each file, whether its partition meets the conditions that ask of nothing else; none where there are none.
    fn mask(&self, state: &dyn Session, filters: &[Expr]) -> Result<Option<BooleanArray>> {
        let fields = self.layout.partition_fields();
        let names: HashSet<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let is_of_partitions = |filter: &&Expr| {
            let columns = filter.column_refs();
            !columns.is_empty() && !filter.is_volatile() && columns.iter().all(|column| names.contains(column.name()))
        };
        let schema = Arc::new(Schema::new(fields.clone()));
        let values = (0..fields.len()).map(|at| {
            ScalarValue::iter_to_array(
                self.files.iter().filter_map(|located| located.file.partition_values.get(at).cloned()),
            )
        });
        if self.files.is_empty() {
            return Ok(None);
        }
        let partitions = RecordBatch::try_new(schema.clone(), values.collect::<Result<Vec<ArrayRef>>>()?)?;
        let columns = DFSchema::try_from(schema)?;
        let mut mask: Option<BooleanArray> = None;
        for filter in filters.iter().filter(is_of_partitions) {
            let condition = state.create_physical_expr(filter.clone(), &columns)?;
            let answer = condition.evaluate(&partitions)?.into_array(partitions.num_rows())?;
            let Some(answer) = answer.as_boolean_opt() else { continue };
            let answer = if answer.null_count() > 0 { prep_null_mask_filter(answer) } else { answer.clone() };
            mask = Some(match mask {
                Some(mask) => and(&mask, &answer)?,
                None => answer,
            });
        }
        Ok(mask)
    }

    /// The places of columns where those that name folders come last, as the engine has it.
    fn places(&self, projection: Option<&Vec<usize>>) -> Vec<usize> {
        let stored = self.layout.stored_places();
        let place = |at: usize| {
            let name = self.layout.schema.field(at).name();
            let parts = self.layout.partition_by.iter().position(|part| part == name);
            let parts = parts.map(|part| stored.len() + part);
            parts.or_else(|| stored.iter().position(|place| *place == at)).unwrap_or_default()
        };
        let all: Vec<usize> = (0..self.layout.schema.fields().len()).collect();
        projection.unwrap_or(&all).iter().map(|at| place(*at)).collect()
    }
}

fn located(location: &Path, file: TableFile, fields: &[Field]) -> std::result::Result<Located, TableError> {
    let path = location.join(&file.name);
    let bad = || TableError::BadName { name: path.display().to_string() };
    let values = fields.iter().map(|field| partition::value(&file.partition, field));
    let values =
        values.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| TableError::Engine(error.to_string()))?;
    let mut known = PartitionedFile::new(String::new(), file.bytes);
    known.object_meta.location = FilePath::from_absolute_path(&path).map_err(|_| bad())?;
    known.object_meta.last_modified = (UNIX_EPOCH + Duration::from_millis(file.modified)).into();
    Ok(Located { file: known.with_partition_values(values), rows: file.rows })
}

#[async_trait]
impl TableProvider for Partitioned {
    fn schema(&self) -> SchemaRef {
        self.layout.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.needed(state, filters);
        if files.is_empty() {
            let schema = match projection {
                Some(projection) => Arc::new(self.layout.schema.project(projection)?),
                None => self.layout.schema.clone(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let parts: Vec<_> = self.layout.partition_fields().into_iter().map(Arc::new).collect();
        let columns = TableSchema::builder(self.layout.stored()).with_table_partition_cols(parts).build();
        let statistics = statistics(&files, columns.table_schema());
        let format = ParquetFormat::default();
        let group = FileGroup::new(files.into_iter().map(|located| located.file.clone()).collect());
        let source = format.file_source(columns);
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(group.split_files(state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(Some(self.places(projection)))?
            // A limit counts rows that meet the conditions, which are asked above this.
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        format.create_physical_plan(state, config).await
    }
}

/// About how much there is to read, for who plans.
fn statistics(files: &[&Located], schema: &SchemaRef) -> Statistics {
    let rows = files.iter().map(|located| located.rows).sum::<Option<u64>>();
    let bytes: u64 = files.iter().map(|located| located.file.object_meta.size).sum();
    let about = |number: u64| usize::try_from(number).map_or(Precision::Absent, Precision::Inexact);
    let unknown = Statistics::new_unknown(schema);
    Statistics { num_rows: rows.map_or(Precision::Absent, about), total_byte_size: about(bytes), ..unknown }
}

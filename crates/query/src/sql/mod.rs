//! SQL: one SELECT over exactly the tables it is given, each at a pinned version.

mod columns;
pub(crate) mod condition;
mod error;
mod partitioned;
mod profile;
pub(crate) mod session;

pub use columns::{OutputColumn, TableColumn};
pub use error::QueryError;
pub use session::PARTS;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SQLOptions;
use futures::StreamExt;

use crate::delta::Table;
use crate::{Frame, Lake};

/// A table as a query names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRef {
    /// The name in the query. SQL folds unquoted names to lower case.
    pub alias: String,
    pub namespace: String,
    pub name: String,
    /// The latest when none is named.
    pub version: Option<i64>,
}

/// The rows of a query under way.
pub struct Rows {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    tables: Vec<TableRef>,
}

impl Rows {
    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// What went wrong while the query ran.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        let Some(batch) = self.stream.next().await else { return Ok(None) };
        let batch = batch.map_err(|error| QueryError::of(error, &self.tables))?;
        as_plain(&batch, &self.schema).map(Some)
    }
}

impl Lake {
    /// Runs one SELECT and gathers its rows. Strings come back as `Utf8`. Nothing but the named tables can be read, and
    /// nothing can be written: DDL, DML, COPY and SET are refused. All queries of a lake share 512 MiB and then spill.
    pub async fn sql(&self, tables: &[TableRef], sql: &str) -> Result<Frame, QueryError> {
        let mut rows = self.rows(tables, sql).await?;
        let mut batches = Vec::new();
        while let Some(batch) = rows.next().await? {
            batches.push(batch);
        }
        Ok(Frame { schema: rows.schema, batches })
    }

    /// As [`Lake::sql`], a batch at a time: only what is under way is in memory. Dropping the rows ends the query.
    ///
    /// # Errors
    /// As [`Lake::sql`].
    pub async fn rows(&self, tables: &[TableRef], sql: &str) -> Result<Rows, QueryError> {
        let plan = self.plan(tables, sql).await?;
        let schema = plain(plan.schema().as_arrow());
        let stream = plan.execute_stream().await.map_err(|error| QueryError::of(error, tables))?;
        Ok(Rows { schema, stream, tables: tables.to_vec() })
    }

    /// As [`Lake::rows`], in as many parts as the engine has threads for it; each row is in one of them, and each part
    /// keeps the order its rows have in the files.
    ///
    /// # Errors
    /// As [`Lake::sql`].
    pub async fn parts(&self, tables: &[TableRef], sql: &str) -> Result<Vec<Rows>, QueryError> {
        let plan = self.plan(tables, sql).await?;
        let schema = plain(plan.schema().as_arrow());
        let streams = plan.execute_stream_partitioned().await.map_err(|error| QueryError::of(error, tables))?;
        let part = |stream| Rows { schema: schema.clone(), stream, tables: tables.to_vec() };
        Ok(streams.into_iter().map(part).collect())
    }

    /// What each column of the answer of [`Lake::sql`] is made of, read off the query's plan; nothing is run.
    ///
    /// # Errors
    /// As [`Lake::sql`].
    pub async fn columns(&self, tables: &[TableRef], sql: &str) -> Result<Vec<OutputColumn>, QueryError> {
        Ok(columns::of(self.plan(tables, sql).await?.logical_plan()))
    }

    async fn plan(&self, tables: &[TableRef], sql: &str) -> Result<DataFrame, QueryError> {
        let context = session::new(self.runtime());
        for table in tables {
            let location = self.location(&table.namespace, &table.name)?;
            session::register(&context, &table.alias, &Table::open(&location, table.version).await?)?;
        }
        let only_reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        context.sql_with_options(sql, only_reads).await.map_err(|error| QueryError::of(error, tables))
    }
}

/// Strings as views are the engine's own business.
pub(crate) fn plain(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8View | DataType::LargeUtf8 => {
            Arc::new(Field::new(field.name(), DataType::Utf8, field.is_nullable()))
        }
        _ => field.clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

pub(crate) fn as_plain(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, QueryError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(array, field)| cast(array, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(crate::FrameError::from)?;
    Ok(RecordBatch::try_new(schema.clone(), columns).map_err(crate::FrameError::from)?)
}

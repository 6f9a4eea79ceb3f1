//! The port behind which statements are answered.

use std::pin::Pin;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use bedplate_identity::Principal;
use bedplate_types::Problem;
use futures::Stream;

/// Who asks, in which namespace, what for, and where it is to run.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    pub namespace: String,
    pub purpose: Option<String>,
    pub engine: Option<String>,
}

/// The rows of an answer, as they come. Dropped, they end the statement.
pub struct Rows {
    pub schema: SchemaRef,
    pub batches: Pin<Box<dyn Stream<Item = Result<RecordBatch, Problem>> + Send>>,
}

/// A table that a caller may read.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    /// As far as the caller may see it; asked for only where it is needed.
    pub schema: Option<SchemaRef>,
}

/// What answers. Each call asks whether the caller may.
#[async_trait]
pub trait Statements: Send + Sync + 'static {
    /// The columns that the answer would have.
    async fn schema(&self, caller: &Caller, sql: &str) -> Result<SchemaRef, Problem>;

    /// The answer.
    async fn run(&self, caller: &Caller, sql: &str) -> Result<Rows, Problem>;

    /// The tables of the caller's namespace; an error where there is none for them.
    async fn tables(&self, caller: &Caller, with_schema: bool) -> Result<Vec<Table>, Problem>;
}

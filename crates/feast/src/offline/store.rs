//! The port to history.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use bedplate_identity::Principal;
use bedplate_types::{Problem, Timestamp};
use futures::stream::BoxStream;

use crate::guard::Caller;
use crate::{Selected, StoreError};

/// Who asks, in which namespace, and what for.
#[derive(Clone, Debug)]
pub struct Reader {
    pub principal: Principal,
    pub namespace: String,
    pub purpose: Option<String>,
}

impl Reader {
    pub(crate) fn caller(&self) -> Caller {
        Caller { principal: self.principal.clone(), namespace: self.namespace.clone() }
    }
}

/// Rows, as they come. Dropped, they end what makes them.
pub struct Table {
    pub schema: SchemaRef,
    pub rows: BoxStream<'static, Result<RecordBatch, Problem>>,
}

/// What features are asked for.
pub struct Labels {
    pub table: Table,
    /// The moment each row asks about: a timestamp in UTC of any unit.
    pub time_column: String,
}

/// Rows of a data source.
#[derive(Clone, Debug)]
pub struct Pull {
    pub source: String,
    pub join_keys: Vec<String>,
    /// All columns when there are none.
    pub features: Vec<String>,
    pub timestamp: String,
    /// Of rows with one timestamp, the one that was made last is the later one.
    pub created: Option<String>,
    /// Both ends count.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only the latest row of each entity.
    pub only_latest: bool,
}

/// Gives what was known, no more of it than the reader may see: each method asks about the data it reads. That the reader
/// may read the views themselves has been asked before.
#[async_trait]
pub trait OfflineStore: Send + Sync + 'static {
    /// The rows of a statement that reads.
    async fn statement(&self, reader: &Reader, sql: &str) -> Result<Table, StoreError>;

    /// The label rows in their order, none left out, with the selected features as they were known at each one's moment
    /// behind their own columns: Float64, called `names`.
    async fn historical(
        &self,
        reader: &Reader,
        selected: Arc<Selected>,
        names: Vec<String>,
        labels: Labels,
    ) -> Result<Table, StoreError>;

    /// The rows of a data source, in no order.
    async fn pull(&self, reader: &Reader, pull: Pull) -> Result<Table, StoreError>;

    /// The columns of a data source, as far as the reader may see them.
    async fn columns(&self, reader: &Reader, source: &str) -> Result<SchemaRef, StoreError>;
}

//! Where the rows of a view's source come from: the lake, or whatever shows no more of it than somebody may see.

use std::future::Future;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bedplate_query::{Lake, QueryError, Rows};
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::{OfflineError, View};

/// Rows of a query, as they come. Dropped, they end it.
pub type Batches = BoxStream<'static, Result<RecordBatch, OfflineError>>;

/// Gives the rows of views' sources. The same view has the same rows each time it is asked for.
pub trait Sources: Send + Sync {
    /// The rows of the view's query, in parts that are taken at the same time; each row is in one of them.
    ///
    /// # Errors
    /// When the query cannot be run.
    fn parts(&self, view: &View) -> impl Future<Output = Result<Vec<Batches>, OfflineError>> + Send;
}

impl Sources for Lake {
    async fn parts(&self, view: &View) -> Result<Vec<Batches>, OfflineError> {
        let name = view.definition.name.clone();
        let failed = move |source| OfflineError::Source { view: name.clone(), source };
        let parts = Lake::parts(self, &view.tables, &view.sql).await.map_err(&failed)?;
        Ok(parts.into_iter().map(|rows| batches(rows, failed.clone())).collect())
    }
}

impl<S: Sources> Sources for Arc<S> {
    async fn parts(&self, view: &View) -> Result<Vec<Batches>, OfflineError> {
        self.as_ref().parts(view).await
    }
}

pub(crate) fn batches(rows: Rows, failed: impl Fn(QueryError) -> OfflineError + Send + 'static) -> Batches {
    let steps = stream::unfold((Some(rows), failed), async |(rows, failed)| {
        let mut rows = rows?;
        match rows.next().await {
            Ok(Some(batch)) => Some((Ok(batch), (Some(rows), failed))),
            Ok(None) => None,
            Err(error) => Some((Err(failed(error)), (None, failed))),
        }
    });
    steps.boxed()
}

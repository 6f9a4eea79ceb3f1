//! Label rows of any number with their features, in pieces that fit in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use bedplate_query::{Lake, Rows, TableRef};

use crate::{OfflineError, View, join};

/// Bytes of a label row besides its own columns and features: its entity, its moment and its place.
const PLACE_BYTES: usize = 96;

/// The label rows as a query gives them.
#[derive(Clone, Debug)]
pub struct Labels {
    pub tables: Vec<TableRef>,
    pub sql: String,
    /// The moment each row asks about.
    pub time_column: String,
}

/// Gives the label rows to `sink` in the query's order, each with the selected features of `views` behind its own columns,
/// and returns how many there were.
///
/// `memory` is about what may be held, in bytes, besides what the queries themselves take. Label rows that need more are
/// joined in several passes, each of which reads the sources from the beginning.
///
/// # Errors
/// As [`join`], and what `sink` returns.
pub async fn historical_features<E: From<OfflineError>>(
    lake: &Lake,
    labels: &Labels,
    views: &[View],
    memory: usize,
    mut sink: impl FnMut(RecordBatch) -> Result<(), E>,
) -> Result<usize, E> {
    let mut rows = lake.rows(&labels.tables, &labels.sql).await.map_err(OfflineError::Labels)?;
    let mut total = 0;
    while let Some(piece) = piece(&mut rows, views, memory).await? {
        let features = join(lake, &piece, &labels.time_column, views).await?;
        total += piece.num_rows();
        let own =
            piece.schema_ref().fields().iter().map(|field| field.name().clone()).zip(piece.columns().iter().cloned());
        let made = features.into_iter().map(|feature| (feature.name, Arc::new(feature.values) as ArrayRef));
        let columns = own.chain(made).map(|(name, values)| (name, values, true));
        sink(RecordBatch::try_from_iter_with_nullable(columns).map_err(OfflineError::from)?)?;
    }
    Ok(total)
}

/// As many of the next label rows as may be joined at once; `None` at the end.
async fn piece(rows: &mut Rows, views: &[View], memory: usize) -> Result<Option<RecordBatch>, OfflineError> {
    let mut batches: Vec<RecordBatch> = Vec::new();
    let mut held = 0;
    while held < memory {
        let Some(batch) = rows.next().await.map_err(OfflineError::Labels)? else { break };
        held += batch.get_array_memory_size() + batch.num_rows() * row_bytes(views);
        batches.push(batch);
    }
    match batches.first() {
        Some(first) => Ok(Some(concat_batches(&first.schema(), &batches)?)),
        None => Ok(None),
    }
}

/// What one label row takes at most: its place, two rows of the widest view for each of two threads, and every feature.
fn row_bytes(views: &[View]) -> usize {
    const VALUE: usize = size_of::<f64>() + 1;
    let widest = views.iter().map(|view| view.definition.columns().len()).max().unwrap_or(0);
    let features: usize = views.iter().map(|view| view.definition.features.len()).sum();
    PLACE_BYTES + VALUE * (4 * widest + features)
}

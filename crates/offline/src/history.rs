//! Label rows of any number with their features, in pieces that fit in memory.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use bedplate_features::{PointInTime, Spine};
use bedplate_query::{Lake, PARTS, TableRef};
use futures::StreamExt;
use futures::stream::Fuse;

use crate::join::{AtOnce, join_views};
use crate::sources::{Batches, batches};
use crate::{OfflineError, Sources, View};

/// With less, one view is read at a time: two queries at once would take more than the label rows.
const LITTLE: usize = 128 << 20;

/// The label rows, as they come.
pub struct Labels {
    rows: Fuse<Batches>,
    time_column: String,
}

impl Labels {
    /// `time_column` is the moment each row asks about.
    #[must_use]
    pub fn new(rows: Batches, time_column: impl Into<String>) -> Self {
        // Whoever makes pieces asks again behind the last row.
        Self { rows: rows.fuse(), time_column: time_column.into() }
    }

    /// Those of a query.
    ///
    /// # Errors
    /// When the query cannot be run.
    pub async fn of(lake: &Lake, tables: &[TableRef], sql: &str, time_column: &str) -> Result<Self, OfflineError> {
        let rows = lake.rows(tables, sql).await.map_err(OfflineError::Labels)?;
        Ok(Self::new(batches(rows, OfflineError::Labels), time_column))
    }

    /// As many of the next label rows as `memory` allows, in their order, each with the selected features of `views` behind
    /// its own columns; `None` at the end.
    ///
    /// `memory` is about what may be held, in bytes, besides what the queries themselves take, and besides the last batch of
    /// label rows. Each call reads the sources from the beginning.
    ///
    /// # Errors
    /// As [`crate::join`], and what the label rows fail of.
    pub async fn next_joined(
        &mut self,
        sources: &impl Sources,
        views: &[View],
        memory: usize,
    ) -> Result<Option<RecordBatch>, OfflineError> {
        let Some(piece) = self.piece(views, memory).await? else { return Ok(None) };
        let at_once = if memory < LITTLE { AtOnce::One } else { AtOnce::Two };
        let features = join_views(sources, &piece, &self.time_column, views, at_once).await?;
        let fields = piece.schema_ref().fields().iter();
        let own = fields.map(|field| field.name().clone()).zip(piece.columns().iter().cloned());
        let made = features.into_iter().map(|feature| (feature.name, Arc::new(feature.values) as ArrayRef));
        let columns = own.chain(made).map(|(name, values)| (name, values, true));
        Ok(Some(RecordBatch::try_from_iter_with_nullable(columns)?))
    }

    /// As many of the next label rows as may be joined at once; `None` at the end.
    async fn piece(&mut self, views: &[View], memory: usize) -> Result<Option<RecordBatch>, OfflineError> {
        let mut batches: Vec<RecordBatch> = Vec::new();
        let (mut held, row) = (0, row_bytes(views));
        while held < memory {
            let Some(batch) = self.rows.next().await.transpose()? else { break };
            held += size(&batch) + batch.num_rows() * row;
            batches.push(batch);
        }
        match batches.first() {
            Some(first) => Ok(Some(concat_batches(&first.schema(), &batches)?)),
            None => Ok(None),
        }
    }
}

/// Gives all label rows to `sink` as [`Labels::next_joined`] does, and returns how many there were.
///
/// # Errors
/// As [`Labels::next_joined`], and what `sink` returns.
pub async fn historical_features<E: From<OfflineError>>(
    sources: &impl Sources,
    mut labels: Labels,
    views: &[View],
    memory: usize,
    mut sink: impl FnMut(RecordBatch) -> Result<(), E>,
) -> Result<usize, E> {
    let mut total = 0;
    while let Some(joined) = labels.next_joined(sources, views, memory).await? {
        total += joined.num_rows();
        sink(joined)?;
    }
    Ok(total)
}

/// What its rows take, and not what they share with others.
fn size(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(column.get_array_memory_size())).sum()
}

/// What one label row takes while two views are joined at once: of each its place in a spine, and a row from every part of the
/// source; and the features of all. More than it takes would have sources read again for nothing.
fn row_bytes(views: &[View]) -> usize {
    const VALUE_BITS: usize = 8 * size_of::<f64>() + 1;
    let of = |view: &View| Spine::BYTES_A_ROW + PARTS * PointInTime::bytes_a_row(&view.definition);
    let mut joined: Vec<usize> = views.iter().map(of).collect();
    joined.sort_unstable_by_key(|bytes| std::cmp::Reverse(*bytes));
    let features: usize = views.iter().map(|view| view.definition.features.len()).sum();
    joined.iter().take(AtOnce::Two as usize).sum::<usize>() + (features * VALUE_BITS).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use bedplate_features::{FeatureDef, ViewDefinition};
    use bedplate_kinds::Aggregate;

    use super::*;

    fn view(features: usize, created: Option<&str>) -> View {
        let feature = |n| FeatureDef {
            name: format!("f{n}"),
            column: format!("c{n}"),
            aggregate: Aggregate::Last,
            window: None,
            quantile: None,
        };
        View {
            definition: ViewDefinition {
                name: "v".into(),
                join_keys: Vec::new(),
                timestamp: Some("at".into()),
                created: created.map(str::to_owned),
                ttl: None,
                features: (0..features).map(feature).collect(),
            },
            selected: vec![0],
            tables: Vec::new(),
            sql: String::new(),
            as_known_at: None,
        }
    }

    /// Written out: what is held is known by what [`PointInTime`] and [`Spine`] keep, and is not to be found by their own words.
    #[test]
    fn a_row_takes_what_the_two_widest_views_keep_of_it_and_its_features() {
        assert_eq!(row_bytes(&[]), 0);
        assert_eq!(row_bytes(&[view(2, None)]), 24 + 2 * (12 + 16) + 17);
        assert_eq!(row_bytes(&[view(2, Some("written"))]), 24 + 2 * (12 + 16 + 8) + 17);
        let three = [view(4, None), view(8, None), view(6, None)];
        assert_eq!(row_bytes(&three), (24 + 2 * (12 + 64)) + (24 + 2 * (12 + 48)) + 147);
    }
}

//! One pass over a view's source.

use std::sync::Arc;

use arrow::array::RecordBatch;
use bedplate_features::{SourceRow, ViewDefinition, rows};
use bedplate_kinds::Window;
use bedplate_offline::{Sources, View};
use bedplate_sketches::{RowSample, mixed};
use bedplate_types::Timestamp;
use futures::{StreamExt, stream};

use crate::columns::Columns;
use crate::windowed::Windowed;
use crate::{FeatureStatistics, SAMPLE, StatisticsError};

/// What a view's features are in a window of time.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// Rows that became known in the window.
    pub rows: u64,
    /// When the newest of all rows became known, in the window or not; `None` in a view without times, and without rows.
    pub newest: Option<Timestamp>,
    /// In the view's order.
    pub features: Vec<FeatureStatistics>,
    /// Some values of each feature, in the view's order; NaN where a row has none.
    pub samples: Vec<Vec<f64>>,
}

/// Reads the view's source once, and tells of the rows that became known in `window`, each of them once.
///
/// Holds some hundred kilobytes a feature, and for a view with windows 250,000 of its rows: of one with more, whole entities
/// are drawn for the features over windows, and [`FeatureStatistics::sampled`] says so. Dropping the future ends it.
///
/// # Errors
/// When the source cannot be read.
pub async fn gather(sources: &impl Sources, view: &View, window: &Window) -> Result<Gathered, StatisticsError> {
    let mut gathering = Gathering::new(&view.definition, window.clone());
    // All parts at once: those that are not asked for may be held meanwhile.
    let mut batches = stream::select_all(sources.parts(view).await?);
    while let Some(batch) = batches.next().await {
        gathering.take(&batch?)?;
    }
    gathering.finish()
}

struct Gathering {
    definition: Arc<ViewDefinition>,
    window: Window,
    newest: Option<i64>,
    rows: u64,
    /// Positions of the features of the latest row, and of their columns among a row's values.
    latest: Vec<(usize, usize)>,
    columns: Columns,
    windowed: Option<Windowed>,
}

impl Gathering {
    fn new(definition: &ViewDefinition, window: Window) -> Self {
        let features = definition.features.iter().zip(definition.positions()).enumerate();
        let latest = features.filter(|(_, (feature, _))| feature.window.is_none());
        let latest: Vec<(usize, usize)> = latest.map(|(at, (_, column))| (at, column)).collect();
        let names = latest.iter().map(|(at, _)| definition.features[*at].name.clone()).collect();
        let definition = Arc::new(definition.clone());
        Self {
            windowed: Windowed::of(&definition, &window),
            definition,
            window,
            newest: None,
            rows: 0,
            latest,
            columns: Columns::new(names, SAMPLE),
        }
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), StatisticsError> {
        let mut values = Vec::with_capacity(self.latest.len());
        for row in rows(&self.definition, batch)? {
            self.newest = self.newest.max(Some(row.time));
            if self.window.contains(Timestamp::from_micros(row.time)) {
                self.rows += 1;
                values.clear();
                values.extend(self.latest.iter().map(|(_, column)| row.values[*column].unwrap_or(f64::NAN)));
                self.columns.take(lot(&row), &values)?;
            }
            if let Some(windowed) = &mut self.windowed {
                windowed.take(row);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Gathered, StatisticsError> {
        let mut told: Vec<Option<(FeatureStatistics, Vec<f64>)>> = vec![None; self.definition.features.len()];
        let mut put = |at: &[usize], (features, sample): (Vec<FeatureStatistics>, RowSample)| {
            for (column, (at, feature)) in at.iter().zip(features).enumerate() {
                told[*at] = Some((feature, sample.column(column)));
            }
        };
        let latest: Vec<usize> = self.latest.iter().map(|(at, _)| *at).collect();
        put(&latest, self.columns.finish(false)?);
        if let Some(windowed) = self.windowed {
            let positions = windowed.positions().to_vec();
            put(&positions, windowed.finish()?);
        }
        let (features, samples) = told.into_iter().flatten().unzip();
        let newest = self.newest.filter(|_| self.definition.timestamp.is_some()).map(Timestamp::from_micros);
        Ok(Gathered { rows: self.rows, newest, features, samples })
    }
}

/// The same rows are of the sample whenever and in whatever order they are read.
pub fn lot(row: &SourceRow) -> u64 {
    let (chunks, rest) = row.key.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let key = chunks.iter().chain([&last]).map(|bytes| u64::from_le_bytes(*bytes));
    let values = row.values.iter().map(|value| value.map_or(1, f64::to_bits));
    key.chain([row.time.cast_unsigned()]).chain(values).fold(0, |lot, bits| mixed(lot ^ bits))
}

#[cfg(test)]
mod tests;

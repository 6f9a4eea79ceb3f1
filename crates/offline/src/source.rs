//! The rows of a view's source, for whoever stores them.

use bedplate_features::{SourceRow, rows};
use bedplate_query::{Lake, Rows};

use crate::{OfflineError, View};

/// A view's rows as its query gives them, in pieces: only one piece is in memory.
pub struct Source {
    rows: Rows,
    view: View,
}

impl Source {
    /// # Errors
    /// When the query cannot be run.
    pub async fn open(lake: &Lake, view: View) -> Result<Self, OfflineError> {
        let rows = lake.rows(&view.tables, &view.sql).await;
        let rows = rows.map_err(|source| OfflineError::Source { view: view.definition.name.clone(), source })?;
        Ok(Self { rows, view })
    }

    /// The next usable rows, perhaps none; `None` at the end.
    ///
    /// # Errors
    /// What went wrong while the query ran; a column that is missing or has a type that cannot be used.
    pub async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, OfflineError> {
        let view = || self.view.definition.name.clone();
        let Some(batch) = self.rows.next().await.map_err(|source| OfflineError::Source { view: view(), source })?
        else {
            return Ok(None);
        };
        rows(&self.view.definition, &batch).map(Some).map_err(|source| OfflineError::Features { view: view(), source })
    }
}

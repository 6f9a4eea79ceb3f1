//! Markers: which state of its source a view was loaded from, so that an interrupted load is begun again.

use crate::OnlineError;
use crate::error::Doing;
use crate::local::LocalStore;

impl LocalStore {
    /// Whether the view was loaded whole from the source state that `marker` names (for example its table version).
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn is_loaded(&self, view_id: &str, marker: &str) -> Result<bool, OnlineError> {
        let stored = self.meta.get(key(view_id)).doing("read the marker", view_id)?;
        Ok(stored.is_some_and(|stored| *stored == *marker.as_bytes()))
    }

    /// Says that every row of that source state is stored. Durable when it returns, and with it the rows.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn mark_loaded(&self, view_id: &str, marker: &str) -> Result<(), OnlineError> {
        self.meta.insert(key(view_id), marker).doing("write the marker", view_id)?;
        self.sync(view_id)
    }

    pub(crate) fn unmark(&self, view_id: &str) -> Result<(), OnlineError> {
        self.meta.remove(key(view_id)).doing("remove the marker", view_id)?;
        self.sync(view_id)
    }
}

fn key(view_id: &str) -> String {
    format!("loaded/{view_id}")
}

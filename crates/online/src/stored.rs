//! The rows themselves, for whoever compares them with their source.

use bedplate_features::{EntityKey, SourceRow, ViewDefinition};

use crate::store::Engine;
use crate::{OnlineError, OnlineStore};

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    On,
    NoFurther,
}

impl OnlineStore {
    /// Gives the entity's bytes and the time of each stored row of a view, entity by entity: in a folder as they are when it
    /// begins, in Redis as each is when its turn comes. Costs a scan of them.
    ///
    /// # Errors
    /// When a stored row is damaged, or the engine fails.
    pub fn each_row(
        &self,
        view_id: &str,
        join_keys: usize,
        give: impl FnMut(&[u8], i64) -> Go,
    ) -> Result<(), OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.each_row(view_id, join_keys, give),
            Engine::Remote(store) => store.each_row(view_id, give),
        }
    }

    /// The rows of one entity known from `from` to `until`, both included, rising by time; the first `most` of them.
    ///
    /// # Errors
    /// When stored rows are damaged, or the engine fails.
    pub fn stored(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        key: &EntityKey,
        (from, until): (i64, i64),
        most: usize,
    ) -> Result<Vec<SourceRow>, OnlineError> {
        if from > until {
            return Ok(Vec::new());
        }
        match &self.0 {
            Engine::Local(store) => store.stored(def, view_id, key, (from, until), most),
            Engine::Remote(store) => store.stored(def, view_id, key, (from, until), most),
        }
    }
}

//! Reading, whichever engine a store has.

use bedplate_features::{EntityKey, ViewDefinition};
use bedplate_types::Timestamp;

use crate::store::Engine;
use crate::{Dated, OnlineError, OnlineStore};

/// What is asked of one view: entities, each as known at a moment; `None` is an entity without rows, as one with a null key
/// is.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub definition: &'a ViewDefinition,
    pub view_id: &'a str,
    pub asked: &'a [(Option<EntityKey>, Timestamp)],
}

/// The features of one entity, in the view's order.
pub type Values = Vec<Option<f64>>;

impl OnlineStore {
    /// The view's features of one entity as they were known at `at`, in the view's order; later rows are never seen.
    ///
    /// # Errors
    /// When stored rows are damaged or have other columns than the definition, or the engine fails.
    pub fn read(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        key: &EntityKey,
        at: Timestamp,
    ) -> Result<Values, OnlineError> {
        Ok(self.read_many(def, view_id, &[(Some(key.clone()), at)])?.pop().unwrap_or_default())
    }

    /// [`OnlineStore::read`] for many entities; `None` is an entity without rows, as one with a null key is.
    ///
    /// # Errors
    /// As [`OnlineStore::read`].
    pub fn read_many(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Result<Vec<Values>, OnlineError> {
        Ok(self.read_all(&[Question { definition: def, view_id, asked }])?.pop().unwrap_or_default())
    }

    /// [`OnlineStore::read_many`] of several views, in one round trip where the engine is elsewhere.
    ///
    /// # Errors
    /// As [`OnlineStore::read`].
    pub fn read_all(&self, views: &[Question<'_>]) -> Result<Vec<Vec<Values>>, OnlineError> {
        match &self.0 {
            Engine::Local(store) => {
                views.iter().map(|view| store.read_many(view.definition, view.view_id, view.asked)).collect()
            }
            Engine::Remote(store) => store.read_all(views),
        }
    }

    /// As [`OnlineStore::read_many`], with the age of what is known.
    ///
    /// # Errors
    /// As [`OnlineStore::read`].
    pub fn read_dated(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Result<Dated, OnlineError> {
        Ok(self.read_all_dated(&[Question { definition: def, view_id, asked }])?.pop().unwrap_or_default())
    }

    /// [`OnlineStore::read_dated`] of several views, in one round trip where the engine is elsewhere.
    ///
    /// # Errors
    /// As [`OnlineStore::read`].
    pub fn read_all_dated(&self, views: &[Question<'_>]) -> Result<Vec<Dated>, OnlineError> {
        match &self.0 {
            Engine::Local(store) => {
                views.iter().map(|view| store.read_dated(view.definition, view.view_id, view.asked)).collect()
            }
            Engine::Remote(store) => store.read_all_dated(views),
        }
    }

    /// As [`OnlineStore::read_dated`], if nothing but memory is needed for it: the view is one of `last` values, and nobody
    /// else writes to the store. Never waits.
    #[must_use]
    pub fn remembered(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        asked: &[(Option<EntityKey>, Timestamp)],
    ) -> Option<Dated> {
        match &self.0 {
            Engine::Local(store) => store.remembered(def, view_id, asked),
            Engine::Remote(_) => None,
        }
    }

    /// Sees to it that the latest rows of a view of `last` values are in memory, as many as have place, where an engine has
    /// one. Costs a scan of the view, once; pushes go on meanwhile.
    ///
    /// # Errors
    /// When stored rows are damaged, or the disk fails.
    pub fn remember(&self, def: &ViewDefinition, view_id: &str) -> Result<(), OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.remember(def, view_id),
            Engine::Remote(_) => Ok(()),
        }
    }
}

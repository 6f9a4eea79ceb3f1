//! Label rows arranged for views: those alike in their join keys share one spine, as long as one of them is joined.

use std::sync::{Arc, Weak};

use arrow::array::RecordBatch;
use bedplate_features::{Spine, SpineShape, ViewDefinition};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::join::AtOnce;
use crate::{OfflineError, View};

pub(crate) struct Spines<'a> {
    labels: &'a RecordBatch,
    time_column: &'a str,
    known: Mutex<Vec<(SpineShape, Weak<Shared>)>>,
}

/// Made by the first who needs it; the others wait.
pub(crate) type Shared = OnceCell<Arc<Spine>>;

impl<'a> Spines<'a> {
    pub(crate) fn new(labels: &'a RecordBatch, time_column: &'a str) -> Self {
        Self { labels, time_column, known: Mutex::default() }
    }

    /// Keep it while the spine is used: then others find it.
    pub(crate) fn shared(&self, definition: &ViewDefinition) -> Arc<Shared> {
        let shape = SpineShape::of(definition);
        let mut known = self.known.lock();
        known.retain(|(_, shared)| shared.strong_count() > 0);
        if let Some(shared) = known.iter().find(|(of, _)| *of == shape).and_then(|(_, shared)| shared.upgrade()) {
            return shared;
        }
        let shared = Arc::default();
        known.push((shape, Arc::downgrade(&shared)));
        shared
    }

    pub(crate) async fn make(&self, view: &View, at_once: AtOnce) -> Result<Arc<Spine>, OfflineError> {
        let name = || view.definition.name.clone();
        let (shape, labels) = (SpineShape::of(&view.definition), self.labels.clone());
        let time_column = self.time_column.to_owned();
        let making = at_once.run(move || Spine::new(&shape, &labels, &time_column).map(Arc::new));
        let made = making.await.map_err(|_| OfflineError::Stopped { view: name() })?;
        made.map_err(|source| OfflineError::Features { view: name(), source })
    }
}

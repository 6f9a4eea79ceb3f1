//! Which models are being served, and the features each takes.

use std::collections::HashMap;
use std::sync::Arc;

use bedplate_features::ViewDefinition;
use bedplate_infer::Model;
use bedplate_online::OnlineStore;
use bedplate_statistics::Served;
use bedplate_types::{Clock, Digest, NamespacedName};
use parking_lot::RwLock;

use crate::{Recorder, Signature};

/// One view of a deployment: where its rows are, and which of its features the model takes.
#[derive(Clone, Debug)]
pub struct ViewBinding {
    /// The view's id in the online store.
    pub id: String,
    pub definition: ViewDefinition,
    /// Positions in `definition.features`, in the model's order.
    pub selected: Vec<usize>,
}

/// A loaded model version with everything a prediction needs.
pub struct Deployment {
    pub endpoint: NamespacedName,
    pub model: String,
    pub version: u32,
    pub digest: Digest,
    pub signature: Signature,
    pub views: Vec<ViewBinding>,
    pub engine: Model,
    /// Who answers for the model, and bears what it costs to ask it; may be empty.
    pub team: String,
}

/// The deployments by endpoint. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Deployments {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub loaded: RwLock<HashMap<NamespacedName, Arc<Deployment>>>,
    pub online: OnlineStore,
    pub recorder: Recorder,
    /// Told of the features that are looked up.
    pub served: Served,
    pub clock: Arc<dyn Clock>,
}

impl Deployments {
    pub fn new(online: OnlineStore, recorder: Recorder, served: Served, clock: Arc<dyn Clock>) -> Self {
        Self { inner: Arc::new(Inner { loaded: RwLock::default(), online, recorder, served, clock }) }
    }

    /// Serves `deployment` from now on, in place of an older one of the same endpoint; running requests finish on theirs.
    pub fn install(&self, deployment: Deployment) {
        self.inner.loaded.write().insert(deployment.endpoint.clone(), Arc::new(deployment));
    }

    /// Stops serving the endpoint and frees its model once the last running request is done.
    pub fn remove(&self, endpoint: &NamespacedName) {
        self.inner.loaded.write().remove(endpoint);
    }

    /// Stops serving everything.
    pub fn clear(&self) {
        self.inner.loaded.write().clear();
    }

    #[must_use]
    pub fn get(&self, endpoint: &NamespacedName) -> Option<Arc<Deployment>> {
        self.inner.loaded.read().get(endpoint).cloned()
    }

    /// The digest being served, to tell whether a reconcile has anything to do.
    #[must_use]
    pub fn serving(&self, endpoint: &NamespacedName) -> Option<Digest> {
        self.get(endpoint).map(|deployment| deployment.digest)
    }

    /// Prediction records that were dropped because the queue was full.
    #[must_use]
    pub fn dropped_records(&self) -> u64 {
        self.inner.recorder.dropped()
    }
}

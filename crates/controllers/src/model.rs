//! Model: ready when it has a version; versions are written by whoever registers them.

use std::sync::Arc;

use bedplate_kinds::{Model, ModelStatus, Phase};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for Model {
    // Versions belong to the registration: written from here, an old list could take the place of a new one.
    const OWNS_STATUS: bool = false;

    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, status: &mut ModelStatus) -> Result<Phase, Hold> {
        match status.latest {
            Some(_) => Ok(Phase::Ready),
            None => Err(Hold::waiting("no training recipe has registered a version yet")),
        }
    }
}

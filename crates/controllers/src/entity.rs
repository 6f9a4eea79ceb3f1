//! Entity: a declaration that needs no work; ready once it is stored.

use std::sync::Arc;

use bedplate_kinds::{Entity, EntityStatus, Phase};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for Entity {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut EntityStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

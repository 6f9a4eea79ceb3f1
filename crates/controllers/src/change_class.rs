//! ChangeClass: every write is held against it when it is made; nothing is left to do.

use std::sync::Arc;

use bedplate_kinds::{ChangeClass, ChangeClassStatus, Phase};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for ChangeClass {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut ChangeClassStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

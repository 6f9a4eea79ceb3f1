//! Policy: the API server made it count when it stored it; nothing is left to do.

use std::sync::Arc;

use bedplate_kinds::{Phase, Policy, PolicyStatus};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for Policy {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut PolicyStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

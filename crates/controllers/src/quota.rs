//! Quota: every write is held against it when it is made; nothing is left to do.

use std::sync::Arc;

use bedplate_kinds::{Phase, Quota, QuotaStatus};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for Quota {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut QuotaStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

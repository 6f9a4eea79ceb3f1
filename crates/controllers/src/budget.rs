//! Budget: every plan is held against it when it is made; nothing is left to do.

use std::sync::Arc;

use bedplate_kinds::{Budget, BudgetStatus, Phase};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for Budget {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut BudgetStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

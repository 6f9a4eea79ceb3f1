//! RoleBinding: the API server made it count when it stored it, or `bindings` does, in a cluster; nothing is left to do.

use std::sync::Arc;

use bedplate_kinds::{Phase, RoleBinding, RoleBindingStatus};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for RoleBinding {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut RoleBindingStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

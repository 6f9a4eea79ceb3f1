//! GlossaryTerm: read by people and found by search; nothing is left to do.

use std::sync::Arc;

use bedplate_kinds::{GlossaryTerm, GlossaryTermStatus, Phase};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for GlossaryTerm {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut GlossaryTermStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

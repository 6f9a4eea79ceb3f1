//! Site: declared, not made; nothing is left to do.

use std::sync::Arc;

use bedplate_kinds::{Phase, Site, SiteStatus};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for Site {
    async fn bring(_: &Arc<Platform>, _: &Arc<Self>, _: &mut SiteStatus) -> Result<Phase, Hold> {
        Ok(Phase::Ready)
    }
}

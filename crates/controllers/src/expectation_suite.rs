//! ExpectationSuite: a declaration; the datasets that name it are validated by it when they are ingested.

use std::sync::Arc;

use bedplate_kinds::{ExpectationSuite, ExpectationSuiteStatus, Phase};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

impl Reconcile for ExpectationSuite {
    async fn bring(_: &Arc<Platform>, object: &Arc<Self>, status: &mut ExpectationSuiteStatus) -> Result<Phase, Hold> {
        status.expectations = object.spec.expectations.len() as u64;
        Ok(Phase::Ready)
    }
}

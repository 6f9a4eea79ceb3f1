//! Approval: tells when its request escalates and when it ends. The server decides over it at every write; this only keeps
//! what people see up to date with the clock.

use std::sync::Arc;

use bedplate_kinds::{Approval, ApprovalState, ApprovalStatus, ChangeClass, Phase};
use bedplate_types::{ErrorKind, Problem};

use crate::core::Platform;
use crate::hold::Hold;
use crate::run::Reconcile;

/// Where the classes that count are.
const SYSTEM: &str = "bedplate-system";

impl Reconcile for Approval {
    /// The votes, the times and the state are the server's.
    const OWNS_STATUS: bool = false;

    async fn bring(platform: &Arc<Platform>, approval: &Arc<Self>, _: &mut ApprovalStatus) -> Result<Phase, Hold> {
        let class: ChangeClass = platform.need(SYSTEM, &approval.spec.class).await?;
        let now = platform.now();
        let Some(request) = bedplate_govern::request_of(approval) else { return Ok(Phase::Pending) };
        let standing = bedplate_govern::standing(&class.spec, &request, now);
        match standing.state {
            ApprovalState::Waiting | ApprovalState::Escalated => {
                let people = bedplate_govern::people(&standing.missing);
                Err(Hold::waiting(format!("{}: {people} must agree", standing.state.as_str())))
            }
            // It is looked at again soon: it expires.
            ApprovalState::Approved => Ok(Phase::Running),
            ApprovalState::Used => Ok(Phase::Succeeded),
            ApprovalState::Rejected | ApprovalState::Expired => Err(Hold::Failed(Problem::new(
                ErrorKind::Refused,
                "the change",
                format!("the request is {}", standing.state.as_str()),
            ))),
        }
    }
}

//! Writes down what the policy decided, now and then: no answer waits for it.

use std::sync::Arc;
use std::time::Duration;

use bedplate_db::Db;
use bedplate_policy::Policy;
use bedplate_types::Clock;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(500);
/// In how many of these times old ones are forgotten.
const TIDY_EVERY: u64 = 120;

pub async fn write_down(db: Db, policy: Policy, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for round in 0_u64.. {
        let last = tokio::select! { _ = tick.tick() => false, () = cancel.cancelled() => true };
        write(&db, &policy, &clock, round.is_multiple_of(TIDY_EVERY)).await;
        if last {
            return;
        }
    }
}

async fn write(db: &Db, policy: &Policy, clock: &Arc<dyn Clock>, tidies: bool) {
    let (given, now) = (policy.given(), clock.now());
    if given.lost > 0 {
        tracing::warn!(lost = given.lost, "more was decided than could be written down");
    }
    if given.is_empty() && !tidies {
        return;
    }
    let decisions = given.decisions();
    let written = db.write_async(move |tx| {
        given.write(tx, now)?;
        if tidies { bedplate_policy::forget_old_decisions(tx, now) } else { Ok(()) }
    });
    if let Err(error) = written.await {
        tracing::error!(%error, decisions, "decisions were not written down");
    }
}

//! Keeps the statistics of what is served: once a minute, at the end, and when somebody asks for them. No answer waits for it.

use std::sync::Arc;
use std::time::Duration;

use bedplate_db::Db;
use bedplate_statistics::{HOUR, Served, WrittenHour, hour_of};
use bedplate_types::{Clock, Problem};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::keys;

const EVERY: Duration = Duration::from_secs(60);
/// In how many of these times old hours are forgotten.
const TIDY_EVERY: u64 = 30;
/// Hours of views in one transaction: each is some hundred kilobytes.
const AT_ONCE: usize = 16;
/// Hours that are kept.
pub const KEPT_HOURS: i64 = 72;

/// Clones are handles to the same.
#[derive(Clone)]
pub struct ServedLog {
    pub served: Served,
    db: Db,
    clock: Arc<dyn Clock>,
    /// This process, among those that write there.
    source: String,
    /// One at a time: what is older must not be written over what is newer.
    turn: Arc<Mutex<()>>,
}

impl ServedLog {
    /// # Errors
    /// When the machine has no randomness.
    pub fn open(db: Db, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        let (seed, source) = (u64::from_le_bytes(keys::random()?), u64::from_le_bytes(keys::random()?));
        Ok(Self { served: Served::new(seed), db, clock, source: format!("{source:016x}"), turn: Arc::default() })
    }

    /// Runs until it is cancelled, and keeps what is left.
    pub async fn keep(self, cancel: CancellationToken) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            let last = tokio::select! { _ = tick.tick() => false, () = cancel.cancelled() => true };
            if let Err(problem) = self.flush().await {
                tracing::warn!(%problem, "what was served was not kept and will be later");
            }
            if last {
                return;
            }
            if round.is_multiple_of(TIDY_EVERY) {
                self.forget_old().await;
            }
        }
    }

    /// What was served so far is in the database when it returns.
    ///
    /// # Errors
    /// When the database fails; it stays in memory then.
    pub async fn flush(&self) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        for hours in self.served.changed(self.clock.now()).chunks(AT_ONCE) {
            let written: Vec<WrittenHour> = hours.iter().map(WrittenHour::from).collect();
            let source = self.source.clone();
            let kept = self.db.write_async(move |tx| bedplate_statistics::write(tx, &source, &written)).await;
            kept.map_err(|error| Problem::of("keeping what was served", &error))?;
            self.served.kept(hours);
        }
        Ok(())
    }

    async fn forget_old(&self) {
        let oldest = hour_of(self.clock.now()) - KEPT_HOURS * HOUR;
        if let Err(error) = self.db.write_async(move |tx| bedplate_statistics::forget(tx, oldest)).await {
            tracing::warn!(%error, "old hours of what was served were not forgotten");
        }
    }
}

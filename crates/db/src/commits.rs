//! Commits of other processes, told to whoever keeps something in memory that they may have changed.

use tokio::sync::watch;

/// Wakes after another process has committed. What was told while nobody waited is told once; after the server could not be
/// heard for a while it wakes too, since nobody knows what was missed.
#[derive(Debug)]
pub struct Commits(watch::Receiver<u64>);

impl Commits {
    pub(crate) fn new(told: watch::Receiver<u64>) -> Self {
        Self(told)
    }

    /// Waits for the next. Never ends once the database is closed.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

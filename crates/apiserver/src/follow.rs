//! What other replicas on the same database do: what is kept in memory here is looked at again.

use std::time::Duration;

use bedplate_db::Tx;

use crate::error::ApiError;
use crate::server::{ApiServer, Inner};
use crate::store;
use crate::watch::in_background;

/// How often it looks without having been told.
const PERIOD: Duration = Duration::from_millis(500);
/// What is told within this time of a look is looked at together.
const GATHERED: Duration = Duration::from_millis(20);

impl ApiServer {
    /// Makes what other processes commit count here: watches tell it, bindings of roles take effect, and tokens are asked for
    /// again. It comes within milliseconds when the database says so, and within half a second when nothing was heard.
    /// Runs until it is dropped; returns at once when no other process can write.
    pub async fn follow(&self) {
        let Some(mut commits) = self.inner.db.commits_elsewhere() else { return };
        let mut seen = None;
        loop {
            let _ = tokio::time::timeout(PERIOD, commits.next()).await;
            match self.inner.look_at_others(seen).await {
                Ok(head) => seen = Some(head),
                Err(error) => tracing::warn!(%error, "what other replicas wrote could not be read; trying again"),
            }
            tokio::time::sleep(GATHERED).await;
        }
    }
}

impl Inner {
    /// Returns the newest version; wakes the watchers when it is not the one seen before.
    async fn look_at_others(&self, seen: Option<i64>) -> Result<i64, ApiError> {
        // Tokens have no version to tell a change by, and reading one again is cheap.
        self.authenticator.forget();
        let policy = self.policy.clone();
        let read = move |tx: &mut dyn Tx| {
            // Asked within a read of its own; what matters is that it is not older than the changes told below.
            policy.refresh().map_err(|error| ApiError::Internal(error.to_string()))?;
            Ok(store::memory(tx)?.head)
        };
        let head = in_background(&self.db, read).await?;
        if seen != Some(head) {
            self.writes.send_modify(|writes| *writes += 1);
        }
        Ok(head)
    }
}

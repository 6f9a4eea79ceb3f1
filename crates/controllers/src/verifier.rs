//! Where views are verified: one at a time, on one thread of its own, so that neither requests nor controllers wait for it.

use std::sync::Arc;

use bedplate_query::Threads;
use bedplate_types::{ErrorKind, Problem};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

/// Clones are handles to the same thread.
#[derive(Clone)]
pub struct Verifier(Arc<Aside>);

struct Aside {
    turns: Semaphore,
    thread: Threads,
}

impl Verifier {
    /// # Errors
    /// When there are no threads to be had.
    pub fn open() -> Result<Self, Problem> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(2).thread_name("verifier");
        let failed =
            |error: std::io::Error| Problem::new(ErrorKind::Internal, "a thread to verify on", error.to_string());
        let thread = Threads::start(&mut builder).map_err(failed)?;
        Ok(Self(Arc::new(Aside { turns: Semaphore::new(1), thread })))
    }

    /// Waits for its turn. Dropping the future ends the work.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T, Problem> {
        let ended = |why: String| Problem::new(ErrorKind::NotReady, "verifying", why);
        let _turn = self.0.turns.acquire().await.map_err(|error| ended(error.to_string()))?;
        let done = AbortOnDropHandle::new(self.0.thread.spawn(work));
        done.await
            .map_err(|error| Problem::new(ErrorKind::Internal, "verifying", format!("it ended abnormally: {error}")))
    }
}

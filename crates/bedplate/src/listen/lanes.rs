//! Threads that serve connections. A connection stays on one of them, with all that is asked on it: threads that take each
//! other's work wake one another for each request.

use std::io;
use std::sync::Arc;
use std::thread::available_parallelism;

use bedplate_query::Threads;
use bedplate_types::{ErrorKind, Problem};
use tokio::runtime::Builder;

/// With one alone, a long request would keep all others waiting.
const FEWEST: usize = 2;
const MOST: usize = 16;
/// Threads of one lane for what blocks.
const BLOCKING: usize = 128;

/// Clones are handles to the same threads.
#[derive(Clone)]
pub struct Lanes(Arc<[Lane]>);

struct Lane {
    thread: Threads,
    /// Each of its connections holds on to it.
    place: Arc<()>,
}

impl Lanes {
    /// One for each core, within reason.
    ///
    /// # Errors
    /// When there are no threads to be had.
    pub fn start() -> Result<Self, Problem> {
        let cores = available_parallelism().map_or(FEWEST, |cores| cores.get().clamp(FEWEST, MOST));
        let failed = |error: io::Error| Problem::new(ErrorKind::Internal, "threads that serve", error.to_string());
        Ok(Self((0..cores).map(|_| Lane::start()).collect::<io::Result<_>>().map_err(failed)?))
    }

    /// Serves a connection on the lane that has the fewest.
    pub fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let Some(lane) = self.0.iter().min_by_key(|lane| Arc::strong_count(&lane.place)) else { return };
        let place = lane.place.clone();
        drop(lane.thread.spawn(async move {
            connection.await;
            drop(place);
        }));
    }
}

impl Lane {
    fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(BLOCKING).thread_name("serving");
        Ok(Self { thread: Threads::start(bedplate_allocator::frugal(&mut builder))?, place: Arc::default() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn connections_are_shared_among_the_lanes() {
        let (lanes, (tell, mut told)) = (Lanes::start().unwrap(), mpsc::unbounded_channel());
        let serve = |until: tokio::sync::oneshot::Receiver<()>| {
            let tell = tell.clone();
            lanes.serve(async move {
                tell.send(std::thread::current().id()).unwrap();
                let _ = until.await;
            });
        };
        let mut held = Vec::new();
        for _ in 0..lanes.0.len() * 3 {
            let (hold, until) = tokio::sync::oneshot::channel();
            held.push(hold);
            serve(until);
        }
        let mut by_thread = BTreeMap::<String, usize>::new();
        for _ in 0..held.len() {
            *by_thread.entry(format!("{:?}", told.recv().await.unwrap())).or_default() += 1;
        }
        assert_eq!(by_thread.values().copied().collect::<Vec<_>>(), vec![3; lanes.0.len()]);
    }
}

//! Threads that read tables: they go once nothing runs on them any more.
//!
//! Delta's kernel waits, on a thread that blocks, for a task that it spawned, and panics when the runtime drops that task
//! first. So a runtime on which tables are read is not shut down under what still reads.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// How often one looks whether something still runs, and how often in a row nothing must: a reader spawns one task after
/// another.
const LOOK: Duration = Duration::from_millis(20);
const QUIET: u32 = 10;
/// What runs for so long is left to its fate.
const LONGEST: Duration = Duration::from_secs(30);

/// A runtime of its own. Dropped, it takes nothing new and ends when its tasks have; whoever drops it does not wait.
#[derive(Debug)]
pub struct Threads {
    handle: Handle,
    /// Gone only while it is dropped.
    held: Option<Held>,
}

/// Wherever it is dropped, nothing is waited for.
#[derive(Debug)]
struct Held(Option<Runtime>);

impl Threads {
    /// # Errors
    /// When there are no threads to be had.
    pub fn start(builder: &mut Builder) -> io::Result<Self> {
        let runtime = builder.enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), held: Some(Held(Some(runtime))) })
    }

    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.handle.spawn(work)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let (held, metrics) = (self.held.take(), self.handle.metrics());
        // A process that ends does not wait for this thread.
        let end = move || {
            wait(|| metrics.num_alive_tasks());
            drop(held);
        };
        // Without a thread to be had the runtime goes with the closure, at once.
        drop(std::thread::Builder::new().name("threads-end".into()).spawn(end));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Until nothing was alive for a while.
fn wait(alive: impl Fn() -> usize) {
    let mut quiet = 0;
    for _ in 0..LONGEST.as_millis() / LOOK.as_millis() {
        quiet = if alive() == 0 { quiet + 1 } else { 0 };
        if quiet == QUIET {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// What Delta's kernel does: it waits on a thread that blocks for what it spawned.
    #[test]
    fn who_waits_for_a_task_gets_its_answer_though_the_threads_are_dropped_and_the_work_aborted() {
        let threads = Threads::start(Builder::new_multi_thread().worker_threads(1)).unwrap();
        let (told, tells) = mpsc::channel();
        let (begun, begins) = mpsc::channel();
        let work = threads.spawn(async move {
            let handle = tokio::runtime::Handle::current();
            let waits = move || {
                for turn in 0..3 {
                    let (send, answer) = mpsc::channel();
                    handle.spawn(async move {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        let _ = send.send(turn);
                    });
                    let _ = begun.send(());
                    let _ = told.send(answer.recv());
                }
            };
            tokio::task::spawn_blocking(waits).await
        });
        begins.recv().unwrap();
        work.abort();
        drop(threads);
        assert_eq!(tells.iter().collect::<Vec<_>>(), [Ok(0), Ok(1), Ok(2)]);
    }

    #[test]
    fn threads_go_when_their_tasks_have() {
        let threads = Threads::start(Builder::new_multi_thread().worker_threads(1)).unwrap();
        let (held, gone) = mpsc::channel::<()>();
        // Held by a thread of the runtime itself, as long as that lives.
        drop(threads.spawn(async move { HELD.set(Some(held)) }));
        drop(threads);
        assert_eq!(gone.recv_timeout(Duration::from_secs(20)), Err(mpsc::RecvTimeoutError::Disconnected));
    }

    thread_local! {
        static HELD: std::cell::Cell<Option<mpsc::Sender<()>>> = const { std::cell::Cell::new(None) };
    }
}

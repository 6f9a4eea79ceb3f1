//! The allocator of a whole process, and when it gives memory back to the system.

mod code;

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;

use self::code::Code;

/// To be named as `#[global_allocator]`. A write makes many small values on one thread that are dropped on another, which the
/// system's allocator is slow at. What nobody uses for ten seconds goes back to the system, by threads of its own.
pub use tikv_jemallocator::Jemalloc as Allocator;

/// How often code that ran once is looked for.
const EVERY: Duration = Duration::from_secs(10);

/// Threads for blocking work end when they have none for so long: what they freed is theirs until then. They take turns, so
/// that with a second a few jobs a second kept dozens of them.
const IDLE: Duration = Duration::from_millis(100);

/// The priority behind all others.
const BEHIND_ALL: i32 = 19;

/// Has the system give this process, and those it starts, pages of the usual size alone. A huge one is cleared whole before its first
/// byte is used, and held whole as long as one of them is.
///
/// To be called before there is anything: what a process has it keeps. A system that cannot be told so goes on as it was.
pub fn without_huge_pages() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Threads that keep no memory that they do not need.
pub fn frugal(threads: &mut Builder) -> &mut Builder {
    threads.thread_keep_alive(IDLE)
}

/// Lets go of code that ran once, until it is dropped: after a large load a hundred megabytes of it would stay mapped.
pub struct LettingGo(Option<(Sender<()>, JoinHandle<()>)>);

impl LettingGo {
    /// # Errors
    /// When there are no threads to be had.
    pub fn start() -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new().name("code".into()).spawn(move || {
            // Where it may not step back it is as important as the others.
            let _ = rustix::process::setpriority_process(None, BEHIND_ALL);
            let mut code = Code::new();
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                code.tidy();
            }
        })?;
        Ok(Self(Some((stop, thread))))
    }
}

impl Drop for LettingGo {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use super::*;

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator;

    #[test]
    fn what_nobody_uses_is_given_back_by_threads_of_its_own() {
        let names = || {
            let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok()).collect::<Vec<_>>()
        };
        assert!(names().iter().any(|name| name.starts_with("jemalloc_bg")), "{:?}", names());
    }

    #[test]
    fn huge_pages_are_gone_and_stay_so_in_what_is_started() {
        without_huge_pages();
        let told = std::process::Command::new("grep").args(["THP_enabled", "/proc/self/status"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&told.stdout).split_whitespace().last(), Some("0"));
    }

    #[test]
    fn it_ends_when_it_is_dropped() {
        let before = Instant::now();
        drop(LettingGo::start().unwrap());
        assert!(before.elapsed() < EVERY);
    }
}

//! The allocator of a whole process, and when it gives memory back to the system.

mod code;

use std::cell::Cell;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use self::code::Code;

/// To be named as `#[global_allocator]`. A write makes many small values on one thread that are dropped on another, which the
/// system's allocator is slow at.
pub use mimalloc::MiMalloc as Allocator;

/// How often what nobody holds is looked for.
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
    threads.thread_keep_alive(IDLE).on_thread_park(tidy)
}

/// For a thread that is about to sleep: what it holds and nobody uses may be had by others, at most every ten seconds. By itself
/// mimalloc does so only when the thread allocates.
fn tidy() {
    thread_local!(static LAST: Cell<Option<Instant>> = const { Cell::new(None) });
    let now = Instant::now();
    match LAST.get() {
        Some(last) if now - last < EVERY => {}
        Some(_) => {
            LAST.set(Some(now));
            collect(false);
        }
        // A command that is soon over has nothing to give.
        None => LAST.set(Some(now)),
    }
}

/// Gives back to the system what nobody uses, every ten seconds, until it is dropped: after large loads hundreds of megabytes would
/// stay, a hundred of them code that ran for the load alone. It takes tens of milliseconds then, so it has a thread that lets
/// all others go first.
pub struct Purging(Option<(Sender<()>, JoinHandle<()>)>);

impl Purging {
    /// # Errors
    /// When there are no threads to be had.
    pub fn start() -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new().name("memory".into()).spawn(move || {
            // Where it may not step back it is as important as the others.
            let _ = rustix::process::setpriority_process(None, BEHIND_ALL);
            let mut code = Code::new();
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                collect(true);
                code.tidy();
            }
        })?;
        Ok(Self(Some((stop, thread))))
    }
}

impl Drop for Purging {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// `all`: what all threads gave goes back to the system, else only what this one has is given.
#[expect(unsafe_code, reason = "mimalloc is told by a function of C")]
fn collect(all: bool) {
    // SAFETY: the function may be called from any thread at any time; it frees what nobody holds.
    unsafe { libmimalloc_sys::mi_collect(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_pages_are_gone_and_stay_so_in_what_is_started() {
        without_huge_pages();
        let told = std::process::Command::new("grep").args(["THP_enabled", "/proc/self/status"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&told.stdout).split_whitespace().last(), Some("0"));
    }

    #[test]
    fn it_ends_when_it_is_dropped() {
        let before = Instant::now();
        drop(Purging::start().unwrap());
        assert!(before.elapsed() < EVERY);
    }
}

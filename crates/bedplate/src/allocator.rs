//! The allocator of the whole process.

use std::cell::Cell;
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use tokio::runtime::Builder;

/// A write makes many small values on one thread that are dropped on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const EVERY: Duration = Duration::from_secs(10);

/// Threads for blocking work end when they have none for so long: what they freed is theirs until then. They take turns, so
/// that with a second a few jobs a second kept dozens of them.
const IDLE: Duration = Duration::from_millis(100);

/// Threads that keep no memory that they do not need.
pub fn frugal(threads: &mut Builder) -> &mut Builder {
    threads.thread_keep_alive(IDLE).on_thread_park(give_back)
}

/// For a thread that is about to sleep: gives memory that nobody holds back to the system, at most every ten seconds. By itself
/// mimalloc does so only when somebody allocates: after large loads hundreds of megabytes stayed.
fn give_back() {
    thread_local!(static LAST: Cell<Option<Instant>> = const { Cell::new(None) });
    let now = Instant::now();
    match LAST.get() {
        Some(last) if now - last < EVERY => {}
        Some(_) => {
            LAST.set(Some(now));
            collect();
        }
        // A command that is soon over has nothing to give.
        None => LAST.set(Some(now)),
    }
}

#[expect(unsafe_code, reason = "mimalloc is told by a function of C")]
fn collect() {
    // SAFETY: the function may be called from any thread at any time; it frees what nobody holds.
    unsafe { libmimalloc_sys::mi_collect(true) }
}

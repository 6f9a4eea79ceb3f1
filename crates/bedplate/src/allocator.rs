//! The allocator of the whole process.

use std::cell::Cell;
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;

/// A write makes many small values on one thread that are dropped on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const EVERY: Duration = Duration::from_secs(10);

/// For a thread that is about to sleep: gives memory that nobody holds back to the system, at most every ten seconds. By itself
/// mimalloc does so only when somebody allocates: after large loads hundreds of megabytes stayed.
pub fn give_back() {
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

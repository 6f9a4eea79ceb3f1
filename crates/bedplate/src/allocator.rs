//! The allocator of the whole process.

use std::cell::Cell;
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use tokio_util::sync::CancellationToken;

/// A write makes many small values on one thread that are dropped on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const EVERY: Duration = Duration::from_secs(10);

/// Gives memory that nobody holds back to the system, every ten seconds. By itself mimalloc does so only when somebody
/// allocates: after large loads hundreds of megabytes stayed. It takes some milliseconds, which requests wait for.
pub async fn give_back(cancel: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! { _ = tick.tick() => collect(), () = cancel.cancelled() => return }
    }
}

/// What a thread keeps for itself of what it freed, given back before it sleeps; not more often either.
pub fn before_sleep() {
    thread_local!(static LAST: Cell<Option<Instant>> = const { Cell::new(None) });
    let now = Instant::now();
    if LAST.get().is_none_or(|last| now - last >= EVERY) {
        LAST.set(Some(now));
        collect();
    }
}

#[expect(unsafe_code, reason = "mimalloc is told by a function of C")]
fn collect() {
    // SAFETY: the function may be called from any thread at any time; it frees what nobody holds.
    unsafe { libmimalloc_sys::mi_collect(true) }
}

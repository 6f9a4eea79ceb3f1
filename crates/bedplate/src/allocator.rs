//! The allocator of the whole process.

use std::ffi::c_int;

use mimalloc::MiMalloc;

/// A write makes many small values on one thread that are dropped on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`: how many milliseconds memory that is free stays the process's.
const PURGE_DELAY: c_int = 15;

/// What is freed goes back to the system within a tenth of a second. By itself mimalloc waits for a second and for
/// whoever allocates next in the same place: after large loads hundreds of megabytes stayed for ever.
#[expect(unsafe_code, reason = "mimalloc's options are set by a function of C")]
pub fn give_back_soon() {
    // SAFETY: the function takes a number of its own enumeration, whose place is the same in versions 2 and 3, and stores
    // another beside it; it neither reads nor keeps memory of ours, and may be called at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "mimalloc's options are read by a function of C")]
    fn the_option_that_is_set_is_the_delay() {
        let read = || {
            // SAFETY: as above; a number is read.
            unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }
        };
        assert!([10, 1000].contains(&read()), "what the two versions have it at: {}", read());
        give_back_soon();
        assert_eq!(read(), 100);
    }
}

//! The use of the processor by the thread that asks.

use bedplate_types::Micros;

/// How long the calling thread has run on a processor since it began (`/proc/thread-self/schedstat`, whose first figure is in
/// nanoseconds); none where the kernel does not count it.
#[must_use]
pub fn thread_cpu() -> Option<Micros> {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos: u64 = counted.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Micros(nanos / 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_and_waiting_is_not() {
        let before = thread_cpu().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let slept = thread_cpu().unwrap();
        let mut sum = 0_u64;
        while thread_cpu().unwrap().0 - slept.0 < 30_000 {
            sum = (0..100_000_u64).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        assert!(slept.0 - before.0 < 30_000, "a sleep took {} us", slept.0 - before.0);
    }
}

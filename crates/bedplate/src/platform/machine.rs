//! What this machine can carry: the one site where none is declared.

use bedplate_kinds::SiteCapacity;

/// Every core and all of the memory.
pub fn capacity() -> SiteCapacity {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let info = rustix::system::sysinfo();
    let bytes = u64::from(info.mem_unit).saturating_mul(info.totalram);
    SiteCapacity { milli_cpu: cores * 1_000, memory_mib: bytes >> 20, ..SiteCapacity::default() }
}

//! The pages of the program's own file, which the system maps as its code is run and keeps mapped after.

use std::ffi::c_void;
use std::fs;
use std::ops::Range;

/// By how much what is mapped of files may grow, in bytes, until code is let go of.
const GROWN: u64 = 8 << 20;
/// Code is let go of at most every so many calls: where more is in use than was at the least, each time costs its faults.
const CALLS: u32 = 3;

/// Lets go of code that ran once: a large load maps a hundred megabytes of it, and a service that then answers small requests
/// would stay that large.
pub struct Code {
    /// The least of files that was mapped since code was let go of, or since the start.
    least: u64,
    calls: u32,
}

impl Code {
    pub fn new() -> Self {
        Self { least: mapped_files().unwrap_or(u64::MAX), calls: 0 }
    }

    /// To be called every few seconds. Does nothing until much more is mapped than was. What still runs is mapped again as it
    /// does, mostly without a disk: the pages stay in the system's cache until they are needed for something else.
    pub fn tidy(&mut self) {
        if mapped_files().is_some_and(|mapped| self.is_due(mapped)) {
            let_go();
            self.least = mapped_files().unwrap_or(self.least);
        }
    }

    fn is_due(&mut self, mapped: u64) -> bool {
        self.least = self.least.min(mapped);
        self.calls += 1;
        let is_due = self.calls >= CALLS && mapped - self.least > GROWN;
        if is_due {
            self.calls = 0;
        }
        is_due
    }
}

/// Bytes of files this process has in memory; `None` where the system does not tell.
fn mapped_files() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("RssFile:")?.trim().strip_suffix(" kB"))?;
    Some(kib.parse::<u64>().ok()? * 1024)
}

#[expect(unsafe_code, reason = "the ranges are known to be the program's code")]
fn let_go() {
    let (Ok(maps), Ok(program)) = (fs::read_to_string("/proc/self/maps"), fs::read_link("/proc/self/exe")) else {
        return;
    };
    let Some(program) = program.to_str() else { return };
    for code in code_in(&maps, program) {
        // SAFETY: the range is one whole private mapping of a file that nobody can have written to, and as long as this code
        // runs, its program's stay.
        unsafe { let_go_of(&code) };
    }
}

/// Whoever next runs or reads the range, meanwhile too, has it from the file again, as what was never read. An error
/// leaves all as it was.
///
/// # Safety
/// The range is mapped from a file, private, and was never written to.
#[expect(unsafe_code, reason = "the system is told by a function of C")]
unsafe fn let_go_of(range: &Range<usize>) {
    // SAFETY: what the caller says of the range; no byte of it changes.
    let _ = unsafe { libc::madvise(range.start as *mut c_void, range.len(), libc::MADV_DONTNEED) };
}

/// Where code of this program is mapped, private and not to be written to, in the system's list of what is mapped.
fn code_in(maps: &str, program: &str) -> Vec<Range<usize>> {
    let range = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let before_path = rest.strip_suffix(program)?;
        let is_code = before_path.starts_with("r-xp ") && before_path.ends_with(' ');
        let address = |text| usize::from_str_radix(text, 16).ok();
        is_code.then_some(address(start)?..address(end)?)
    };
    maps.lines().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use super::*;

    const MAPS: &str = "\
55d0a0000000-55d0a1000000 r--p 00000000 fe:00 1 /opt/bedplate
55d0a1000000-55d0a3000000 r-xp 01000000 fe:00 1 /opt/bedplate
55d0a3000000-55d0a4000000 rw-p 03000000 fe:00 1 /opt/bedplate
55d0a4000000-55d0a5000000 r-xp 00000000 fe:00 2 /usr/opt/bedplate
7f0000000000-7f0000001000 r-xp 00000000 fe:00 3 /usr/lib/libc.so.6
7f0000002000-7f0000003000 r-xp 00000000 00:00 0
";

    #[test]
    fn code_is_what_runs_of_this_program_and_is_not_written_to() {
        let found: Vec<_> = code_in(MAPS, "/opt/bedplate").iter().map(|code| (code.start, code.end)).collect();
        assert_eq!(found, [(0x55d0_a100_0000, 0x55d0_a300_0000)]);
        assert!(code_in(MAPS, "/opt").is_empty());
    }

    const MAPPED: usize = 16 << 20;

    /// A file of so many bytes, mapped as a program's code is.
    #[expect(unsafe_code, reason = "the system is told by a function of C")]
    fn mapped() -> Range<usize> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&(0..MAPPED).map(|at| (at / 4096) as u8 | 1).collect::<Vec<u8>>()).unwrap();
        // SAFETY: a new mapping, where the system has place for it.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), MAPPED, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
        };
        assert_ne!(start, libc::MAP_FAILED);
        start as usize..start as usize + MAPPED
    }

    /// The sum of a byte of each page.
    #[expect(unsafe_code, reason = "what is mapped is read as bytes")]
    fn read(range: &Range<usize>) -> u64 {
        // SAFETY: the range is mapped to be read, and stays so.
        range.clone().step_by(4096).map(|page| u64::from(unsafe { *(page as *const u8) })).sum()
    }

    #[test]
    #[expect(unsafe_code, reason = "the range is one that was mapped for this")]
    fn what_was_let_go_of_is_not_in_memory_and_is_as_it_was() {
        let range = mapped();
        let (sum, before) = (read(&range), mapped_files().unwrap());
        // SAFETY: it was mapped from a file, private, and to be read alone.
        unsafe { let_go_of(&range) };
        let after = mapped_files().unwrap();
        assert!(after + (MAPPED as u64) * 3 / 4 < before, "{before} bytes were mapped, then {after}");
        assert_eq!(read(&range), sum);
    }

    #[test]
    fn a_program_goes_on_without_its_code_in_memory() {
        let (maps, program) =
            (fs::read_to_string("/proc/self/maps").unwrap(), fs::read_link("/proc/self/exe").unwrap());
        let code = code_in(&maps, program.to_str().unwrap());
        assert!(!code.is_empty(), "{maps}");
        let sum = || code.iter().map(read).sum::<u64>();
        let before = sum();
        let_go();
        assert_eq!(sum(), before);
    }

    #[test]
    fn what_counts_is_the_growth_and_not_too_often() {
        let mut code = Code { least: 20 << 20, calls: 0 };
        let mut due = |mib: u64| code.is_due(mib << 20);
        assert_eq!([due(90), due(90), due(90), due(90)], [false, false, true, false]);
        assert_eq!([due(28), due(28), due(29)], [false, false, true]);
        assert_eq!([due(10), due(15), due(18), due(19)], [false, false, false, true]);
    }
}

//! What the kernel tells of a process under /proc (proc(5)).

use std::fs;

/// Ticks of /proc/PID/stat a second: `USER_HZ`, which Linux keeps at 100 for user space on every architecture Rust
/// supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// The most memory it has had in RAM so far; `None` once it is over.
pub(crate) fn peak_rss_bytes(pid: u32) -> Option<u64> {
    parse_peak_rss(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// CPU time of the process and of the children it waited for; still there while it is a zombie.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    parse_cpu_seconds(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_peak_rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn parse_cpu_seconds(stat: &str) -> Option<f64> {
    // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    // utime, stime, cutime and cstime are the fields 14 to 17; `rest` begins with the third.
    let ticks: Vec<f64> = rest.split_whitespace().skip(11).take(4).map_while(|field| field.parse().ok()).collect();
    (ticks.len() == 4).then(|| ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stat_whatever_the_program_is_called() {
        let stat = "42 (a) b) c) Z 1 42 42 0 -1 4194560 105 0 0 0 150 25 10 5 20 0 1 0 1 0 0";
        assert_eq!(parse_cpu_seconds(stat), Some(1.9));
        assert_eq!(parse_cpu_seconds("42 (sh) Z 1"), None);
    }

    #[test]
    fn reads_the_peak_and_knows_a_zombie_has_none() {
        assert_eq!(parse_peak_rss("Name:\tsh\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2_097_152));
        assert_eq!(parse_peak_rss("Name:\tsh\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn the_kernel_tells_of_this_very_process() {
        let me = std::process::id();
        assert!(peak_rss_bytes(me).is_some_and(|bytes| bytes > 0));
        assert!(cpu_seconds(me).is_some());
    }
}

//! What the kernel says of a process and its children, read from /proc.

use std::{fs, io};

/// Resident memory of one process in bytes; 0 when it has just ended.
pub fn resident(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:").unwrap_or(0) * 1024
}

/// What of [`resident`] is no page of a file: what the process allocated and holds.
pub fn own_memory(pid: u32) -> u64 {
    status_kib(pid, "RssAnon:").unwrap_or(0) * 1024
}

/// Resident memory of a process and all its descendants, in bytes. Pages they share count for each.
pub fn resident_of_tree(pid: u32) -> u64 {
    resident(pid) + children(pid).into_iter().map(resident_of_tree).sum::<u64>()
}

/// The processes that were started by a process, by those, and so on.
pub fn descendants(pid: u32) -> Vec<u32> {
    children(pid).into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

fn status_kib(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix("kB")?.trim().parse().ok())
}

/// CPU seconds, user and system, of a process and the children it has waited for. Works on one that has ended but was not
/// waited for.
///
/// # Errors
/// When there is no such process, or its `stat` is not as proc(5) says.
#[expect(clippy::cast_precision_loss, reason = "a process does not run for 2^52 ticks")]
pub fn cpu_seconds(pid: u32) -> io::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = cpu_ticks(&stat).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is not as proc(5) says")))?;
    Ok(ticks as f64 / TICKS_A_SECOND)
}

/// USER_HZ, which is 100 on every Linux port that Rust supports.
const TICKS_A_SECOND: f64 = 100.0;

/// utime, stime, cutime and cstime: fields 14 to 17 of proc(5). The name, field 2, may hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    (11..15).map(|i| fields.get(i)?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_times() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 10 20 300 4000 20 0 1 0 5 1 1";
        assert_eq!(cpu_ticks(stat), Some(4_330));
        assert_eq!(cpu_ticks("7 (x) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        assert!(resident(std::process::id()) > 100_000);
        assert!(resident_of_tree(std::process::id()) >= resident(std::process::id()) / 2);
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
    }
}

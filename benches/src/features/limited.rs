//! A memory limit that the kernel keeps: a control group of our own, where one may be made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A group of processes that are ended when they hold more. Removed when dropped.
pub struct Limited(PathBuf);

impl Limited {
    /// # Errors
    /// When there are no control groups, or none may be made: that needs the rights of an administrator.
    pub fn to(bytes: u64) -> io::Result<Self> {
        let name = format!("bedplate-bench-{}", std::process::id());
        let old = Path::new("/sys/fs/cgroup/memory");
        let (parent, limit) = match old.is_dir() {
            true => (old, "memory.limit_in_bytes"),
            false => (Path::new("/sys/fs/cgroup"), "memory.max"),
        };
        let group = Self(parent.join(name));
        fs::create_dir(&group.0)?;
        fs::write(group.0.join(limit), bytes.to_string())?;
        // What is swapped out is held as well.
        let _ = fs::write(group.0.join("memory.swap.max"), "0");
        Ok(group)
    }

    /// The same command, which enters the group before it begins.
    pub fn within(&self, command: &Command) -> Command {
        let mut within = Command::new("sh");
        within.args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""]).arg(&self.0);
        within.arg(command.get_program()).args(command.get_args());
        within
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

//! Cargo, called as a person would call it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's folder: the one cargo runs this program in now. Where it was built may be another checkout that shares
/// the build directory.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// `cargo` at the workspace's root. What `cargo run` told this program about itself is kept from it: build scripts that
/// look at these variables would run anew, and half of the dependencies with them.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(about_the_running_package)) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

fn about_the_running_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_build_are_passed_on() {
        assert!(about_the_running_package("CARGO_PKG_NAME") && about_the_running_package("CARGO_MANIFEST_DIR"));
        assert!(!about_the_running_package("CARGO_TARGET_DIR") && !about_the_running_package("CARGO_HOME"));
    }
}

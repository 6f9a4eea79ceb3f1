//! Programs of the machine that tests drive.

use std::path::{Path, PathBuf};

/// The environment variable with the folder of the Python environment that `cargo xtask test` prepares.
const VENV: &str = "BEDPLATE_TEST_VENV";

/// The one with the folder of Node's packages.
const NODE: &str = "BEDPLATE_TEST_NODE";

/// Where `name` is on the PATH, if it is there and can be run.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| can_run(file))
}

/// The Python with the pinned clients (kubernetes, tritonclient, model-signing, onnxruntime, deltalake, cryptography), if it
/// was prepared.
#[must_use]
pub fn python() -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os(VENV)?).join("bin").join("python");
    can_run(&python).then_some(python)
}

/// Node, and the folder whose `node_modules` it finds the pinned packages in, if they were prepared.
#[must_use]
pub fn node() -> Option<(PathBuf, PathBuf)> {
    let folder = PathBuf::from(std::env::var_os(NODE)?);
    folder.join("node_modules").is_dir().then_some((program("node")?, folder))
}

fn can_run(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there_and_only_that() {
        assert!(program("sh").is_some());
        assert!(program("no-such-program-anywhere").is_none());
    }
}

use std::env;
use std::path::{Path, PathBuf};

/// A file of the crate whose tests cargo runs, by its path there. Asked as the test runs: where it was compiled may be another
/// checkout that shares the build directory.
///
/// # Panics
/// When it is not cargo that runs the tests.
#[must_use]
pub fn in_crate(path: impl AsRef<Path>) -> PathBuf {
    let folder = env::var_os("CARGO_MANIFEST_DIR");
    PathBuf::from(folder.expect("cargo says where the crate is: run the tests with it")).join(path)
}

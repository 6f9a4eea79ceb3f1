//! The files of a model, as names and digests.

use std::collections::BTreeMap;

use bedplate_types::Digest;

/// Relative paths with `/` between names, and the SHA-256 of each file's bytes.
pub type Files = BTreeMap<String, Digest>;

/// The signature's own place in the model's folder: never signed, never counted as extra.
pub const SIGNATURE_FILE: &str = "model.sig";

/// The files that are, or must be, signed.
pub(crate) fn signed_files(files: &Files) -> impl Iterator<Item = (&String, &Digest)> {
    files.iter().filter(|(name, _)| *name != SIGNATURE_FILE)
}

/// Whether a path has one spelling only and stays inside the folder.
pub(crate) fn is_plain(path: &str) -> bool {
    let plain = |name: &str| !name.is_empty() && name != "." && name != "..";
    !path.contains(['\\', '\0']) && path.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_stay_inside() {
        for good in ["model.onnx", ".gitignore", "a/b.c", "é"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/./b", "a\\b", "a\0"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }
}

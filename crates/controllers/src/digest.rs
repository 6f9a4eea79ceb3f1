//! Digests of a reconcile's inputs: the same inputs are worked on once.

use bedplate_types::Digest;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The digest of the values' JSON, in order.
pub fn of(values: &[&dyn erased::Json]) -> Digest {
    let mut hasher = Sha256::new();
    for value in values {
        hasher.update(value.json());
        hasher.update([0]);
    }
    Digest::from_sha256(hasher.finalize().into())
}

/// The digest of bytes.
pub fn of_bytes(bytes: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(bytes).into())
}

/// The digest of a file's bytes, read in pieces.
pub fn of_file(path: &std::path::Path) -> std::io::Result<Digest> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(Digest::from_sha256(hasher.finalize().into()));
        }
        hasher.update(&piece[..read]);
    }
}

/// Serialise behind a reference, so that one list holds values of different types.
pub mod erased {
    pub trait Json {
        fn json(&self) -> Vec<u8>;
    }

    impl<T: super::Serialize> Json for T {
        fn json(&self) -> Vec<u8> {
            // A spec is plain data with string keys: it always serialises.
            serde_json::to_vec(self).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_value_ends_is_part_of_the_digest() {
        assert_ne!(of(&[&"ab", &"c"]), of(&[&"a", &"bc"]));
        assert_eq!(of(&[&1, &"x"]), of(&[&1, &"x"]));
    }
}

//! The hashes of RFC 6962 section 2.1: leaves and inner nodes are told apart by their first byte.

use bedplate_types::Digest;
use sha2::{Digest as _, Sha256};

/// The hash of a leaf of these bytes.
#[must_use]
pub fn leaf_hash(body: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::new().chain_update([0]).chain_update(body).finalize().into())
}

pub(crate) fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hasher = Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_sha256(hasher.finalize().into())
}

/// The root of a log without leaves.
pub(crate) fn empty_root() -> Digest {
    Digest::from_sha256(Sha256::digest(b"").into())
}

/// The largest power of two below `n`, which must be at least 2: where RFC 6962 splits `n` leaves.
pub(crate) const fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_certificate_transparency_does() {
        // From the reference test vectors of certificate-transparency (merkle_tree_test: the empty leaf and tree).
        assert_eq!(leaf_hash(b"").hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(empty_root().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let two = node_hash(&leaf_hash(b""), &leaf_hash(&[0]));
        assert_eq!(two.hex(), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    }

    #[test]
    fn splits_below_itself() {
        for (n, k) in [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8)] {
            assert_eq!(split(n), k, "{n}");
        }
    }
}

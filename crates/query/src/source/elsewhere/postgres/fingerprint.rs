//! What a set of rows is known by, in whatever order they come: the sum of their digests.
//!
//! A sum modulo 2^256 tells sets of rows apart that differ by chance. It does not withstand somebody who makes up rows to
//! have a certain sum; who can write to the source needs no such thing.

use bedplate_types::Digest;
use sha2::{Digest as _, Sha256};

/// The digest of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowDigest([u8; 32]);

impl RowDigest {
    /// Of the values as they came: where one ends counts, and whether it is there.
    pub fn of<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> Self {
        let mut hash = Sha256::new();
        for value in values {
            match value {
                Some(bytes) => {
                    hash.update([1]);
                    hash.update((bytes.len() as u64).to_be_bytes());
                    hash.update(bytes);
                }
                None => hash.update([0]),
            }
        }
        Self(hash.finalize().into())
    }

    /// 16 bytes of it, in hex.
    pub fn short(&self) -> String {
        self.0.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Of so many rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Fingerprint {
    sum: [u8; 32],
    rows: u64,
}

impl Fingerprint {
    pub fn add(&mut self, row: &RowDigest) {
        let mut carry = 0;
        for (sum, byte) in self.sum.iter_mut().zip(row.0).rev() {
            let all = u16::from(*sum) + u16::from(byte) + carry;
            *sum = (all & 0xff) as u8;
            carry = all >> 8;
        }
        self.rows += 1;
    }

    /// `shape` tells how the values were to be read.
    pub fn digest(&self, shape: &str) -> Digest {
        let mut hash = Sha256::new();
        hash.update(shape);
        hash.update([0]);
        hash.update(self.rows.to_be_bytes());
        hash.update(self.sum);
        Digest::from_sha256(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Table = Vec<Vec<Option<Vec<u8>>>>;

    fn digest(rows: &Table) -> Digest {
        let mut all = Fingerprint::default();
        rows.iter().for_each(|row| all.add(&RowDigest::of(row.iter().map(Option::as_deref))));
        all.digest("x")
    }

    fn tables() -> impl Strategy<Value = Table> {
        let value = prop::option::of(prop::collection::vec(0_u8..3, 0..3));
        prop::collection::vec(prop::collection::vec(value, 2), 0..5)
    }

    proptest! {
        /// Two tables have the same digest exactly when they have the same rows, each as often.
        #[test]
        fn rows_count_and_their_order_does_not(one in tables(), other in tables(), turn in 0_usize..5) {
            let sorted = |table: &Table| { let mut rows = table.clone(); rows.sort(); rows };
            prop_assert_eq!(digest(&one) == digest(&other), sorted(&one) == sorted(&other));
            let mut turned = one.clone();
            turned.rotate_left(if one.is_empty() { 0 } else { turn % one.len() });
            prop_assert_eq!(digest(&turned), digest(&one));
        }
    }
}

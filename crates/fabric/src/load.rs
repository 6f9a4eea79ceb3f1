//! How many replicas a load needs.

/// As many as answer `asked` requests a second when one answers `each`; at least one. `None` when one answers none.
#[must_use]
pub fn replicas(asked: u64, each: u32) -> Option<u32> {
    if each == 0 {
        return None;
    }
    Some(u32::try_from(asked.div_ceil(u64::from(each))).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_replica_is_a_whole_one() {
        assert_eq!([0, 1, 100, 101].map(|asked| replicas(asked, 100)), [Some(1), Some(1), Some(1), Some(2)]);
        assert_eq!(replicas(1, 0), None);
    }
}

//! Counting what cargo's test harness reports.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// One check that is not a test of the harness.
    pub fn check(&mut self, passed: bool) {
        self.add(if passed { Self { passed: 1, failed: 0 } } else { Self { passed: 0, failed: 1 } });
    }
}

/// The counts of a line `test result: ok. 31 passed; 0 failed; 2 ignored; …`, if it is one.
pub fn of_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| counts.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse().ok());
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_harness() {
        let ok = "test result: ok. 31 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.04s";
        assert_eq!(of_line(ok), Some(Tally { passed: 31, failed: 0 }));
        let bad = "test result: FAILED. 4 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.00s";
        assert_eq!(of_line(bad), Some(Tally { passed: 4, failed: 2 }));
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["", "test a::b ... ok", "test result: none", "running 3 tests"] {
            assert_eq!(of_line(line), None, "{line}");
        }
    }
}

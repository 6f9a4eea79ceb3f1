//! Who fills which seat: every team has as many seats as it must send people, everybody sits on one seat at most.

/// The largest number of seats that can be filled. `fits[v][s]` says whether voter `v` may sit on seat `s`. Augmenting
/// paths (Kuhn); the sizes are those of a committee. Returns for every seat who sits there.
pub fn seat(fits: &[Vec<bool>], seats: usize) -> Vec<Option<usize>> {
    let mut taken: Vec<Option<usize>> = vec![None; seats];
    for voter in 0..fits.len() {
        let mut seen = vec![false; seats];
        place(voter, fits, &mut taken, &mut seen);
    }
    taken
}

fn place(voter: usize, fits: &[Vec<bool>], taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for at in 0..taken.len() {
        if seen[at] || !fits[voter][at] {
            continue;
        }
        seen[at] = true;
        let free = match taken[at] {
            None => true,
            Some(other) => place(other, fits, taken, seen),
        };
        if free {
            taken[at] = Some(voter);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn best(fits: &[Vec<bool>], voter: usize, free: &mut Vec<bool>) -> usize {
        if voter == fits.len() {
            return 0;
        }
        let mut most = best(fits, voter + 1, free);
        for at in 0..free.len() {
            if free[at] && fits[voter][at] {
                free[at] = false;
                most = most.max(1 + best(fits, voter + 1, free));
                free[at] = true;
            }
        }
        most
    }

    proptest! {
        #[test]
        fn as_many_seats_are_filled_as_trying_everything_fills(
            fits in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 4), 0..5),
        ) {
            let taken = seat(&fits, 4);
            let filled: Vec<usize> = taken.iter().flatten().copied().collect();
            let mut once = filled.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), filled.len(), "nobody sits twice");
            prop_assert!(taken.iter().enumerate().all(|(at, voter)| voter.is_none_or(|voter| fits[voter][at])));
            prop_assert_eq!(filled.len(), best(&fits, 0, &mut vec![true; 4]));
        }
    }
}

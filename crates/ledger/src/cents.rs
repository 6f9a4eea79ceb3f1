//! Figures in cents that still add up.

use bedplate_types::Money;

use crate::price::half_even;

const CENT: i64 = 10_000;

/// Each figure in cents, such that they sum to their exact total rounded half to even: all are rounded down, and the
/// cents that are then missing go to the largest remainders, at equal remainders to the earlier figure. No figure is off
/// by a cent or more.
#[must_use]
pub fn in_cents(figures: &[Money]) -> Vec<i64> {
    let exact: i128 = figures.iter().map(|figure| i128::from(figure.0)).sum();
    let mut cents: Vec<i64> = figures.iter().map(|figure| figure.0.div_euclid(CENT)).collect();
    let given: i128 = cents.iter().map(|cents| i128::from(*cents)).sum();
    let missing = usize::try_from(half_even(exact, i128::from(CENT)) - given).unwrap_or(0);
    let mut order: Vec<usize> = (0..figures.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(figures[*place].0.rem_euclid(CENT)));
    for place in order.into_iter().take(missing) {
        cents[place] += 1;
    }
    cents
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn missing_cents_go_to_the_largest_remainders() {
        let thirds = [Money(333_333), Money(333_333), Money(333_334)];
        assert_eq!(in_cents(&thirds), [33, 33, 34]);
        assert_eq!(in_cents(&[Money(5_000), Money(5_000)]), [1, 0], "a cent between two halves");
        assert_eq!(in_cents(&[Money(-5_000), Money(15_000)]), [0, 1], "rounded down, then the missing cent");
        assert!(in_cents(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn they_sum_to_the_rounded_total_and_are_never_a_cent_off(figures in prop::collection::vec(-10_000_000_000..10_000_000_000i64, 0..40)) {
            let money: Vec<Money> = figures.iter().copied().map(Money).collect();
            let cents = in_cents(&money);
            let exact: i128 = figures.iter().map(|figure| i128::from(*figure)).sum();
            prop_assert_eq!(cents.iter().map(|cents| i128::from(*cents)).sum::<i128>(), half_even(exact, 10_000));
            for (cents, exact) in cents.iter().zip(&figures) {
                prop_assert!((cents * CENT - exact).abs() < CENT);
            }
        }
    }
}

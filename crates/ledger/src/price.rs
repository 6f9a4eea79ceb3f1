//! What a unit of each resource costs.

use std::collections::BTreeMap;

use bedplate_types::{Money, Timestamp};
use serde::{Deserialize, Serialize};

/// Prices per unit (a CPU-second, a gigabyte, a prediction), all in one currency, for a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSheet {
    #[serde(default)]
    pub name: String,
    /// Which edition of the sheet of this name.
    #[serde(default)]
    pub generation: i64,
    /// For example `EUR`.
    pub currency: String,
    pub prices: BTreeMap<String, Money>,
    /// From then on (inclusive); since ever when left out.
    #[serde(default)]
    pub valid_from: Option<Timestamp>,
    /// Until then (exclusive); for ever when left out.
    #[serde(default)]
    pub valid_to: Option<Timestamp>,
}

impl PriceSheet {
    /// What so many millionths of a resource's unit cost by this sheet; `None` when it has no price, or the cost cannot be
    /// counted.
    #[must_use]
    pub fn cost(&self, resource: &str, amount_micro: i64) -> Option<Money> {
        cost(amount_micro, *self.prices.get(resource)?)
    }
}

/// `amount_micro` millionths of a unit at `unit` per unit, rounded half to even; `None` when it cannot be counted.
#[must_use]
pub fn cost(amount_micro: i64, unit: Money) -> Option<Money> {
    const UNIT: i128 = 1_000_000;
    let exact = i128::from(amount_micro) * i128::from(unit.0);
    i64::try_from(half_even(exact, UNIT)).ok().map(Money)
}

/// `exact / unit`, halves to the even side.
pub(crate) const fn half_even(exact: i128, unit: i128) -> i128 {
    let (whole, rest) = (exact.div_euclid(unit), exact.rem_euclid(unit));
    let up = rest > unit / 2 || (rest == unit / 2 && whole % 2 != 0);
    if up { whole + 1 } else { whole }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_side() {
        for (amount, expect) in [(500_000, 0), (1_500_000, 2), (2_500_000, 2), (-500_000, 0), (-1_500_000, -2)] {
            assert_eq!(cost(amount, Money(1)), Some(Money(expect)), "{amount}");
        }
        assert_eq!(cost(3_000_000, Money(250)), Some(Money(750)));
        assert_eq!(cost(i64::MAX, Money(i64::MAX)), None);
        assert_eq!(cost(i64::MAX, Money(1_000_000)), Some(Money(i64::MAX)));
    }

    proptest! {
        #[test]
        fn is_never_off_by_more_than_half_a_millionth(amount: i32, unit: i32) {
            let exact = i128::from(amount) * i128::from(unit);
            let rounded = i128::from(cost(amount.into(), Money(unit.into())).unwrap().0) * 1_000_000;
            prop_assert!((exact - rounded).abs() <= 500_000);
            let refund = cost(-i64::from(amount), Money(unit.into())).unwrap();
            prop_assert_eq!(i128::from(refund.0) * -1_000_000, rounded, "a refund is what was paid");
        }
    }
}

//! What a demand costs somewhere.

use std::collections::BTreeMap;

use bedplate_types::Money;

use crate::demand::{Demand, Lifetime};

/// Hours of an average month: 365 days a year.
pub const HOURS_A_MONTH: u64 = 730;

const GIGABYTE: u64 = 1_000_000_000;

/// The price sheet: what a unit of each resource costs. `cpu_seconds`, `memory_gigabyte_seconds`,
/// `accelerator_seconds.<type>` (else `accelerator_seconds`), `storage_gigabyte_hours`, `egress_gigabytes` are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    pub currency: String,
    pub units: BTreeMap<String, Money>,
}

/// What something costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// While it is there.
    pub hourly: Money,
    /// A month of what stands; of what runs once, the one run.
    pub monthly: Money,
    /// What is asked for and has no price: it is not in the sums.
    pub unpriced: Vec<String>,
}

/// The cost of `demand` at the prices of the sheet, of which a site takes `factors` percent.
#[must_use]
pub fn cost_of(demand: &Demand, prices: &Prices, factors: &BTreeMap<String, u32>) -> Cost {
    let mut cost = Cost::default();
    let mut sum = 0_i128;
    for (resource, amount, per) in uses_an_hour(demand, prices) {
        if amount == 0 {
            continue;
        }
        match prices.units.get(&resource) {
            Some(price) => sum += amount * i128::from(price.0) * percent(factors, &resource) / (i128::from(per) * 100),
            None => cost.unpriced.push(resource),
        }
    }
    cost.hourly = money(sum);
    cost.monthly = match demand.lifetime {
        Lifetime::Standing => money(sum * i128::from(HOURS_A_MONTH)),
        Lifetime::Run { seconds } => money(sum * i128::from(seconds) / 3_600),
    };
    cost
}

/// (resource, amount, divisor): what an hour of it uses.
fn uses_an_hour(demand: &Demand, prices: &Prices) -> Vec<(String, i128, u64)> {
    let mut uses = vec![
        ("cpu_seconds".to_owned(), i128::from(demand.milli_cpu) * 3_600, 1_000),
        ("memory_gigabyte_seconds".to_owned(), i128::from(demand.memory_mib) * (1 << 20) * 3_600, GIGABYTE),
        ("storage_gigabyte_hours".to_owned(), i128::from(demand.storage_bytes), GIGABYTE),
    ];
    for (type_, count) in &demand.accelerators {
        let own = format!("accelerator_seconds.{type_}");
        let resource = if prices.units.contains_key(&own) { own } else { "accelerator_seconds".to_owned() };
        uses.push((resource, i128::from(*count) * 3_600, 1));
    }
    uses
}

/// What moving so many bytes to a site costs; `None` when moving has no price.
pub(crate) fn transfer(bytes: u64, prices: &Prices, factors: &BTreeMap<String, u32>) -> Option<Money> {
    const EGRESS: &str = "egress_gigabytes";
    if bytes == 0 {
        return Some(Money(0));
    }
    let price = prices.units.get(EGRESS)?;
    let cost = i128::from(bytes) * i128::from(price.0) * percent(factors, EGRESS);
    Some(money(cost / (i128::from(GIGABYTE) * 100)))
}

fn percent(factors: &BTreeMap<String, u32>, resource: &str) -> i128 {
    factors.get(resource).map_or(100, |percent| i128::from(*percent))
}

fn money(micros: i128) -> Money {
    Money(i64::try_from(micros).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Prices {
        let units = [("cpu_seconds", 14), ("accelerator_seconds.h100", 1_000), ("egress_gigabytes", 90_000)];
        Prices { currency: "EUR".into(), units: units.map(|(name, price)| (name.to_owned(), Money(price))).into() }
    }

    #[test]
    fn a_core_for_an_hour_costs_its_seconds() {
        let demand = Demand { milli_cpu: 500, ..Demand::default() };
        let cost = cost_of(&demand, &prices(), &BTreeMap::new());
        assert_eq!((cost.hourly, cost.monthly), (Money(25_200), Money(25_200 * 730)));
        let dearer = cost_of(&demand, &prices(), &[("cpu_seconds".to_owned(), 150)].into());
        assert_eq!(dearer.hourly, Money(37_800));
    }

    #[test]
    fn a_run_costs_its_time_and_what_has_no_price_is_named() {
        let demand = Demand {
            milli_cpu: 1_000,
            memory_mib: 10,
            accelerators: [("h100".to_owned(), 2), ("tpu".to_owned(), 1)].into(),
            lifetime: Lifetime::Run { seconds: 1_800 },
            ..Demand::default()
        };
        let cost = cost_of(&demand, &prices(), &BTreeMap::new());
        let hourly = 14 * 3_600 + 2 * 1_000 * 3_600;
        assert_eq!((cost.hourly, cost.monthly), (Money(hourly), Money(hourly / 2)));
        assert_eq!(cost.unpriced, ["memory_gigabyte_seconds", "accelerator_seconds"]);
    }

    #[test]
    fn moving_costs_by_the_gigabyte() {
        assert_eq!(transfer(2_500_000_000, &prices(), &BTreeMap::new()), Some(Money(225_000)));
        assert_eq!(transfer(1, &Prices::default(), &BTreeMap::new()), None);
        assert_eq!(transfer(0, &Prices::default(), &BTreeMap::new()), Some(Money(0)));
    }
}

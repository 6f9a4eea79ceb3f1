//! What a namespace will have spent by the end of the month, against what it may spend.

use bedplate_kinds::{BudgetSpec, Enforcement};
use bedplate_types::{Money, Timestamp};

/// The calendar month (UTC) that an instant lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    pub from: Timestamp,
    /// Exclusive.
    pub to: Timestamp,
}

const HOUR: i64 = 3_600_000_000;

impl Month {
    /// The month of `now`; `None` for an instant outside of the years that calendars know.
    #[must_use]
    pub fn of(now: Timestamp) -> Option<Self> {
        let date = jiff::Timestamp::from_microsecond(now.micros()).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
        let first = date.first_of_month();
        let next = first.checked_add(jiff::Span::new().months(1)).ok()?;
        let start = |date: jiff::civil::Date| {
            let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
        };
        Some(Self { from: start(first)?, to: start(next)? })
    }

    /// What `hourly` comes to from `now` to the end of the month.
    #[must_use]
    pub fn rest(&self, now: Timestamp, hourly: Money) -> Money {
        let micros = i128::from(self.to.micros_since(now).max(0));
        let cost = micros * i128::from(hourly.0) / i128::from(HOUR);
        Money(i64::try_from(cost).unwrap_or(i64::MAX))
    }
}

/// A budget and how the month will end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    pub budget: String,
    pub namespace: String,
    pub enforcement: Enforcement,
    pub limit: Money,
    /// In the ledger since the month began.
    pub spent: Money,
    /// What stands in the namespace, until the month ends, and every run of the plan once.
    pub to_come: Money,
    pub total: Money,
    pub exceeded: bool,
}

impl Forecast {
    /// Whether a plan is refused for it.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.exceeded && self.enforcement == Enforcement::Hard
    }
}

/// How the month of `now` ends for the budget called `name`: `spent` so far, `hourly` for what stands, `once` for what runs.
#[must_use]
pub fn forecast(name: &str, budget: &BudgetSpec, spent: Money, hourly: Money, once: Money, now: Timestamp) -> Forecast {
    let standing = Month::of(now).map_or(Money(0), |month| month.rest(now, hourly));
    let to_come = standing + once;
    let total = spent + to_come;
    let limit = budget.monthly_limit.0;
    Forecast {
        budget: name.to_owned(),
        namespace: budget.namespace.clone(),
        enforcement: budget.enforcement,
        limit,
        spent,
        to_come,
        total,
        exceeded: total > limit,
    }
}

#[cfg(test)]
mod tests {
    use bedplate_kinds::Amount;

    use super::*;

    #[test]
    fn months_are_calendar_months_of_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let month = Month::of(at("2028-02-29T23:30:00Z")).unwrap();
        assert_eq!((month.from, month.to), (at("2028-02-01T00:00:00Z"), at("2028-03-01T00:00:00Z")));
        assert_eq!(month.rest(at("2028-02-29T23:30:00Z"), Money(10)), Money(5));
        let december = Month::of(at("2026-12-31T00:00:00Z")).unwrap();
        assert_eq!(december.to, at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn what_was_spent_and_what_will_be_are_held_against_the_limit() {
        let budget = |limit: &str, enforcement| BudgetSpec {
            namespace: "team".into(),
            monthly_limit: limit.parse::<Amount>().unwrap(),
            enforcement,
        };
        let now = "2026-11-30T22:00:00Z".parse().unwrap();
        let ask = |budget: &BudgetSpec| forecast("b", budget, Money(5_000_000), Money(1_000_000), Money(500_000), now);
        let tight = ask(&budget("7.49", Enforcement::Hard));
        assert_eq!((tight.total, tight.to_come, tight.refuses()), (Money(7_500_000), Money(2_500_000), true));
        assert!(!ask(&budget("7.5", Enforcement::Hard)).exceeded);
        let soft = ask(&budget("1", Enforcement::Soft));
        assert!(soft.exceeded && !soft.refuses());
    }
}

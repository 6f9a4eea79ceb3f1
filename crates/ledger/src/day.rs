//! Days in UTC: what balances are kept by.

use bedplate_types::Timestamp;

pub(crate) const MICROS: i64 = 86_400_000_000;

/// The day an instant lies in, counted from 1970-01-01.
pub(crate) const fn of(at: Timestamp) -> i64 {
    at.micros().div_euclid(MICROS)
}

/// The first day that does not begin before the instant: an end at midnight leaves that day out.
pub(crate) const fn end(at: Timestamp) -> i64 {
    let day = of(at);
    if day.saturating_mul(MICROS) == at.micros() { day } else { day + 1 }
}

/// `2026-11-24`
pub(crate) fn name(day: i64) -> String {
    let text = Timestamp::from_micros(day.saturating_mul(MICROS)).to_string();
    text.split_once('T').map_or(text.clone(), |(date, _)| date.to_owned())
}

/// `2026-11`
pub(crate) fn month(day: i64) -> String {
    let name = name(day);
    name.rsplit_once('-').map_or(name.clone(), |(month, _)| month.to_owned())
}

/// The first day of the month an instant lies in.
pub(crate) fn month_begin(at: Timestamp) -> i64 {
    let today = of(at);
    // The day of the month is in the name: `2026-11-24`.
    let of_month: i64 = name(today).rsplit('-').next().and_then(|day| day.parse().ok()).unwrap_or(1);
    today - (of_month - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_begin_at_midnight_in_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (before, midnight) = (at("2026-11-30T23:59:59.999999Z"), at("2026-12-01T00:00:00Z"));
        assert_eq!((name(of(before)), name(of(midnight))), ("2026-11-30".into(), "2026-12-01".into()));
        assert_eq!((month(of(before)), month(of(midnight))), ("2026-11".into(), "2026-12".into()));
        assert_eq!((name(end(before)), name(end(midnight))), ("2026-12-01".into(), "2026-12-01".into()));
        assert_eq!(name(month_begin(before)), "2026-11-01");
        assert_eq!(name(of(at("1969-12-31T23:00:00Z"))), "1969-12-31");
    }
}

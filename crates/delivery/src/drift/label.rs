//! The label's mean, month by month.

use std::collections::BTreeMap;

use bedplate_kinds::LabelShift;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The share of positives in each UTC month that has rows, in time order. `times` are microseconds since 1970.
#[must_use]
pub fn label_shift(times: &[i64], labels: &[bool]) -> Vec<LabelShift> {
    let mut months: BTreeMap<(i64, i64), (u64, u64)> = BTreeMap::new();
    for (time, label) in times.iter().zip(labels) {
        let (rows, positives) = months.entry(month(*time)).or_default();
        *rows += 1;
        *positives += u64::from(*label);
    }
    months.into_iter().map(|((year, month), (rows, positives))| shift(year, month, rows, positives)).collect()
}
fn shift(year: i64, month: i64, rows: u64, positives: u64) -> LabelShift {
    LabelShift { month: format!("{year:04}-{month:02}"), rows, positive_share: positives as f64 / rows as f64 }
}

/// Year and month of an instant: `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
/// Years begin in March there, so that a leap day is a year's last.
fn month(micros: i64) -> (i64, i64) {
    let days = micros.div_euclid(MICROS_PER_DAY) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedplate_types::Timestamp;
    use proptest::prelude::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().micros()
    }

    #[test]
    fn months_are_utc_and_in_order() {
        let times = [at("2013-08-01T00:00:00Z"), at("2013-07-31T23:59:59.999999Z"), at("2013-07-01T00:00:00Z")];
        let got = label_shift(&times, &[true, true, false]);
        let told: Vec<_> = got.iter().map(|m| (m.month.as_str(), m.rows, m.positive_share)).collect();
        assert_eq!(told, [("2013-07", 2, 0.5), ("2013-08", 1, 1.0)]);
        assert!(label_shift(&[], &[]).is_empty());
    }

    proptest! {
        #[test]
        fn months_agree_with_the_calendar(micros in at("0001-01-01T00:00:00Z")..at("9999-12-30T00:00:00Z")) {
            let (year, month) = month(micros);
            prop_assert_eq!(&Timestamp::from_micros(micros).to_string()[..7], format!("{year:04}-{month:02}"));
        }
    }
}

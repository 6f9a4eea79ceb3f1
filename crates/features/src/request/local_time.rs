//! Parts of a local time, with each zone's offsets looked up once per stretch between two transitions.

use std::collections::BTreeMap;

use arrow::array::{Float64Array, Int64Array};
use bedplate_kinds::{RequestFeature, Transform};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use crate::FeatureError;

/// The local time of one zone.
pub(super) struct LocalTime {
    zone: TimeZone,
    /// By the first instant of a stretch with one offset: the first instant after it, if any, and the offset.
    stretches: BTreeMap<Timestamp, (Option<Timestamp>, Offset)>,
}

impl LocalTime {
    /// The zone of a feature; UTC when it names none.
    pub(super) fn of(feature: &RequestFeature) -> Result<Self, FeatureError> {
        let zone = match &feature.timezone {
            None => TimeZone::UTC,
            Some(name) => TimeZoneDatabase::bundled()
                .get(name)
                .map_err(|_| FeatureError::UnknownTimeZone { feature: feature.name.clone(), zone: name.clone() })?,
        };
        Ok(Self { zone, stretches: BTreeMap::new() })
    }

    /// The part of each time; null where the time is null or beyond the calendar (the years -9999 to 9999).
    pub(super) fn parts(mut self, part: Transform, micros: &Int64Array) -> Float64Array {
        let instant = |micros: i64| Timestamp::from_microsecond(micros).ok();
        micros.iter().map(|micros| micros.and_then(instant).map(|at| part_of(part, self.local(at)))).collect()
    }

    fn local(&mut self, at: Timestamp) -> DateTime {
        if let Some((_, (end, offset))) = self.stretches.range(..=at).next_back()
            && end.is_none_or(|end| at < end)
        {
            return offset.to_datetime(at);
        }
        let offset = self.zone.to_offset(at);
        self.stretches.insert(self.start(at), (self.end(at), offset));
        offset.to_datetime(at)
    }

    /// The transition at or before `at`.
    fn start(&self, at: Timestamp) -> Timestamp {
        let after = at.checked_add(1.nanosecond()).unwrap_or(at);
        self.zone.preceding(after).next().map_or(Timestamp::MIN, |transition| transition.timestamp())
    }

    /// The first transition after `at`.
    fn end(&self, at: Timestamp) -> Option<Timestamp> {
        self.zone.following(at).next().map(|transition| transition.timestamp())
    }
}

fn part_of(part: Transform, local: DateTime) -> f64 {
    match part {
        Transform::DayOfWeek => f64::from(local.weekday().to_monday_one_offset()),
        Transform::Month => f64::from(local.month()),
        Transform::DayOfYear => f64::from(local.day_of_year()),
        // The encoder hands over the parts of a time only.
        Transform::MinuteOfDay | Transform::Number | Transform::Category => {
            f64::from(i32::from(local.hour()) * 60 + i32::from(local.minute()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_offsets_equal_looked_up_ones_in_any_order() {
        for name in ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"] {
            let feature: RequestFeature =
                serde_json::from_value(serde_json::json!({"name": "f", "column": "c", "timezone": name})).unwrap();
            let mut cached = LocalTime::of(&feature).unwrap();
            let zone = TimeZoneDatabase::bundled().get(name).unwrap();
            for step in 0..6000_i64 {
                // Jumps back and forth between 1850 and 2100, and lands beside transitions too.
                let second = (step * 7_919_777) % 7_889_400_000 - 3_786_912_000;
                let at = Timestamp::from_second(second).unwrap();
                let beside = zone.following(at).next().map_or(at, |transition| transition.timestamp());
                for at in [at, beside, beside - 1.second()] {
                    assert_eq!(cached.local(at), zone.to_datetime(at), "{name} {at}");
                }
            }
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_null_and_not_a_panic() {
        let feature: RequestFeature = serde_json::from_value(serde_json::json!({"name": "f", "column": "c"})).unwrap();
        let moments = Int64Array::from(vec![Some(i64::MAX), None, Some(0)]);
        let parts = LocalTime::of(&feature).unwrap().parts(Transform::Month, &moments);
        assert_eq!(parts.iter().collect::<Vec<_>>(), [None, None, Some(1.0)]);
    }
}

//! Text as an instant.

use bedplate_types::{ErrorKind, Explained};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::shown;

/// The time zone of times that are written without one; by default they have none, and are no instants.
#[derive(Clone, Debug, Default)]
pub struct Zone(Option<TimeZone>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec.source.timeZone: there is no time zone {0:?}")]
pub struct BadZone(pub String);

impl Explained for BadZone {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn fix(&self) -> Option<String> {
        Some("name one of the IANA database, as UTC or America/New_York, then bedplate apply".into())
    }
}

impl Zone {
    pub fn named(name: Option<&str>) -> Result<Self, BadZone> {
        let Some(name) = name else { return Ok(Self(None)) };
        TimeZone::get(name).map(|zone| Self(Some(zone))).map_err(|_| BadZone(name.to_owned()))
    }

    /// Microseconds since 1970 in UTC, or why the text is no instant.
    pub(super) fn micros(&self, text: &str) -> Result<i64, String> {
        let nanos = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => instant.as_nanosecond(),
            Err(_) => self.placed(text)?.as_nanosecond(),
        };
        if nanos % 1_000 != 0 {
            return Err(format!("{} is not whole microseconds", shown(text)));
        }
        i64::try_from(nanos / 1_000).map_err(|_| format!("{} is out of range", shown(text)))
    }

    /// A clock's time where the source says that clock is. One that the clock shows twice or never is no instant.
    fn placed(&self, text: &str) -> Result<jiff::Timestamp, String> {
        let clock: DateTime = text.parse().map_err(|_| format!("{} is not timestamp", shown(text)))?;
        let Some(zone) = &self.0 else {
            return Err(format!("{} has no time zone; write it with one, or say spec.source.timeZone", shown(text)));
        };
        let instant = zone.to_ambiguous_timestamp(clock).unambiguous();
        instant.map_err(|_| format!("{} is there twice or never in {}", shown(text), zone.iana_name().unwrap_or("it")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: Option<&str>, text: &str, expect: Result<i64, &str>) {
        let found = Zone::named(zone).unwrap().micros(text);
        match expect {
            Ok(micros) => assert_eq!(found, Ok(micros), "{text}"),
            Err(word) => assert!(found.as_ref().is_err_and(|why| why.contains(word)), "{text}: {found:?}"),
        }
    }

    #[test]
    fn an_instant_has_a_zone_or_the_source_has_one() {
        check(None, "1970-01-01T00:00:01.000002Z", Ok(1_000_002));
        check(None, "1970-01-01 01:00:00+01:00", Ok(0));
        check(None, "1970-01-01T00:00:00.0000001Z", Err("whole microseconds"));
        check(None, "1970-01-01 00:00:00", Err("no time zone"));
        check(None, "1970-13-01T00:00:00Z", Err("is not timestamp"));
        check(None, "0", Err("is not timestamp"));
        check(Some("UTC"), "1970-01-02", Ok(86_400_000_000));
        check(Some("America/New_York"), "1970-01-01 00:00:00", Ok(5 * 3_600_000_000));
        check(Some("America/New_York"), "1970-01-01T00:00:00Z", Ok(0));
        check(Some("America/New_York"), "2013-03-10 02:30:00", Err("twice or never"));
        check(Some("America/New_York"), "2013-11-03 01:30:00", Err("twice or never"));
    }

    #[test]
    fn a_zone_that_is_none_is_told() {
        assert_eq!(Zone::named(Some("Mars/Olympus")).unwrap_err(), BadZone("Mars/Olympus".into()));
    }
}

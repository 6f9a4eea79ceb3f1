//! A stretch of time as it is written on the command line.

use std::str::FromStr;

use bedplate_client::FeaturesWindow;
use bedplate_types::{Span, Timestamp};
use clap::Args;

/// `7d`, the last of it; or `2013-01-01T00:00:00Z..2013-02-01T00:00:00Z`, of which either end may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written(pub FeaturesWindow);

/// Both ends of a window, for who does not write it in one.
#[derive(Debug, Args)]
pub struct Ends {
    /// The first moment of the window, RFC 3339.
    #[arg(long, value_name = "MOMENT", conflicts_with = "window")]
    pub from: Option<Timestamp>,
    /// The first moment after the window, RFC 3339.
    #[arg(long, value_name = "MOMENT", conflicts_with = "window")]
    pub to: Option<Timestamp>,
}

impl Ends {
    /// The window as it was written in one, or in these.
    pub fn or(&self, window: Option<&Written>) -> FeaturesWindow {
        let between = FeaturesWindow { last: None, from: self.from, to: self.to };
        window.map_or(between, |window| window.0.clone())
    }
}

impl FromStr for Written {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once("..") else {
            let wrong = |error| format!("{error}, or FROM..TO with moments such as 2013-07-01T04:00:00Z");
            let last: Span = text.parse().map_err(wrong)?;
            return Ok(Self(FeaturesWindow { last: Some(last), ..FeaturesWindow::default() }));
        };
        let moment = |text: &str| -> Result<Option<Timestamp>, String> {
            if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|error| format!("{error}")) }
        };
        Ok(Self(FeaturesWindow { last: None, from: moment(from)?, to: moment(to)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_last_of_time_or_between_two_moments() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let read = |text: &str| text.parse::<Written>().map(|written| written.0);
        let last = FeaturesWindow { last: Some("7d".parse().unwrap()), ..FeaturesWindow::default() };
        assert_eq!(read("7d"), Ok(last));
        let (first, second) = ("2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z");
        let between = |from, to| Ok(FeaturesWindow { last: None, from, to });
        assert_eq!(read(&format!("{first}..{second}")), between(at(first), at(second)));
        assert_eq!(read(&format!("..{second}")), between(None, at(second)));
        assert_eq!(read(&format!("{first}..")), between(at(first), None));
        assert!(read("soon").unwrap_err().contains("FROM..TO"));
        assert!(read("monday..").is_err());
    }
}

//! A stretch of time as it is asked for.

use bedplate_kinds::Window;
use bedplate_types::{ErrorKind, Problem, Span, Timestamp};
use serde::Deserialize;

/// The last so much of it, or from one moment to another; all of time when nothing is said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedWindow {
    pub last: Option<Span>,
    /// The first moment in it.
    pub from: Option<Timestamp>,
    /// The first moment after it.
    pub to: Option<Timestamp>,
}

impl AskedWindow {
    /// # Errors
    /// `Invalid`, when it is said in both ways, or ends before it begins.
    pub fn window(&self, what: &str, now: Timestamp) -> Result<Window, Problem> {
        let invalid = |why: &str| Err(Problem::new(ErrorKind::Invalid, what, why));
        match (self.last, self.from, self.to) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                invalid("a window is the last so much of time, or from one moment to another, not both")
            }
            (Some(last), None, None) if last.micros() == 0 => invalid("a window of no time has no rows"),
            (Some(last), None, None) => {
                let from = now.micros().saturating_sub(last.micros());
                Ok(Window { from: Some(Timestamp::from_micros(from)), to: None })
            }
            (None, Some(from), Some(to)) if from >= to => invalid("the window ends before it begins"),
            (None, from, to) => Ok(Window { from, to }),
        }
    }

    #[must_use]
    pub fn is_all(&self) -> bool {
        self.last.is_none() && self.from.is_none() && self.to.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Window, Problem> {
        let asked: AskedWindow = serde_json::from_str(text).unwrap();
        asked.window("it", "2026-01-08T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_window_is_said_in_one_way() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let (first, eighth) = (at("2026-01-01T00:00:00Z"), at("2026-01-08T00:00:00Z"));
        assert_eq!(asked("{}"), Ok(Window::default()));
        assert_eq!(asked(r#"{"last": "7d"}"#), Ok(Window { from: first, to: None }));
        let both = r#"{"from": "2026-01-01T00:00:00Z", "to": "2026-01-08T00:00:00Z"}"#;
        assert_eq!(asked(both), Ok(Window { from: first, to: eighth }));
        assert_eq!(asked(r#"{"to": "2026-01-08T00:00:00Z"}"#), Ok(Window { from: None, to: eighth }));
        for wrong in [
            r#"{"last": "7d", "to": "2026-01-08T00:00:00Z"}"#,
            r#"{"last": "0s"}"#,
            r#"{"from": "2026-01-08T00:00:00Z", "to": "2026-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(asked(wrong).unwrap_err().kind, ErrorKind::Invalid, "{wrong}");
        }
    }
}

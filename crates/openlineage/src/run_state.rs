//! The state of a run, as the join of all that was told of it: the order in which it was told makes no difference.

use crate::event::Change;

/// When something was said, and by which event: the later word counts, and at one time that of the greater digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    /// Event time in microseconds.
    pub at: i64,
    /// The digest of the event.
    pub event: String,
}

/// A run's times and its end. Times are event times in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunState {
    /// The earliest and the latest time of any event.
    pub first: i64,
    pub last: i64,
    /// The earliest event that says that it runs.
    pub started: Option<i64>,
    pub end: Option<End>,
}

/// The latest of the events that end the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub stamp: Stamp,
    /// `COMPLETED`, `ABORTED` or `FAILED`
    pub state: String,
}

impl RunState {
    /// What one event alone tells.
    pub fn of(change: Change, stamp: Stamp) -> Self {
        let at = stamp.at;
        let started = matches!(change, Change::Start | Change::Running).then_some(at);
        let end = ending(change).map(|state| End { stamp, state: state.to_owned() });
        Self { first: at, last: at, started, end }
    }

    pub fn join(self, other: Self) -> Self {
        let started = match (self.started, other.started) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        let end = match (self.end, other.end) {
            (Some(one), Some(two)) => Some(if two.stamp > one.stamp { two } else { one }),
            (one, two) => one.or(two),
        };
        Self { first: self.first.min(other.first), last: self.last.max(other.last), started, end }
    }

    /// `NEW`, `RUNNING`, `COMPLETED`, `ABORTED` or `FAILED`, as Marquez says it.
    pub fn name(&self) -> &str {
        match (&self.end, self.started) {
            (Some(end), _) => &end.state,
            (None, Some(_)) => "RUNNING",
            (None, None) => "NEW",
        }
    }
}

const fn ending(change: Change) -> Option<&'static str> {
    match change {
        Change::Complete => Some("COMPLETED"),
        Change::Abort => Some("ABORTED"),
        Change::Fail => Some("FAILED"),
        Change::Start | Change::Running | Change::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: &[(Change, i64)]) -> RunState {
        let each =
            events.iter().map(|(change, at)| RunState::of(*change, Stamp { at: *at, event: format!("{change:?}") }));
        each.reduce(RunState::join).unwrap()
    }

    #[test]
    fn an_ended_run_stays_ended_whatever_comes_late() {
        let run = told(&[(Change::Complete, 9), (Change::Start, 5), (Change::Running, 12), (Change::Other, 1)]);
        assert_eq!((run.name(), run.started, run.first, run.last), ("COMPLETED", Some(5), 1, 12));
        assert_eq!(run.end.unwrap().stamp.at, 9);
    }

    #[test]
    fn the_latest_end_counts_and_other_events_say_nothing_of_the_state() {
        assert_eq!(told(&[(Change::Fail, 9), (Change::Complete, 8)]).name(), "FAILED");
        assert_eq!(told(&[(Change::Complete, 9), (Change::Fail, 9)]).name(), "FAILED");
        assert_eq!(told(&[(Change::Fail, 9), (Change::Complete, 9)]).name(), "FAILED");
        assert_eq!(told(&[(Change::Other, 9)]).name(), "NEW");
        assert_eq!(told(&[(Change::Running, 9)]).name(), "RUNNING");
        assert_eq!(told(&[(Change::Start, 1), (Change::Abort, 2)]).name(), "ABORTED");
    }
}

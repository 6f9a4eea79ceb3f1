//! Which decisions were given: counted where they are remembered, so that telling it costs the reply a counter, and read
//! now and then by whoever writes them down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::memory::Known;

/// The most different decisions between two readings, of those that allow and of those that deny; what is more is not told
/// but counted.
const MOST: usize = 1_000;

/// The decisions given since the last reading.
#[derive(Default)]
pub(crate) struct Journal {
    /// Apart, so that no number of one keeps the other out.
    denied: Mutex<Vec<Arc<Known>>>,
    allowed: Mutex<Vec<Arc<Known>>>,
    lost: AtomicU64,
}

impl Journal {
    /// Takes note that the decision was given.
    pub(crate) fn note(&self, known: &Arc<Known>) {
        if !known.count() {
            return;
        }
        let mut given = if known.decision.allowed { self.allowed.lock() } else { self.denied.lock() };
        if given.len() < MOST {
            given.push(Arc::clone(known));
        } else {
            drop(given);
            self.lost.fetch_add(u64::from(known.take()), Ordering::Relaxed);
        }
    }

    /// What was given since the last time, each with how often; and how many were lost since then.
    pub(crate) fn take(&self) -> (Vec<(Arc<Known>, u32)>, u64) {
        let take = |given: &Mutex<Vec<_>>| std::mem::take(&mut *given.lock());
        let counted = take(&self.denied).into_iter().chain(take(&self.allowed)).map(|known| {
            let times = known.take();
            (known, times)
        });
        (counted.filter(|(_, times)| *times > 0).collect(), self.lost.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Decision, Question, Resource};

    fn known_to_be_allowed() -> Arc<Known> {
        let resource = Resource { namespace: None, kind: "Dataset", name: None };
        let question = Question::new("user:ana", &[], Action::Get, resource);
        Arc::new(Known::new(&question, Decision::allowed(Vec::new())))
    }

    fn known() -> Arc<Known> {
        let resource = Resource { namespace: None, kind: "Dataset", name: None };
        let question = Question::new("user:ana", &[], Action::Get, resource);
        Arc::new(Known::new(&question, Decision::denied(Vec::new(), "no".into())))
    }

    #[test]
    fn a_decision_is_told_once_with_how_often_it_was_given() {
        let (journal, known) = (Journal::default(), known());
        (0..3).for_each(|_| journal.note(&known));
        let (given, lost) = journal.take();
        assert_eq!((given.len(), given[0].1, lost), (1, 3, 0));
        assert!(journal.take().0.is_empty());
        journal.note(&known);
        assert_eq!(journal.take().0[0].1, 1);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let journal = Journal::default();
        (0..MOST + 3).for_each(|_| journal.note(&known_to_be_allowed()));
        journal.note(&known());
        let (given, lost) = journal.take();
        assert_eq!((given.len(), lost), (MOST + 1, 3), "a denial is not kept out");
    }
}

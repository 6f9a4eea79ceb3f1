//! One queued write: the closure, what came of it, and who waits for the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use crate::{DbError, Tx};

/// A write as the writer sees it, without its types.
pub(crate) trait Job: Send {
    /// Runs the closure; true when its changes are to be kept.
    fn run(&mut self, tx: &mut dyn Tx) -> bool;

    /// Tells the caller, once it is known whether the group's commit held.
    fn answer(self: Box<Self>, committed: Result<(), Arc<str>>);
}

/// What the caller gets: the closure's result, or its panic to carry on with.
pub(crate) type Outcome<T, E> = thread::Result<Result<T, E>>;

/// A closure, its outcome so far, and how to send it.
pub(crate) struct Write<F, T, E, S> {
    closure: F,
    outcome: Option<Outcome<T, E>>,
    send: S,
}

impl<F, T, E, S> Write<F, T, E, S>
where
    F: FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    S: FnOnce(Outcome<T, E>) + Send + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    pub(crate) fn boxed(closure: F, send: S) -> Box<dyn Job> {
        Box::new(Self { closure, outcome: None, send })
    }
}

impl<F, T, E, S> Job for Write<F, T, E, S>
where
    F: FnMut(&mut dyn Tx) -> Result<T, E> + Send,
    S: FnOnce(Outcome<T, E>) + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, tx: &mut dyn Tx) -> bool {
        // A panic belongs to the caller: the writer and the neighbours in the same commit carry on.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.closure)(tx)));
        let keep = matches!(outcome, Ok(Ok(_)));
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<str>>) {
        let Self { closure, outcome, send } = *self;
        // The closure may hold the last handle to things the caller expects to be free once it has its answer.
        drop(closure);
        let lost = |why: &str| Ok(Err(E::from(DbError::Commit { why: why.to_owned() })));
        send(match (outcome, committed) {
            (Some(Ok(Ok(_))), Err(why)) => lost(&why),
            (Some(outcome), _) => outcome,
            (None, Err(why)) => lost(&why),
            (None, Ok(())) => lost("it was never run"),
        });
    }
}

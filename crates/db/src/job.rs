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
    fn answer(self: Box<Self>, committed: Result<(), Lost>);
}

/// Why a whole group was not kept, told to each of its callers.
#[derive(Clone, Debug)]
pub(crate) enum Lost {
    Commit(Arc<str>),
    /// The server could not be reached before anything was committed.
    Unreachable {
        server: Arc<str>,
        why: Arc<str>,
    },
    /// Others were in the way each time.
    Contended(Arc<str>),
}

impl Lost {
    pub(crate) fn because(error: &DbError) -> Self {
        Self::Commit(match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}").into(),
            None => error.to_string().into(),
        })
    }
}

impl From<Lost> for DbError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Commit(why) => Self::Commit { why: why.as_ref().to_owned() },
            Lost::Unreachable { server, why } => {
                Self::Unreachable { server: server.as_ref().to_owned(), why: why.as_ref().to_owned() }
            }
            Lost::Contended(why) => Self::Busy { why: why.as_ref().to_owned() },
        }
    }
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

    fn answer(self: Box<Self>, committed: Result<(), Lost>) {
        let Self { closure, outcome, send } = *self;
        // The closure may hold the last handle to things the caller expects to be free once it has its answer.
        drop(closure);
        let failed = |lost: Lost| Ok(Err(E::from(lost.into())));
        send(match (outcome, committed) {
            (Some(Ok(Ok(_))) | None, Err(lost)) => failed(lost),
            (Some(outcome), _) => outcome,
            (None, Ok(())) => failed(Lost::Commit("it was never run".into())),
        });
    }
}

//! Why an object is not ready: it waits for another, data it stands on is bad, it cannot become ready as it is, or the API server was not reached.

use bedplate_types::{Explained, Problem};

#[derive(Debug)]
pub enum Hold {
    /// Something it names is not there or not ready yet.
    Waiting(String),
    /// A dataset it stands on failed what blocks; it goes on when that dataset is well again.
    Stopped(String),
    /// It stays so until somebody changes something.
    Failed(Problem),
    /// A machine it needs is not reached; it is called again.
    Unreached(Problem),
    /// Try again soon.
    Retry(kube::Error),
}

impl Hold {
    /// `what` failed for good.
    pub fn failed(what: impl Into<String>, error: &dyn Explained) -> Self {
        Self::Failed(Problem::of(what, error))
    }

    pub fn waiting(message: impl Into<String>) -> Self {
        Self::Waiting(message.into())
    }
}

impl From<kube::Error> for Hold {
    fn from(error: kube::Error) -> Self {
        Self::Retry(error)
    }
}

/// For `map_err`: names what was being done when an explained error came.
pub fn failed<E: Explained>(what: impl Into<String>) -> impl FnOnce(E) -> Hold {
    let what = what.into();
    move |error| Hold::failed(what, &error)
}

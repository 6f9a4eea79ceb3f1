//! An HTTP operation with what it takes to do it. Every surface builds its router from a table of these, so that no route
//! can be without one; what walks the tables finds every way in.

use std::borrow::Cow;

use serde::Serialize;

use crate::Action;

/// A method and a path, and who may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// `ANY` for what is answered the same whatever the method is.
    pub method: &'static str,
    /// As the router has it: `/v2/models/{model}`; with the query that makes another operation of it, where one does.
    pub path: Cow<'static, str>,
    #[serde(flatten)]
    pub who: Who,
}

/// Who may do an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "who", rename_all = "camelCase")]
pub enum Who {
    /// Anybody: it tells nothing of what exists.
    Open,
    /// Whoever is signed in: what it tells is the same for all of them, or about the caller alone.
    SignedIn,
    /// Whoever may do `action` to `kind` there.
    May { action: &'static str, kind: Cow<'static, str>, hidden: Hidden },
}

/// How a refusal keeps to itself whether the thing exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Hidden {
    /// It is refused before anything is looked up.
    Forbidden,
    /// It is told as what is not there.
    NotFound,
    /// The answer is there, and without it.
    LeftOut,
}

impl Operation {
    #[must_use]
    pub const fn open(method: &'static str, path: &'static str) -> Self {
        Self { method, path: Cow::Borrowed(path), who: Who::Open }
    }

    #[must_use]
    pub const fn signed_in(method: &'static str, path: &'static str) -> Self {
        Self { method, path: Cow::Borrowed(path), who: Who::SignedIn }
    }

    #[must_use]
    pub const fn may(
        method: &'static str,
        path: &'static str,
        action: Action,
        kind: &'static str,
        hidden: Hidden,
    ) -> Self {
        Self {
            method,
            path: Cow::Borrowed(path),
            who: Who::May { action: action.as_str(), kind: Cow::Borrowed(kind), hidden },
        }
    }

    /// The same where the router is nested below `prefix`.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        Self { path: format!("{prefix}{}", self.path).into(), ..self }
    }
}

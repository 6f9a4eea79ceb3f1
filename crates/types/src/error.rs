//! The closed set of error kinds, and the one map from a kind to HTTP, gRPC, Kubernetes and the shell.

use std::fmt;

/// What sort of failure it is, as a client or a shell must tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request or the manifest is wrong.
    Invalid,
    /// Nobody is signed in, or the token is not known.
    Unauthenticated,
    /// The caller may not do this.
    Denied,
    NotFound,
    AlreadyExists,
    /// The object changed meanwhile.
    Conflict,
    /// The resource version asked for has been compacted away.
    Gone,
    TooLarge,
    /// A bound was reached: try again later.
    Busy,
    /// The thing exists but is not ready yet.
    NotReady,
    /// It took longer than the caller allowed.
    Timeout,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A gate, an expectation or a check refused the result.
    Refused,
    Internal,
}

impl ErrorKind {
    const ALL: [Self; 14] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Denied,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Gone,
        Self::TooLarge,
        Self::Busy,
        Self::NotReady,
        Self::Timeout,
        Self::Corrupt,
        Self::Refused,
        Self::Internal,
    ];

    /// The kind's own name, as the reason of a condition.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// The kind whose [`Self::name`] it is.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 422,
            Self::Unauthenticated => 401,
            Self::Denied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::Busy => 429,
            Self::NotReady => 503,
            Self::Timeout => 504,
            Self::Refused => 412,
            Self::Corrupt | Self::Internal => 500,
        }
    }

    /// The code of gRPC (google.rpc.Code).
    #[must_use]
    pub const fn grpc_code(self) -> i32 {
        match self {
            Self::Invalid => 3,
            Self::Timeout => 4,
            Self::NotFound | Self::Gone => 5,
            Self::AlreadyExists => 6,
            Self::Denied => 7,
            Self::TooLarge | Self::Busy => 8,
            Self::Refused => 9,
            Self::Conflict => 10,
            Self::Internal => 13,
            Self::NotReady => 14,
            Self::Corrupt => 15,
            Self::Unauthenticated => 16,
        }
    }

    /// The `reason` of a Kubernetes `Status` (apimachinery, `StatusReason`).
    #[must_use]
    pub const fn status_reason(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid",
            Self::Unauthenticated => "Unauthorized",
            Self::Denied => "Forbidden",
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Gone => "Expired",
            Self::TooLarge => "RequestEntityTooLarge",
            Self::Busy => "TooManyRequests",
            Self::NotReady => "ServiceUnavailable",
            Self::Timeout => "Timeout",
            Self::Refused => "PreconditionFailed",
            Self::Corrupt | Self::Internal => "InternalError",
        }
    }

    /// The exit code of the command line; 2 is left to wrong usage, as clap has it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Invalid | Self::TooLarge => 3,
            Self::Unauthenticated | Self::Denied => 4,
            Self::NotFound | Self::Gone => 5,
            Self::AlreadyExists | Self::Conflict => 6,
            Self::Busy | Self::NotReady | Self::Timeout => 7,
            Self::Corrupt => 8,
            Self::Refused => 9,
        }
    }
}

/// An error that can say which kind it is and which command mends it.
pub trait Explained: std::error::Error {
    fn kind(&self) -> ErrorKind;

    /// The command or edit that fixes it, if there is one.
    fn fix(&self) -> Option<String> {
        None
    }
}

/// A failure as a person reads it: what failed on what, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ErrorKind,
    pub what: String,
    pub why: String,
    pub fix: Option<String>,
}

impl Problem {
    pub fn new(kind: ErrorKind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kind, what: what.into(), why: why.into(), fix: None }
    }

    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same failure, told of `what`.
    pub fn of(what: impl Into<String>, error: &dyn Explained) -> Self {
        Self { kind: error.kind(), what: what.into(), why: chain(error), fix: error.fix() }
    }
}

fn chain(error: &dyn Explained) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for Problem {}

impl Explained for Problem {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn fix(&self) -> Option<String> {
        self.fix.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        assert_eq!(ErrorKind::ALL.map(|kind| ErrorKind::named(&kind.name())), ErrorKind::ALL.map(Some));
        assert_eq!(ErrorKind::named("Waiting"), None);
    }
}

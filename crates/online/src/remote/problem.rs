//! Why a Redis was of no use, and what mends it.

use std::fmt;

use bedplate_types::ErrorKind;
use redis::{RedisError, ServerErrorKind};

use crate::OnlineError;

/// Said of the Redis at `server`, `host:port/database`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisProblem {
    pub server: String,
    pub why: String,
    pub kind: ErrorKind,
    pub fix: Option<String>,
}

impl fmt::Display for RedisProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis at {} {}", self.server, self.why)
    }
}

impl std::error::Error for RedisProblem {}

impl From<RedisProblem> for OnlineError {
    fn from(problem: RedisProblem) -> Self {
        Self::Redis(problem)
    }
}

/// Why, of which kind, and what mends it.
pub(super) type Trouble = (String, ErrorKind, Option<String>);

pub(super) fn trouble(kind: ErrorKind, why: impl Into<String>, fix: impl Into<String>) -> Trouble {
    (why.into(), kind, Some(fix.into()))
}

/// What the driver's error means.
pub(super) fn told(error: &RedisError) -> Trouble {
    use ErrorKind::{Conflict, Internal, NotReady};
    let said = said(error);
    // The driver gives the refusal of its first commands another code.
    let is_unknown = ["WRONGPASS", "NOAUTH"].contains(&said.0.as_str()) || said.1.contains("Authentication required");
    if is_unknown || error.kind() == redis::ErrorKind::AuthenticationFailed {
        let fix = "put user and password of an account of that Redis into BEDPLATE_ONLINE, which has the address";
        return trouble(NotReady, "does not take the user and password it was given", fix);
    }
    match said.0.as_str() {
        "SUPERSEDED" => (format!("was asked for another load of the view meanwhile: {}", said.1), Conflict, None),
        "LOADING" => trouble(NotReady, "is starting: it reads its rows from disk", "wait until it is up"),
        "OOM" => {
            trouble(NotReady, "has no memory left for more rows", "raise its limit: redis-cli CONFIG SET maxmemory …")
        }
        "MISCONF" => trouble(NotReady, format!("cannot write its disk: {}", said.1), "see its log and its disk"),
        "NOPERM" => trouble(
            NotReady,
            format!("does not let this user do it: {}", said.1),
            "ACL SETUSER … ~bedplate:* +@all -@dangerous +info +config|get",
        ),
        "READONLY" | "MASTERDOWN" => trouble(NotReady, "is a replica, which takes no rows", "name its primary"),
        "" if error.is_timeout() => trouble(NotReady, "does not answer in time", "see its log and its load"),
        "" if error.is_io_error() || error.is_connection_dropped() => trouble(
            NotReady,
            format!("is not reached: {}", said.1),
            "start it, or see the address in --online (BEDPLATE_ONLINE) and the network between",
        ),
        "" => (format!("answered what is not understood: {}", said.1), Internal, None),
        code => (format!("refused: {code} {}", said.1), Internal, None),
    }
}

/// Code and words of what the server refused with; without a code, the driver's words.
fn said(error: &RedisError) -> (String, String) {
    if let Some(code) = error.code() {
        return (code.to_owned(), error.detail().unwrap_or_default().to_owned());
    }
    match error.clone().into_server_errors().as_deref() {
        Some([(_, first), ..]) => (first.code().to_owned(), first.details().unwrap_or_default().to_owned()),
        _ => (String::new(), error.to_string()),
    }
}

/// Whether the server refused, so that nothing more is to come of it.
pub(super) fn is_answer(error: &RedisError) -> bool {
    !said(error).0.is_empty()
}

/// Whether it may well be done on a new connection: this one is gone, or was made before the server forgot its scripts.
pub(super) fn is_stale(error: &RedisError) -> bool {
    let forgot = error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript);
    forgot || (error.is_io_error() && !error.is_timeout()) || error.is_connection_dropped()
}

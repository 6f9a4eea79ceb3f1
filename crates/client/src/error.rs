//! What can go wrong between the command line and the platform.

use std::path::PathBuf;

use bedplate_audit::{AuditError, Fault};
use bedplate_types::{ErrorKind, Explained};

use crate::manifest::ManifestError;

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("cannot read the kubeconfig {}: {why}", path.display())]
    Kubeconfig { path: PathBuf, why: String },
    #[error("{url:?} is not the address of a server: {why}")]
    Address { url: String, why: String },
    #[error("the server has no kind called {word:?}; it has {}", known.join(", "))]
    UnknownKind { word: String, known: Vec<String> },
    #[error("{server} does not answer: {why}")]
    Unreachable { server: String, why: String },
    /// The server answered with an error; `message` is its own.
    #[error("{message}")]
    Refused { what: String, code: u16, message: String, fix: Option<String> },
    #[error("the server's answer to {what} is not understood: {why}")]
    Answer { what: String, why: String },
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    #[error("cannot use {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the folder holds the log of {known}, and the platform signs as {offered}")]
    Key { known: String, offered: String },
    #[error(transparent)]
    Archive(#[from] Fault),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("cannot write the output")]
    Output(#[from] std::io::Error),
}

impl ClientError {
    /// What a failed request means; `what` is the method and path it was.
    pub fn of(what: &str, error: kube::Error) -> Self {
        let what = what.to_owned();
        match error {
            kube::Error::Api(status) => Self::Refused {
                what,
                code: status.code,
                message: said(&status.message, &status.reason, status.code),
                fix: None,
            },
            kube::Error::SerdeError(error) => Self::Answer { what, why: error.to_string() },
            kube::Error::FromUtf8(error) => Self::Answer { what, why: error.to_string() },
            other => Self::Unreachable { server: "the platform".into(), why: causes(&other) },
        }
    }

    /// Whether the server said that the thing is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }
}

fn said(message: &str, reason: &str, code: u16) -> String {
    match (message.is_empty(), reason.is_empty()) {
        (false, _) => message.to_owned(),
        (true, false) => reason.to_owned(),
        (true, true) => format!("the server answered {code} and gave no reason"),
    }
}

/// The innermost cause: `connection refused` tells more than the layers around it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

const fn kind_of(code: u16) -> ErrorKind {
    match code {
        400 | 415 | 422 => ErrorKind::Invalid,
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        410 => ErrorKind::Gone,
        412 => ErrorKind::Refused,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::Busy,
        503 => ErrorKind::NotReady,
        504 => ErrorKind::Timeout,
        _ => ErrorKind::Internal,
    }
}

impl Explained for ClientError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kubeconfig { .. } | Self::Unreachable { .. } => ErrorKind::NotReady,
            Self::Address { .. } => ErrorKind::Invalid,
            Self::UnknownKind { .. } => ErrorKind::NotFound,
            Self::Refused { code, .. } => kind_of(*code),
            Self::Answer { .. } | Self::Output(_) | Self::Folder { .. } => ErrorKind::Internal,
            Self::Key { .. } => ErrorKind::Refused,
            Self::Archive(error) => error.kind(),
            Self::Audit(error) => error.kind(),
            Self::Manifest(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Kubeconfig { .. } | Self::Unreachable { .. } => Some("start the platform: bedplate up".into()),
            Self::Refused { fix: Some(fix), .. } => Some(fix.clone()),
            Self::Refused { code: 401, .. } => Some(
                "the token in the kubeconfig is not known here; start again with the same --home as the platform"
                    .into(),
            ),
            Self::Manifest(error) => error.fix(),
            Self::Key { .. } => Some(
                "export into another folder; if nobody renewed the key, the platform was replaced: keep this folder"
                    .into(),
            ),
            Self::Archive(error) => error.fix(),
            Self::Audit(error) => error.fix(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16) -> ClientError {
        ClientError::Refused { what: "GET /".into(), code, message: "no".into(), fix: None }
    }

    #[test]
    fn the_code_decides_the_kind() {
        assert_eq!(refused(404).kind(), ErrorKind::NotFound);
        assert!(refused(404).is_not_found() && !refused(403).is_not_found());
        assert_eq!(refused(418).kind(), ErrorKind::Internal);
        assert!(refused(401).fix().is_some());
    }

    #[test]
    fn an_answer_without_a_message_still_says_something() {
        assert_eq!(said("", "", 502), "the server answered 502 and gave no reason");
        assert_eq!(said("", "Gone", 410), "Gone");
    }
}

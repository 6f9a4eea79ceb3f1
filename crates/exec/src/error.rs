//! Why a process could not be run.

use std::io;
use std::path::PathBuf;

use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    #[error("cannot create the folder {path}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot write the log {path}")]
    Log { path: PathBuf, source: io::Error },
    #[error("cannot start {program}")]
    Start { program: PathBuf, source: io::Error },
    #[error("cannot limit the {what} of {program}")]
    Limit { what: &'static str, program: PathBuf, source: io::Error },
    #[error("lost sight of process {pid}")]
    Watch { pid: u32, source: io::Error },
}

impl Explained for ExecError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Start { source, .. } if source.kind() == io::ErrorKind::WouldBlock => ErrorKind::Busy,
            _ => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Folder { path, .. } | Self::Log { path, .. } => {
                Some(format!("make {} writable and see that its disk is not full", path.display()))
            }
            Self::Start { program, .. } => Some(format!("see that {} exists and is executable", program.display())),
            Self::Limit { .. } | Self::Watch { .. } => None,
        }
    }
}

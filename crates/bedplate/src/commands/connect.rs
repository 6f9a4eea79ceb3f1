//! How a command finds the running platform: by the kubeconfig in its home.

use std::path::Path;

use bedplate_client::{ClientError, Connection};
use bedplate_types::{ErrorKind, Problem};
use kube::Client;

/// The connection the home's kubeconfig describes.
pub fn connection(home: &Path) -> Result<Connection, Problem> {
    let path = home.join("kubeconfig");
    if !path.exists() {
        let why = format!("there is no {}", path.display());
        return Err(Problem::new(ErrorKind::NotReady, "the platform", why).with_fix("bedplate up"));
    }
    Connection::read(&path).map_err(|error| Problem::of("the kubeconfig", &error))
}

pub fn client(home: &Path) -> Result<Client, Problem> {
    connection(home)?.connect().map_err(|error| Problem::of("the platform", &error))
}

/// The namespace asked for, or the one of the kubeconfig's context.
pub fn namespace(home: &Path, asked: Option<&str>) -> Result<String, Problem> {
    asked.map_or_else(|| connection(home).map(|connection| connection.namespace), |asked| Ok(asked.to_owned()))
}

/// For `map_err`: what was being asked.
pub fn asking(what: impl Into<String>) -> impl FnOnce(ClientError) -> Problem {
    let what = what.into();
    move |error| {
        let problem = Problem::of(what, &error);
        let fix = problem.fix.clone().unwrap_or_else(|| usual_fix(problem.kind).to_owned());
        problem.with_fix(fix)
    }
}

fn usual_fix(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "look for the right kind, name and namespace: bedplate get models -A",
        ErrorKind::Invalid => "correct what it names and ask again",
        ErrorKind::Denied => "ask an owner of the namespace",
        ErrorKind::NotReady | ErrorKind::Busy | ErrorKind::Timeout => {
            "wait a little and ask again; bedplate doctor says more"
        }
        _ => "bedplate doctor",
    }
}

/// Writing to standard output failed: the reader is gone, which is no error worth telling.
pub fn out<T>(result: std::io::Result<T>) -> Result<Option<T>, Problem> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(Problem::new(ErrorKind::Internal, "standard output", error.to_string())),
    }
}

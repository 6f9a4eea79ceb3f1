//! `logout`: end the token somebody signed in with, and forget it.

use std::path::Path;
use std::process::ExitCode;

use bedplate_types::{ErrorKind, Problem};

use super::connect::{asking, connection};
use crate::home::unusable;

pub async fn run(home: &Path) -> Result<ExitCode, Problem> {
    if home.join("layout").exists() {
        let why = "it is a platform's own, and the kubeconfig there is its administrator's";
        return Err(Problem::new(ErrorKind::Refused, format!("home {}", home.display()), why)
            .with_fix("bedplate logout --home DIR, with the folder you signed in with"));
    }
    let connection = connection(home).map_err(|problem| problem.with_fix("bedplate login"))?;
    let id = bedplate_identity::token_id(&connection.token).map_err(|_| {
        Problem::new(ErrorKind::NotFound, "signing out", "nobody is signed in here").with_fix("bedplate login")
    })?;
    let client = connection.connect().map_err(asking("the platform"))?;
    // A token that is no longer believed has ended already.
    match bedplate_client::token_revoke(&client, &id).await.map_err(asking("signing out")) {
        Err(problem) if problem.kind != ErrorKind::Unauthenticated => return Err(problem),
        _ => {}
    }
    let file = home.join("kubeconfig");
    std::fs::remove_file(&file).map_err(|error| unusable(&file, &error))?;
    eprintln!("signed out: token {id} has ended");
    Ok(ExitCode::SUCCESS)
}

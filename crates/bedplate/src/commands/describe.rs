//! `describe`: one object with its conditions and events.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print::{self, Style};
use bedplate_client::{Query, Scope};
use bedplate_types::Problem;

use super::connect::{asking, client, namespace, out};
use crate::cli::Named;
use crate::tell::colours;

pub async fn run(home: &Path, command: &Named) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    let resources = bedplate_client::discover(&client).await.map_err(asking("the platform"))?;
    let resource = resources.find(&command.kind).map_err(asking(command.kind.clone()))?.clone();
    let namespace = namespace(home, command.namespace.as_deref())?;
    let scope = if resource.namespaced { Scope::Namespace(namespace) } else { Scope::All };
    let query = Query::one(resource, scope, &command.name);
    let what = format!("{} {}", command.kind, command.name);
    let described = bedplate_client::describe(&client, &query).await.map_err(asking(what))?;
    let mut stdout = std::io::stdout();
    let style = Style { color: colours(&stdout) };
    out(print::description(&mut stdout, &described, style))?;
    Ok(ExitCode::SUCCESS)
}

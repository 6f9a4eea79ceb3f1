//! `delete`: objects by name, or by the files that declare them.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::Scope;
use bedplate_client::print::{self, Style};
use bedplate_types::{ErrorKind, Problem};

use super::connect::{asking, client, namespace, out};
use crate::cli::Delete;
use crate::tell::colours;

pub async fn run(home: &Path, command: &Delete) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    let resources = bedplate_client::discover(&client).await.map_err(asking("the platform"))?;
    let namespace = namespace(home, command.namespace.as_deref())?;
    let deleted = match (&command.filename, &command.kind, &command.name) {
        (Some(path), ..) => {
            let manifests = bedplate_client::load_manifests(path);
            let manifests = manifests.map_err(|error| Problem::of(path.display().to_string(), &error))?;
            let gone = bedplate_client::delete_manifests(&client, &resources, &manifests, &namespace).await;
            gone.map_err(asking("deleting"))?
        }
        (None, Some(kind), Some(name)) => {
            let resource = resources.find(kind).map_err(asking(kind.clone()))?;
            let scope = if resource.namespaced { Scope::Namespace(namespace) } else { Scope::All };
            let gone = bedplate_client::delete(&client, resource, &scope, name).await;
            vec![gone.map_err(asking(format!("deleting {kind} {name}")))?]
        }
        _ => {
            let why = "a kind without a name would delete everything of that kind";
            return Err(
                Problem::new(ErrorKind::Invalid, "delete", why).with_fix("bedplate delete KIND NAME, or -f PATH")
            );
        }
    };
    let mut stdout = std::io::stdout();
    let style = Style { color: colours(&stdout) };
    out(print::deleted(&mut stdout, &deleted, style))?;
    Ok(ExitCode::SUCCESS)
}

//! `get`: show objects, once or as they change.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print::{self, Style};
use bedplate_client::{Query, Scope};
use bedplate_types::Problem;
use futures::{StreamExt, pin_mut};
use kube::Client;

use super::connect::{asking, client, namespace, out};
use crate::cli::{Format, Get};
use crate::tell::colours;

pub async fn run(home: &Path, command: &Get) -> Result<ExitCode, Problem> {
    let client = client(home)?;
    let resources = bedplate_client::discover(&client).await.map_err(asking("the platform"))?;
    let resource = resources.find(&command.kind).map_err(asking(command.kind.clone()))?.clone();
    let scope = if command.all_namespaces || !resource.namespaced {
        Scope::All
    } else {
        Scope::Namespace(namespace(home, command.namespace.as_deref())?)
    };
    let query = Query { resource, name: command.name.clone(), scope, labels: command.selector.clone(), fields: None };
    match command.output {
        Some(Format::Json | Format::Yaml) if !command.watch => whole(&client, &query, command).await?,
        _ => tabular(&client, &query, command).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn whole(client: &Client, query: &Query, command: &Get) -> Result<(), Problem> {
    let value = bedplate_client::objects(client, query).await.map_err(asking(command.kind.clone()))?;
    let mut stdout = std::io::stdout();
    let printed = match command.output {
        Some(Format::Yaml) => print::yaml(&mut stdout, &value),
        _ => print::json(&mut stdout, &value),
    };
    out(printed).map(|_| ())
}

async fn tabular(client: &Client, query: &Query, command: &Get) -> Result<(), Problem> {
    let table = bedplate_client::table(client, query).await.map_err(asking(command.kind.clone()))?;
    let mut stdout = std::io::stdout();
    let style = Style { color: colours(&stdout) };
    let wide = command.output == Some(Format::Wide);
    if command.output == Some(Format::Name) {
        out(print::names(&mut stdout, &table, &query.resource.qualified()))?;
    } else {
        if table.rows.is_empty() && !command.watch {
            eprintln!("no {} found", query.resource.plural);
        }
        out(print::table(&mut stdout, &table, wide, command.all_namespaces, style))?;
    }
    if command.watch {
        return follow(client, query, &table.metadata.resource_version, command, style).await;
    }
    Ok(())
}

async fn follow(client: &Client, query: &Query, since: &str, command: &Get, style: Style) -> Result<(), Problem> {
    let changes = bedplate_client::watch(client, query, since).await.map_err(asking(command.kind.clone()))?;
    pin_mut!(changes);
    let wide = command.output == Some(Format::Wide);
    while let Some(change) = changes.next().await {
        let table = change.map_err(asking(command.kind.clone()))?.table;
        let mut stdout = std::io::stdout();
        let printed = match command.output {
            Some(Format::Name) => print::names(&mut stdout, &table, &query.resource.qualified()),
            _ => print::table_rows(&mut stdout, &table, wide, command.all_namespaces, style),
        };
        if out(printed)?.is_none() {
            break;
        }
    }
    Ok(())
}

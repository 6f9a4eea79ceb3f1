//! `predict`: ask an endpoint about one row.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print;
use bedplate_kinds::Endpoint;
use bedplate_types::{ErrorKind, Problem};
use kube::Api;
use serde_json::{Map, Value};

use super::connect::{asking, connection, out};
use crate::cli::{Format, Predict};

pub async fn run(home: &Path, command: &Predict) -> Result<ExitCode, Problem> {
    let row = row(command)?;
    let connection = connection(home)?;
    let client = connection.connect().map_err(asking("the platform"))?;
    let what = format!("endpoint {}/{}", command.namespace, command.endpoint);
    let api: Api<Endpoint> = Api::namespaced(client, &command.namespace);
    let endpoint = api.get(&command.endpoint).await;
    let endpoint =
        endpoint.map_err(|error| Problem::of(&what, &bedplate_client::ClientError::of("GET endpoint", error)))?;
    let url = endpoint.status.unwrap_or_default().url;
    let Some((server, _)) = url.split_once("/v2/") else {
        let fix = format!("bedplate describe endpoint {} -n {}", command.endpoint, command.namespace);
        return Err(Problem::new(ErrorKind::NotReady, what, "it is not serving yet").with_fix(fix));
    };
    let inference = connection.client_of(server).map_err(asking("the inference listener"))?;
    let model = format!("{}.{}", command.namespace, command.endpoint);
    let id = format!("cli-{}", hex::encode(crate::keys::random::<8>()?));
    let body = bedplate_client::infer_request(&id, &row);
    let answer =
        bedplate_client::predict(&inference, &model, command.purpose.as_deref(), &body).await.map_err(asking(what))?;
    show(&answer, command.output)?;
    Ok(ExitCode::SUCCESS)
}

fn show(answer: &Value, format: Option<Format>) -> Result<(), Problem> {
    let mut stdout = std::io::stdout();
    match format {
        Some(Format::Json) => out(print::json(&mut stdout, answer))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, answer))?,
        _ => {
            let id = answer["id"].as_str().unwrap_or_default();
            for output in answer["outputs"].as_array().into_iter().flatten() {
                let value = &output["data"][0];
                println!("{} {value}", output["name"].as_str().unwrap_or_default());
            }
            eprintln!("prediction {id}/0; where it comes from: bedplate trace {id}/0");
            Some(())
        }
    };
    Ok(())
}

fn row(command: &Predict) -> Result<Map<String, Value>, Problem> {
    match &command.data {
        Some(path) => read(path),
        None => command.set.iter().map(|pair| column(pair)).collect(),
    }
}

fn column(pair: &str) -> Result<(String, Value), Problem> {
    let (name, value) = pair.split_once('=').ok_or_else(|| {
        Problem::new(ErrorKind::Invalid, format!("--set {pair}"), "it has no =").with_fix("--set tailnum=N14228")
    })?;
    Ok((name.to_owned(), Value::String(value.to_owned())))
}

fn read(path: &Path) -> Result<Map<String, Value>, Problem> {
    let mut text = String::new();
    let taken = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    taken.map_err(|error| crate::home::unusable(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let why = format!("is not a JSON object: {error}");
        Problem::new(ErrorKind::Invalid, path.display().to_string(), why)
    })
}

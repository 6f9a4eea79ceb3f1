//! `features verify`: whether the online store says what the source does.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use bedplate_client::{ClientError, FeaturesVerify, features_verify, print};
use bedplate_kinds::FeatureView;
use bedplate_types::{ErrorKind, Problem, Timestamp};
use clap::Args;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::verified;
use crate::cli::Format;
use crate::commands::connect::{asking, client, namespace, out};

#[derive(Debug, Args)]
pub struct Verify {
    /// Feature views; all of the namespace when left out.
    pub views: Vec<String>,
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// So many entities of each view at most.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub sample: u32,
    /// Another number looks at other entities and moments; the same number at the same ones.
    #[arg(long, default_value_t = 0)]
    pub seed: u32,
    /// Ask for the values of this moment alone, RFC 3339. When left out: moments at which rows became known, and the newest.
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<Timestamp>,
    /// What the values are read for, where the data may be used for some purposes only.
    #[arg(long)]
    pub purpose: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

pub async fn run(home: &Path, verify: &Verify) -> Result<ExitCode, Problem> {
    let (client, namespace) = (client(home)?, namespace(home, verify.namespace.as_deref())?);
    let (told, refused) = ask(&client, &namespace, verify).await?;
    let all = json!({ "views": told });
    let mut stdout = std::io::stdout();
    match verify.output {
        Some(Format::Json) => out(print::json(&mut stdout, &all))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, &all))?,
        _ => out(told.iter().try_for_each(|one| verified::plain(&mut stdout as &mut dyn Write, one)))?,
    };
    match refused {
        Some(problem) => Err(problem),
        None if told.iter().any(|one| one["result"] == "Different") => {
            Ok(ExitCode::from(ErrorKind::Refused.exit_code()))
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What was found, and why it is not all.
async fn ask(client: &Client, namespace: &str, verify: &Verify) -> Result<(Vec<Value>, Option<Problem>), Problem> {
    let wanted = FeaturesVerify {
        sample: Some(verify.sample),
        seed: verify.seed,
        at: verify.at,
        purpose: verify.purpose.clone(),
    };
    let views = if verify.views.is_empty() { all(client, namespace).await? } else { verify.views.clone() };
    let (mut told, mut refused) = (Vec::new(), None);
    for view in views {
        let found = features_verify(client, namespace, &view, &wanted).await;
        match found.map_err(asking(format!("feature view {namespace}/{view}"))) {
            Ok(one) => told.push(one),
            // The others are told of all the same.
            Err(problem) => refused = refused.or(Some(problem)),
        }
    }
    Ok((told, refused))
}

async fn all(client: &Client, namespace: &str) -> Result<Vec<String>, Problem> {
    let what = format!("the feature views of namespace {namespace}");
    let views = Api::<FeatureView>::namespaced(client.clone(), namespace).list(&ListParams::default()).await;
    let views = views.map_err(|error| asking(what.clone())(ClientError::of(&what, error)))?;
    if views.items.is_empty() {
        return Err(Problem::new(ErrorKind::NotFound, what, "there are none").with_fix("bedplate get featureviews -A"));
    }
    Ok(views.items.iter().map(ResourceExt::name_any).collect())
}

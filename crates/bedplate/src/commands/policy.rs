//! `policy`: what policies may say, whether they are sound and do what they should, what was decided and why.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_client::{Decisions, PolicyFiles, policy_files, print};
use bedplate_policy::{Operation, Rules, Source};
use bedplate_types::{ErrorKind, Problem};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connect::{asking, client, out};
use crate::cli::Format;
use crate::platform::surfaces;

#[derive(Debug, Args)]
pub struct Policy {
    #[command(subcommand)]
    pub command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print the schema: what policies may speak of.
    Schema,
    /// Check policies against the schema, without the platform: manifests of Policies, or files ending in .cedar.
    Validate(Files),
    /// Run the cases of *.policytest.yaml against the policies and role bindings beside them, without the platform.
    Test(Files),
    /// Show what was decided: who was told what of which thing, and by which policies.
    Decisions(DecisionsArgs),
    /// Ask what would be decided, and why: bedplate policy why train dataset claims -n clinic --purpose research
    Why(Why),
    /// List every HTTP operation of the platform with what it takes to do it.
    Operations {
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
}

#[derive(Debug, Args)]
pub struct Files {
    /// A file, or a folder of them.
    #[arg(default_value = ".", value_name = "PATH")]
    pub path: PathBuf,
    /// The namespace of policies in files ending in .cedar.
    #[arg(short, long, default_value = "bedplate-system")]
    pub namespace: String,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

#[derive(Debug, Args)]
pub struct DecisionsArgs {
    /// Of one namespace; of all when left out.
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// About one principal: user:ana
    #[arg(long)]
    pub principal: Option<String>,
    /// Only refusals.
    #[arg(long)]
    pub denied: bool,
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

#[derive(Debug, Args)]
pub struct Why {
    /// get, list, create, update, patch, delete, watch, predict, push, read-data, train, promote, place or install.
    pub verb: String,
    /// dataset, model, secret, …
    pub kind: String,
    pub name: Option<String>,
    /// All namespaces, when left out.
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Somebody else: user:ana, serviceaccount:ns/name, workload:ns/name. Takes the right to see the decisions there.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    /// A group that somebody else is in; may be given more than once.
    #[arg(long = "group", value_name = "GROUP", requires = "principal")]
    pub groups: Vec<String>,
    /// What it would be for.
    #[arg(long)]
    pub purpose: Option<String>,
    /// Where it would be.
    #[arg(long)]
    pub site: Option<String>,
    #[arg(short, long, value_enum)]
    pub output: Option<Format>,
}

pub async fn run(home: &Path, command: &Policy) -> Result<ExitCode, Problem> {
    match &command.command {
        PolicyCommand::Schema => {
            print!("{}", bedplate_policy::schema());
            Ok(ExitCode::SUCCESS)
        }
        PolicyCommand::Validate(files) => validate(files),
        PolicyCommand::Test(files) => test(files),
        PolicyCommand::Decisions(wanted) => decisions(home, wanted).await,
        PolicyCommand::Why(question) => why(home, question).await,
        PolicyCommand::Operations { output } => operations(*output),
    }
}

fn read(files: &Files) -> Result<PolicyFiles, Problem> {
    policy_files(&files.path, &files.namespace).map_err(|error| Problem::of("the policies", &error))
}

/// Each flaw of each policy, with its file.
fn flaws(found: &PolicyFiles) -> Result<Vec<Value>, Problem> {
    let mut all = Vec::new();
    for (file, source) in &found.sources {
        for flaw in source.flaws().map_err(|error| Problem::of("the schema", &error))? {
            let at = flaw.at.map(|(line, column)| json!({ "line": line, "column": column }));
            all.push(json!({ "file": file, "policy": source.full_name(), "at": at, "what": flaw.what, "told": flaw.to_string() }));
        }
    }
    Ok(all)
}

fn validate(files: &Files) -> Result<ExitCode, Problem> {
    let found = read(files)?;
    let what = files.path.display().to_string();
    if found.sources.is_empty() {
        let why = "holds no policy: there is no manifest of kind Policy and no file ending in .cedar";
        return Err(Problem::new(ErrorKind::Invalid, what, why).with_fix("bedplate policy validate PATH"));
    }
    let flaws = flaws(&found)?;
    show(&json!({ "policies": found.sources.len(), "flaws": flaws }), files.output, |told| {
        for flaw in told["flaws"].as_array().into_iter().flatten() {
            println!("{}: policy {}: {}", text(&flaw["file"]), text(&flaw["policy"]), text(&flaw["told"]));
        }
        println!("{} policies, {} flaws", told["policies"], flaws.len());
    })?;
    if flaws.is_empty() { Ok(ExitCode::SUCCESS) } else { Ok(ExitCode::from(ErrorKind::Invalid.exit_code())) }
}

fn test(files: &Files) -> Result<ExitCode, Problem> {
    let found = read(files)?;
    let what = files.path.display().to_string();
    let cases: usize = found.cases.iter().map(|(_, cases)| cases.cases.len()).sum();
    if cases == 0 {
        let why = format!("holds no case: there is no file ending in {}", bedplate_client::CASES);
        return Err(Problem::new(ErrorKind::Invalid, what, why).with_fix("bedplate policy test DIR"));
    }
    if let Some(flaw) = flaws(&found)?.first() {
        let why = format!("policy {}: {}", text(&flaw["policy"]), text(&flaw["told"]));
        return Err(Problem::new(ErrorKind::Invalid, what, why)
            .with_fix(format!("bedplate policy validate {}", files.path.display())));
    }
    let results = judge(&found)?;
    let failed = results.iter().filter(|result| result["passed"] == false).count();
    show(&json!({ "results": results, "passed": cases - failed, "failed": failed }), files.output, |told| {
        told["results"].as_array().into_iter().flatten().for_each(line_of_case);
        println!("{} passed, {failed} failed", told["passed"]);
    })?;
    if failed == 0 { Ok(ExitCode::SUCCESS) } else { Ok(ExitCode::from(ErrorKind::Refused.exit_code())) }
}

fn judge(found: &PolicyFiles) -> Result<Vec<Value>, Problem> {
    let sources: Vec<Source> = found.sources.iter().map(|(_, source)| source.clone()).collect();
    let mut results = Vec::new();
    for (file, cases) in &found.cases {
        let grants = [found.grants.clone(), cases.grants.clone()].concat();
        let rules = Rules::new(&sources, &grants).map_err(|error| Problem::of("the policies", &error))?;
        for case in &cases.cases {
            let mut verdict = json!(case.judge(&rules));
            verdict["file"] = json!(file);
            results.push(verdict);
        }
    }
    Ok(results)
}

fn line_of_case(result: &Value) {
    let passed = result["passed"] == true;
    println!("{} {}: {}", if passed { "ok    " } else { "FAILED" }, text(&result["file"]), text(&result["case"]));
    if !passed {
        let got = result["got"].as_str().unwrap_or("no answer");
        println!("       expected {}, got {got}: {}", text(&result["expected"]), text(&result["why"]));
    }
}

async fn decisions(home: &Path, wanted: &DecisionsArgs) -> Result<ExitCode, Problem> {
    let asked = Decisions {
        namespace: wanted.namespace.as_deref(),
        principal: wanted.principal.as_deref(),
        denied_only: wanted.denied,
        limit: wanted.limit,
    };
    let found = bedplate_client::policy_decisions(&client(home)?, &asked).await.map_err(asking("the decisions"))?;
    let wide = wanted.output == Some(Format::Wide);
    show(&found, wanted.output, |found| {
        println!(
            "{:<25} {:<28} {:<8} {:<10} {:<40} {:>6}  POLICIES",
            "AT", "PRINCIPAL", "ANSWER", "ACTION", "RESOURCE", "TIMES"
        );
        for one in found["decisions"].as_array().into_iter().flatten() {
            line_of_decision(one, wide);
        }
    })?;
    if let Some(lost) = found["lost"].as_i64().filter(|lost| *lost > 0) {
        eprintln!("{lost} decisions were made too fast to be written down");
    }
    Ok(ExitCode::SUCCESS)
}

fn line_of_decision(one: &Value, wide: bool) {
    let [at, principal, action, kind] = ["at", "principal", "action", "kind"].map(|field| text(&one[field]));
    let [namespace, name, purpose, site] = ["namespace", "name", "purpose", "site"].map(|field| text(&one[field]));
    let place = if namespace.is_empty() { "*" } else { namespace };
    let thing = format!("{kind} {place}/{}", if name.is_empty() { "*" } else { name });
    let answer = if one["allowed"] == true { "allowed" } else { "denied" };
    let policies: Vec<_> = one["policies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut more = String::new();
    for (label, word) in [("purpose", purpose), ("site", site)] {
        if !word.is_empty() {
            more += &format!("  {label}={word}");
        }
    }
    if wide {
        more += &format!("  {}", text(&one["why"]));
    }
    println!(
        "{at:<25} {principal:<28} {answer:<8} {action:<10} {thing:<40} {:>6}  {}{more}",
        one["times"],
        policies.join(" ")
    );
}

async fn why(home: &Path, question: &Why) -> Result<ExitCode, Problem> {
    let groups = question.groups.join(",");
    let pairs = [
        ("verb", Some(question.verb.as_str())),
        ("kind", Some(question.kind.as_str())),
        ("name", question.name.as_deref()),
        ("namespace", question.namespace.as_deref()),
        ("as", question.principal.as_deref()),
        ("groups", Some(groups.as_str()).filter(|groups| !groups.is_empty())),
        ("purpose", question.purpose.as_deref()),
        ("site", question.site.as_deref()),
    ];
    let answer = bedplate_client::policy_why(&client(home)?, &pairs).await.map_err(asking("the policy"))?;
    let allowed = answer["allowed"] == true;
    show(&answer, question.output, |answer| {
        println!("{}: {}", if allowed { "yes" } else { "no" }, text(&answer["why"]));
    })?;
    Ok(if allowed { ExitCode::SUCCESS } else { ExitCode::from(ErrorKind::Denied.exit_code()) })
}

fn operations(output: Option<Format>) -> Result<ExitCode, Problem> {
    let told = |listener: &str, operations: Vec<Operation>| -> Vec<Value> {
        let one = |operation| {
            let mut value = json!(operation);
            value["listener"] = listener.into();
            value
        };
        operations.iter().map(one).collect()
    };
    let all = [
        told("control", surfaces::control_operations()?),
        told("inference", surfaces::inference_operations()),
        told("flight", surfaces::flight_operations()),
        told("s3", surfaces::s3_operations()),
    ];
    show(&json!({ "operations": all.concat() }), output, |told| {
        for one in told["operations"].as_array().into_iter().flatten() {
            println!(
                "{:<10} {:<7} {:<100} {}",
                text(&one["listener"]),
                text(&one["method"]),
                text(&one["path"]),
                takes(one)
            );
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn takes(operation: &Value) -> String {
    match text(&operation["who"]) {
        "open" => "anybody".to_owned(),
        "signedIn" => "whoever is signed in".to_owned(),
        _ => format!("{} {}", text(&operation["action"]), text(&operation["kind"])),
    }
}

fn show(value: &Value, format: Option<Format>, plain: impl Fn(&Value)) -> Result<(), Problem> {
    let mut stdout = std::io::stdout();
    match format {
        Some(Format::Json) => out(print::json(&mut stdout, value))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, value))?,
        _ => {
            plain(value);
            Some(())
        }
    };
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

//! `doctor`: what is right and wrong with this machine and this home.

use std::path::Path;
use std::process::ExitCode;

use bedplate_online::Keeps;
use bedplate_types::{ErrorKind, Problem};
use clap::Args;
use serde_json::Value;

use super::{audit, connect};
use crate::home::Home;
use crate::online::{self, OnlineOptions};

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub online: OnlineOptions,
}

struct Finding {
    what: &'static str,
    problem: Option<Problem>,
    told: String,
}

pub async fn run(home: &Path, command: &Doctor) -> Result<ExitCode, Problem> {
    let mut findings = vec![home_folder(home), space(home), platform(home).await];
    findings.extend(redis(home, &command.online));
    findings.extend(witnesses(home).await);
    for finding in &findings {
        match &finding.problem {
            None => println!("ok    {:<10} {}", finding.what, finding.told),
            Some(problem) => {
                println!("wrong {:<10} {problem}", finding.what);
                if let Some(fix) = &problem.fix {
                    println!("      {:<10} fix: {fix}", "");
                }
            }
        }
    }
    let worst = findings.iter().find_map(|finding| finding.problem.as_ref());
    Ok(worst.map_or(ExitCode::SUCCESS, |problem| ExitCode::from(problem.kind.exit_code())))
}

fn home_folder(home: &Path) -> Finding {
    if !home.exists() {
        return Finding { what: "home", problem: None, told: format!("{} (made at the first start)", home.display()) };
    }
    match Home::open(home) {
        Ok(_) => Finding { what: "home", problem: None, told: home.display().to_string() },
        // A running platform is what a home is for.
        Err(problem) if problem.kind == ErrorKind::Busy => {
            Finding { what: "home", problem: None, told: format!("{} ({})", home.display(), problem.why) }
        }
        Err(problem) => Finding { what: "home", problem: Some(problem), told: String::new() },
    }
}

const LEAST_FREE: u64 = 2 << 30;

fn space(home: &Path) -> Finding {
    let place = home.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let free = rustix::fs::statvfs(place).map(|stat| stat.f_bavail * stat.f_frsize).unwrap_or_default();
    let told = bedplate_types::Bytes(free).to_string();
    let short = free < LEAST_FREE;
    let problem = short.then(|| {
        Problem::new(ErrorKind::Invalid, place.display().to_string(), format!("only {told} free"))
            .with_fix("free at least 2 GiB, or choose another --home")
    });
    Finding { what: "disk", problem, told: format!("{told} free") }
}

/// Whether the Redis that is named is reached and keeps what it acknowledges; nothing where the rows are in the home.
fn redis(home: &Path, options: &OnlineOptions) -> Option<Finding> {
    const WHAT: &str = "online";
    let unnamed = |server| {
        let why = format!("the rows of feature views are in the Redis at {server}, and it is not named here");
        Problem::new(ErrorKind::Invalid, "the online store", why).with_fix("BEDPLATE_ONLINE=redis://… bedplate doctor")
    };
    let standing = match options.redis(String::new()) {
        Ok(Some(how)) => how.standing().map_err(|error| Problem::of("the online store", &error)),
        Ok(None) => Err(unnamed(online::elsewhere(|name| home.join(name))?)),
        Err(problem) => Err(problem),
    };
    Some(match standing {
        Ok(standing) => {
            let keeps = match (standing.loses, standing.keeps) {
                (Some(loses), _) => format!("may lose rows, as accepted: it {loses}"),
                (None, Keeps::BeforeItAnswers) => "on its disk before it answers".to_owned(),
                (None, _) => "on its disk within a second, which is waited for".to_owned(),
            };
            Finding { what: WHAT, problem: None, told: format!("{} at {}, {keeps}", standing.version, standing.server) }
        }
        Err(problem) => Finding { what: WHAT, problem: Some(problem), told: String::new() },
    })
}

async fn platform(home: &Path) -> Finding {
    let version = async { connect::client(home)?.apiserver_version().await.map_err(|error| unreachable(&error)) };
    match version.await {
        Ok(version) => Finding { what: "platform", problem: None, told: format!("up, {}", version.git_version) },
        Err(problem) => Finding { what: "platform", problem: Some(problem), told: String::new() },
    }
}

/// How it stands with the audit log's witnesses; nothing where there is none, or where one may not ask.
async fn witnesses(home: &Path) -> Vec<Finding> {
    let Ok(client) = connect::client(home) else { return Vec::new() };
    let Ok(told) = bedplate_client::audit_witnesses(&client).await else { return Vec::new() };
    told["witnesses"].as_array().into_iter().flatten().map(witness).collect()
}

fn witness(told: &Value) -> Finding {
    let well = told["standing"] == "cosigned" || told["standing"] == "new";
    let problem = if audit::is_evidence(told) {
        Some(audit::refusal(told))
    } else {
        let why = audit::told_of(told);
        (!well).then(|| {
            Problem::new(ErrorKind::NotReady, "the audit log's witness", why)
                .with_fix("see that the witness runs and knows the log's key: bedplate audit export shows the key")
        })
    };
    Finding { what: "witness", problem, told: audit::told_of(told) }
}

fn unreachable(error: &kube::Error) -> Problem {
    Problem::new(ErrorKind::NotReady, "the platform", error.to_string()).with_fix("bedplate up")
}

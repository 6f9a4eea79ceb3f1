//! Workload: runs a task as a process of its own and writes down how it went.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bedplate_exec::{Exit, Job, Limits, Outcome};
use bedplate_kinds::{Phase, Usage, Workload, WorkloadStatus};
use bedplate_ledger::UsageEvent;
use bedplate_lineage::Node;
use bedplate_types::{Bytes, ErrorKind, NamespacedName, Problem, Span};
use kube::{Resource, ResourceExt};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::core::{Facts, Platform, full_name};
use crate::hold::{Hold, failed};
use crate::registration::write_durably;
use crate::run::Reconcile;
use crate::{job_token, replay, train};

impl Reconcile for Workload {
    async fn bring(platform: &Arc<Platform>, object: &Arc<Self>, status: &mut WorkloadStatus) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

/// A task made ready to run: its command and its job file's content.
pub struct Prepared {
    pub command: &'static str,
    pub job: serde_json::Value,
}

/// How soon a deleted workload is noticed.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
const USUAL_TIMEOUT: Span = Span::from_micros(3_600_000_000);

/// A run that a killed platform left behind is started anew: its worker ended with the platform.
async fn bring(platform: &Arc<Platform>, workload: &Workload, status: &mut WorkloadStatus) -> Result<Phase, Hold> {
    if matches!(status.phase, Phase::Succeeded) {
        return Ok(Phase::Succeeded);
    }
    // A failed run is tried again when its spec has changed, or once at the platform's next start.
    let same_spec = status.observed_generation == workload.meta().generation.unwrap_or_default();
    if status.phase == Phase::Failed && same_spec && status.finished_at > Some(platform.started_at) {
        return Err(Hold::Failed(said_before(status)));
    }
    let name = full_name(workload);
    let run_id = format!("{}-{}", name.name, status.started_at.map_or(1, |_| next_attempt(&status.run_id)));
    let folder = platform.sites.runs.join(&name.namespace).join(&run_id);
    let ran = prepare_and_run(platform, workload, status, &name, &folder, &run_id).await;
    job_token::end(platform, &name, &folder).await;
    finish(platform, &name, status, &folder, &ran?).await
}

async fn prepare_and_run(
    platform: &Arc<Platform>,
    workload: &Workload,
    status: &mut WorkloadStatus,
    name: &NamespacedName,
    folder: &Path,
    run_id: &str,
) -> Result<Outcome, Hold> {
    let prepared = prepare(platform, workload, name, folder).await?;
    write_job(folder, &prepared.job)?;
    *status = started(platform, status, run_id, folder);
    platform.write_status(workload, &with_phase(status, Phase::Running)).await?;
    run(platform, workload, folder, prepared.command).await
}

async fn prepare(
    platform: &Arc<Platform>,
    workload: &Workload,
    name: &NamespacedName,
    folder: &Path,
) -> Result<Prepared, Hold> {
    match (&workload.spec.task.train, &workload.spec.task.replay) {
        (Some(task), _) => train::prepare(platform, name, task, folder).await,
        (None, Some(task)) => replay::prepare(platform, name, task, folder).await,
        (None, None) => Err(Hold::Failed(Problem::new(ErrorKind::Invalid, "spec.task", "no task is set"))),
    }
}

fn next_attempt(run_id: &str) -> u32 {
    run_id.rsplit('-').next().and_then(|n| n.parse::<u32>().ok()).unwrap_or_default() + 1
}

fn write_job(folder: &Path, job: &serde_json::Value) -> Result<(), Hold> {
    std::fs::create_dir_all(folder).map_err(|error| io(folder, &error))?;
    write_durably(&folder.join("job.json"), &serde_json::to_vec_pretty(job).unwrap_or_default())
}

fn started(platform: &Platform, old: &WorkloadStatus, run_id: &str, folder: &Path) -> WorkloadStatus {
    WorkloadStatus {
        run_id: run_id.to_owned(),
        started_at: Some(platform.now()),
        log_path: folder.join("log").display().to_string(),
        conditions: old.conditions.clone(),
        ..Default::default()
    }
}

fn with_phase(status: &WorkloadStatus, phase: Phase) -> WorkloadStatus {
    WorkloadStatus { phase, ..status.clone() }
}

async fn run(platform: &Platform, workload: &Workload, folder: &Path, command: &str) -> Result<Outcome, Hold> {
    let limits = &workload.spec.resources;
    let job = Job {
        program: platform.sites.program.clone(),
        args: vec!["worker".into(), command.into(), "--folder".into(), folder.display().to_string()],
        env: Vec::new(),
        workdir: folder.to_owned(),
        log: folder.join("log"),
        limits: Limits {
            memory: limits.memory_mib.map(|mib| Bytes(mib << 20)),
            cpu_seconds: limits.cpu_seconds,
            wall: limits.timeout.unwrap_or(USUAL_TIMEOUT),
        },
    };
    let cancel = platform.cancel.child_token();
    let watch =
        tokio::spawn(cancel_when_deleted(platform.clone(), full_name(workload), workload.uid(), cancel.clone()));
    let keep = tokio::spawn(job_token::keep(platform.clone(), full_name(workload), folder.to_owned()));
    let outcome = bedplate_exec::run(job, cancel).await;
    watch.abort();
    keep.abort();
    outcome.map_err(failed(format!("starting workload {}", full_name(workload))))
}

/// A deleted workload does not go on running.
async fn cancel_when_deleted(platform: Platform, name: NamespacedName, uid: Option<String>, cancel: CancellationToken) {
    let api = platform.api::<Workload>(&name.namespace);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // A question that fails says nothing of the workload.
        let Ok(found) = api.get_opt(&name.name).await else { continue };
        if found.and_then(|object| object.uid()) != uid {
            return cancel.cancel();
        }
    }
}

async fn finish(
    platform: &Platform,
    name: &NamespacedName,
    status: &mut WorkloadStatus,
    folder: &Path,
    outcome: &Outcome,
) -> Result<Phase, Hold> {
    status.pid = Some(outcome.pid);
    status.finished_at = Some(platform.now());
    status.usage = Usage {
        cpu_seconds: outcome.usage.cpu_seconds,
        wall_seconds: outcome.usage.wall_seconds,
        peak_rss_bytes: outcome.usage.peak_rss_bytes,
    };
    match outcome.exit {
        Exit::Code(code) => status.exit_code = Some(code),
        Exit::Signal(signal) => status.signal = Some(signal),
        Exit::TimedOut | Exit::Cancelled => {}
    }
    platform.record(facts(platform, name, status)).await?;
    match outcome.exit {
        Exit::Code(0) => {
            status.outputs = read_result(&folder.join("result.json"))?;
            Ok(Phase::Succeeded)
        }
        Exit::Cancelled => Err(Hold::waiting("the platform stopped while it ran; it starts again with the platform")),
        ref exit => Err(Hold::Failed(ended_badly(name, exit, &folder.join("log")))),
    }
}

fn read_result(path: &Path) -> Result<std::collections::BTreeMap<String, serde_json::Value>, Hold> {
    let bytes = std::fs::read(path).map_err(|error| io(path, &error))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Hold::Failed(Problem::new(ErrorKind::Internal, path.display().to_string(), error.to_string())))
}

fn ended_badly(name: &NamespacedName, exit: &Exit, log: &Path) -> Problem {
    let how = match exit {
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(signal) => format!("was ended by signal {signal}"),
        Exit::TimedOut => "took longer than its timeout".to_owned(),
        Exit::Cancelled => "was cancelled".to_owned(),
    };
    let why = format!("{how}; its log ends: {}", last_line(log));
    let fix = format!("bedplate logs {} -n {}", name.name, name.namespace);
    Problem::new(ErrorKind::Refused, format!("workload {name}"), why).with_fix(fix)
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("(empty)");
    last.chars().take(500).collect()
}

fn said_before(status: &WorkloadStatus) -> Problem {
    let message = status.conditions.iter().map(|condition| condition.message.clone()).next_back().unwrap_or_default();
    let (what, why) = message.split_once(": ").map_or(("the workload", message.as_str()), |parts| parts);
    Problem::new(ErrorKind::Refused, what, why)
}

fn facts(platform: &Platform, name: &NamespacedName, status: &WorkloadStatus) -> Facts {
    let now = platform.now();
    let run = Node::run(&status.run_id);
    let mut facts = Facts::default()
        .did(
            now,
            "run",
            format!("workloads/{name}"),
            json!({ "run": status.run_id, "exitCode": status.exit_code,
            "signal": status.signal, "usage": status.usage }),
        )
        .knows(&run, json!({ "workload": name.to_string(), "usage": status.usage }));
    facts.usage.push(UsageEvent {
        id: format!("run:{name}:{}", status.run_id),
        at: now,
        namespace: name.namespace.clone(),
        subject: format!("workload:{name}"),
        resource: "cpu_seconds".into(),
        amount_micro: micros(status.usage.cpu_seconds),
    });
    facts
}

#[expect(clippy::cast_possible_truncation, reason = "a run's CPU time in microseconds is far below 2^63")]
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

pub fn io(path: &Path, error: &std::io::Error) -> Hold {
    Hold::Failed(Problem::new(ErrorKind::Internal, path.display().to_string(), error.to_string()))
}

/// The folder of a run.
pub fn run_folder(platform: &Platform, namespace: &str, run_id: &str) -> PathBuf {
    platform.sites.runs.join(namespace).join(run_id)
}

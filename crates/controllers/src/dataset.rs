//! Dataset: brings the source's rows into the lake, checked by the suite it names.

use std::path::PathBuf;
use std::sync::Arc;

use bedplate_kinds::{
    Column, Dataset, DatasetStatus, ExpectationOutcome, ExpectationSuite, ExpectationSuiteSpec, Phase,
};
use bedplate_lake::quality;
use bedplate_ledger::UsageEvent;
use bedplate_lineage::{How, Node};
use bedplate_query::{Committed, Ingest, IngestError, IngestReport};
use bedplate_types::{Digest, ErrorKind, NamespacedName, Problem, Timestamp};
use serde_json::{Value, json};

use crate::core::{ACTOR, Facts, Platform, full_name, gigabytes};
use crate::digest;
use crate::hold::{Hold, failed};
use crate::results::IngestResult;
use crate::run::Reconcile;
use crate::{review, suite_references};

impl Reconcile for Dataset {
    async fn bring(platform: &Arc<Platform>, object: &Arc<Self>, status: &mut DatasetStatus) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

/// Everything the ingest depends on.
struct Inputs {
    suite: Option<ExpectationSuiteSpec>,
    source: PathBuf,
    source_bytes: u64,
    digest: Digest,
}

async fn bring(platform: &Arc<Platform>, dataset: &Arc<Dataset>, status: &mut DatasetStatus) -> Result<Phase, Hold> {
    let name = full_name(&**dataset);
    review::settle(platform, dataset, &name, status).await?;
    let inputs = inputs(platform, dataset, &name).await?;
    if status.phase == Phase::Ready && is_there(platform, &name, status, &inputs).await? {
        return Ok(Phase::Ready);
    }
    if status.refused_input == inputs.digest.to_string() {
        return Err(refusal(&name, &status.expectations));
    }
    let (input_digest, read) = (inputs.digest, inputs.source_bytes);
    match ingest(platform, dataset, &name, inputs).await? {
        Ok(report) => {
            platform.record(facts(platform, &name, dataset, &report, (input_digest, read))).await?;
            tell(status, &report, input_digest);
            Ok(Phase::Ready)
        }
        Err(outcomes) => {
            platform.record(refused_facts(platform, &name, input_digest, &outcomes)).await?;
            status.refused_input = input_digest.to_string();
            status.expectations = outcomes;
            Err(refusal(&name, &status.expectations))
        }
    }
}

/// What an ingest came to when it was refused.
type Outcomes = Vec<ExpectationOutcome>;

fn refusal(name: &NamespacedName, outcomes: &[ExpectationOutcome]) -> Hold {
    let why = format!("its source is refused, and the last good version stays: {}", blocking(outcomes));
    let fix = format!(
        "correct the source, or change the expectation's severity to quarantine or warn, then bedplate apply; \
         bedplate data history {} -n {} shows what was observed before",
        name.name, name.namespace
    );
    Hold::Failed(Problem::new(ErrorKind::Refused, format!("dataset {name}"), why).with_fix(fix))
}

/// The expectations that block, with their evidence.
fn blocking(outcomes: &[ExpectationOutcome]) -> String {
    let tell = |outcome: &ExpectationOutcome| format!("{} ({})", outcome.name, outcome.detail);
    quality::blocking(outcomes).map(tell).collect::<Vec<_>>().join("; ")
}

fn refused_facts(platform: &Platform, name: &NamespacedName, input: Digest, outcomes: &Outcomes) -> Facts {
    let (now, failed) = (platform.now(), quality::blocking(outcomes).map(|outcome| &outcome.name).collect::<Vec<_>>());
    let result = IngestResult {
        at: now,
        input_digest: input.to_string(),
        version: None,
        rows_read: 0,
        rows: 0,
        quarantined: 0,
        outcomes: outcomes.clone(),
    };
    Facts::default()
        .did(now, "refuse", format!("datasets/{name}"), json!({ "expectations": failed, "input": input }))
        .judged(name, result)
}

/// Whether the table is what the status says, made of these inputs. A table that cannot be read is an error, not a reason
/// to write over it.
async fn is_there(
    platform: &Platform,
    name: &NamespacedName,
    status: &DatasetStatus,
    inputs: &Inputs,
) -> Result<bool, Hold> {
    let _turn = platform.turn().await?;
    let committed = platform.lake.committed(&name.namespace, &name.name).await;
    let committed = committed.map_err(failed(format!("the table of dataset {name}")))?;
    let same = |found: &Committed| found.input_digest == inputs.digest && Some(found.version) == status.version;
    Ok(status.input_digest == inputs.digest.to_string() && committed.as_ref().is_some_and(same))
}

async fn inputs(platform: &Platform, dataset: &Dataset, name: &NamespacedName) -> Result<Inputs, Hold> {
    let suite = match &dataset.spec.suite {
        Some(suite) => Some(platform.need::<ExpectationSuite>(&name.namespace, suite).await?.spec),
        None => None,
    };
    let source = allowed_source(platform, dataset, name)?;
    let path = source.clone();
    let (source_digest, source_bytes) = platform.heavy(move || hash(&path)).await?;
    let versions = suite_references::datasets(platform, name, suite.as_ref()).await?;
    let digest =
        digest::of(&[&source_digest.to_string(), &dataset.spec.schema, &suite, &versions, &dataset.spec.time_column]);
    Ok(Inputs { suite, source, source_bytes, digest })
}

/// The file's digest and its length.
fn hash(path: &std::path::Path) -> Result<(Digest, u64), Hold> {
    let length = |digest| Ok((digest, std::fs::metadata(path)?.len()));
    digest::of_file(path).and_then(length).map_err(|error| {
        let what = format!("the source {}", path.display());
        Hold::Failed(Problem::new(ErrorKind::Invalid, what, format!("cannot be read: {error}")))
    })
}

/// The source's real path, when it lies in a folder the platform was told it may read.
fn allowed_source(platform: &Platform, dataset: &Dataset, name: &NamespacedName) -> Result<PathBuf, Hold> {
    let declared = &dataset.spec.source.path;
    let what = format!("dataset {name}: source {declared}");
    if std::path::Path::new(declared).is_relative() {
        let why = "a relative path means nothing to the platform, which runs in a folder of its own";
        let fix = "bedplate apply -f the manifest, which makes the path absolute; or write it so";
        return Err(Hold::Failed(Problem::new(ErrorKind::Invalid, what, why).with_fix(fix)));
    }
    let path = std::fs::canonicalize(declared).map_err(|error| {
        let fix = "put the file there or correct spec.source.path, then apply the manifest again";
        Hold::Failed(Problem::new(ErrorKind::Invalid, what.clone(), format!("cannot be opened: {error}")).with_fix(fix))
    })?;
    if platform.sites.source_roots.iter().any(|root| path.starts_with(root)) {
        return Ok(path);
    }
    let why = "it lies outside the folders this platform may read";
    let folder = path.parent().unwrap_or(&path).display().to_string();
    Err(Hold::Failed(
        Problem::new(ErrorKind::Denied, what, why).with_fix(format!("bedplate up --source-root {folder}")),
    ))
}

/// The status of a dataset that is ready, or a wait for it. One whose last ingest was refused stops what reads it, though
/// its last good version is there: nobody would notice that it grows old.
pub async fn ready(platform: &Platform, namespace: &str, name: &str) -> Result<DatasetStatus, Hold> {
    let status = platform.need::<Dataset>(namespace, name).await?.status.unwrap_or_default();
    match status.phase {
        Phase::Ready => Ok(status),
        Phase::Failed if !status.refused_input.is_empty() => Err(Hold::Stopped(format!(
            "dataset {name} failed what blocks: {}. What reads it stops until an ingest passes; see \
             bedplate data history {name} -n {namespace}",
            blocking(&status.expectations)
        ))),
        _ => Err(Hold::waiting(format!("dataset {name} is not ready"))),
    }
}

/// What the rows of a dataset's table are made of: the inputs of its ingest, and what was released since.
pub fn content(status: &DatasetStatus) -> String {
    match (status.released, status.version) {
        (0, _) | (_, None) => status.input_digest.clone(),
        (released, Some(version)) => format!("{}+{released}@{version}", status.input_digest),
    }
}

async fn ingest(
    platform: &Arc<Platform>,
    dataset: &Arc<Dataset>,
    name: &NamespacedName,
    inputs: Inputs,
) -> Result<Result<IngestReport, Outcomes>, Hold> {
    let references = suite_references::look_up(platform, name, &dataset.spec, inputs.suite.as_ref()).await?;
    let (platform_, dataset, name_) = (platform.clone(), dataset.clone(), name.clone());
    let runtime = tokio::runtime::Handle::current();
    platform
        .heavy(move || {
            let ingest = Ingest {
                namespace: &name_.namespace,
                name: &name_.name,
                spec: &dataset.spec,
                suite: inputs.suite.as_ref(),
                references,
                source: &inputs.source,
                input_digest: inputs.digest,
                cancel: platform_.cancel.child_token(),
            };
            match runtime.block_on(platform_.lake.ingest(ingest)) {
                Err(IngestError::Blocked { outcomes, .. }) => Ok(Err(outcomes)),
                done => done.map(Ok).map_err(failed(format!("ingesting dataset {name_}"))),
            }
        })
        .await
}

fn facts(
    platform: &Platform,
    name: &NamespacedName,
    dataset: &Dataset,
    report: &IngestReport,
    (inputs, source_bytes): (Digest, u64),
) -> Facts {
    let now = platform.now();
    let source = Node::Source(report.source_digest);
    let table = table_node(name, Some(report.version));
    let mut facts = Facts::default()
        .did(
            now,
            "ingest",
            format!("datasets/{name}"),
            json!({ "version": report.version, "rowsRead": report.rows_read, "rows": report.rows,
                    "quarantined": report.quarantined, "source": report.source_digest }),
        )
        .knows(&source, json!({ "path": dataset.spec.source.path, "digest": report.source_digest }))
        .knows(
            &table,
            json!({ "rows": report.rows, "owner": dataset.spec.owner, "quarantined": report.quarantined,
                    "assertions": report.outcomes.iter().map(assertion).collect::<Vec<_>>() }),
        )
        .follows(&source, &table, ACTOR, now)
        .judged(name, result(report, inputs, now));
    for Column { name, .. } in &dataset.spec.schema {
        facts.made_of(&Node::column(&table, name), Node::column(&source, name), How::Identity, ACTOR, now);
    }
    let used = |step: &str, resource: &str, bytes| UsageEvent {
        id: format!("{step}:{name}@{}:{}", report.version, inputs.short()),
        at: now,
        namespace: name.namespace.clone(),
        team: dataset.spec.owner.clone(),
        subject: format!("dataset:{name}"),
        resource: resource.into(),
        amount_micro: gigabytes(bytes),
    };
    facts.used(used("ingested", "ingested_gigabytes", source_bytes)).used(used(
        "stored",
        "stored_gigabytes",
        report.bytes,
    ))
}

/// As OpenLineage has it.
fn assertion(outcome: &ExpectationOutcome) -> Value {
    json!({ "assertion": outcome.name, "success": outcome.passed })
}

fn result(report: &IngestReport, input: Digest, at: Timestamp) -> IngestResult {
    IngestResult {
        at,
        input_digest: input.to_string(),
        version: Some(report.version),
        rows_read: report.rows_read,
        rows: report.rows,
        quarantined: report.quarantined,
        outcomes: report.outcomes.clone(),
    }
}

/// The lineage node of a version of a table.
pub fn table_node(name: &NamespacedName, version: Option<i64>) -> Node {
    Node::table(&name.namespace, &name.name, version.unwrap_or_default())
}

/// What the table came to, by an ingest or a review.
pub fn tell_table(status: &mut DatasetStatus, report: &IngestReport) {
    status.rows = report.rows;
    status.quarantined = report.quarantined;
    status.released = report.released;
    status.bytes = report.bytes;
    status.version = Some(report.version);
}

fn tell(status: &mut DatasetStatus, report: &IngestReport, input_digest: Digest) {
    tell_table(status, report);
    status.rows_read = report.rows_read;
    status.location = report.location.display().to_string();
    status.source_digest = report.source_digest.to_string();
    status.input_digest = input_digest.to_string();
    status.expectations.clone_from(&report.outcomes);
    status.refused_input = String::new();
    // What was read from a source is as the source is.
    status.deidentified = false;
}

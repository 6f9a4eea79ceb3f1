//! Dataset: brings the source's rows into the lake, checked by the suite it names.

use std::sync::Arc;
use std::time::Duration;

use bedplate_kinds::{
    Column, ColumnType, Dataset, DatasetSource, DatasetSpec, DatasetStatus, ExpectationOutcome, ExpectationSuite,
    ExpectationSuiteSpec, Format, Load, Phase, PostgresSource, SecretKey,
};
use bedplate_lake::quality;
use bedplate_ledger::UsageEvent;
use bedplate_lineage::{How, Node};
use bedplate_query::{Change, Committed, Ingest, IngestError, IngestReport, Pending, SourceError, Watermark, Whose};
use bedplate_types::{Digest, ErrorKind, NamespacedName, Problem, Timestamp};
use serde_json::{Value, json};

use crate::core::{ACTOR, Facts, PERIOD, Platform, full_name, gigabytes};
use crate::digest::{self, erased::Json};
use crate::hold::{Hold, failed};
use crate::results::IngestResult;
use crate::run::Reconcile;
use crate::{elsewhere, review, suite_references, upkeep};

impl Reconcile for Dataset {
    async fn bring(platform: &Arc<Platform>, object: &Arc<Self>, status: &mut DatasetStatus) -> Result<Phase, Hold> {
        let name = full_name(&**object);
        review::settle(platform, object, &name, status).await?;
        if object.spec.source.is_elsewhere() {
            return look_elsewhere(platform, object, &name, status).await;
        }
        bring(platform, object, &name, status).await
    }

    fn looked_at_every(&self) -> Duration {
        let interval = u64::try_from(self.spec.source.interval().micros()).unwrap_or_default();
        if self.spec.source.is_elsewhere() { Duration::from_micros(interval).min(PERIOD) } else { PERIOD }
    }
}

/// Looks at the source of another machine when that is due.
async fn look_elsewhere(
    platform: &Arc<Platform>,
    dataset: &Arc<Dataset>,
    name: &NamespacedName,
    status: &mut DatasetStatus,
) -> Result<Phase, Hold> {
    let suite = suite(platform, dataset, name).await?;
    let versions = suite_references::datasets(platform, name, suite.as_ref()).await?;
    let (sought, now) = (elsewhere::sought(dataset, &(&suite, &versions)), platform.now());
    if status.phase == Phase::Ready && elsewhere::is_fresh(dataset, status, &sought, now) {
        let (input, version) = (status.input_digest.as_str(), status.version);
        let same = |found: &Committed| found.input_digest.to_string() == input && Some(found.version) == version;
        if committed(platform, name).await?.as_ref().is_some_and(same) {
            return Ok(Phase::Ready);
        }
    }
    if let Some(hold) = platform.attempts.told(name, &sought, now) {
        return Err(hold);
    }
    let outcome = bring(platform, dataset, name, status).await;
    platform.attempts.keep(name, &sought, platform.now(), &outcome);
    if outcome.is_ok() {
        status.looked_at = now.to_string();
        status.looked_for = sought;
    }
    outcome
}

/// Everything the ingest depends on.
struct Inputs {
    suite: Option<ExpectationSuiteSpec>,
    pending: Pending,
    digest: Digest,
}

async fn bring(
    platform: &Arc<Platform>,
    dataset: &Arc<Dataset>,
    name: &NamespacedName,
    status: &mut DatasetStatus,
) -> Result<Phase, Hold> {
    let inputs = inputs(platform, dataset, name).await?;
    if status.phase == Phase::Ready && is_there(platform, name, status, &inputs).await? {
        upkeep::tidy(platform, dataset, name, status).await?;
        return Ok(Phase::Ready);
    }
    if status.refused_input == inputs.digest.to_string() {
        return Err(refusal(name, &status.expectations));
    }
    let input = inputs.digest;
    let report = match added_before(platform, name, &inputs).await? {
        Some(report) => Ok(report),
        None => ingest(platform, dataset, name, inputs).await?,
    };
    match report {
        Ok(report) => {
            catch_up(platform, dataset, name, status, &report).await?;
            tell(status, &dataset.spec, &report);
            upkeep::tidy(platform, dataset, name, status).await?;
            Ok(Phase::Ready)
        }
        Err(outcomes) => {
            platform.record(refused_facts(platform, name, input, &outcomes)).await?;
            status.refused_input = input.to_string();
            status.expectations = outcomes;
            Err(refusal(name, &status.expectations))
        }
    }
}

/// Tells of the load, and of what was killed before it was told of.
async fn catch_up(
    platform: &Platform,
    dataset: &Dataset,
    name: &NamespacedName,
    status: &mut DatasetStatus,
    report: &IngestReport,
) -> Result<(), Hold> {
    // A table that was removed begins again with version 0.
    let told = status.version.filter(|told| *told < report.version);
    let changes = platform.lake.changes_since(&name.namespace, &name.name, told);
    let changes = changes.map_err(failed(format!("the table of dataset {name}")))?;
    // What came after the load meanwhile is told of the next time.
    for change in changes.into_iter().filter(|change| change.version() <= report.version) {
        match change {
            Change::Ingest(report) => {
                platform.record(facts(platform, name, dataset, &report)).await?;
                count_files(status, &report, dataset.spec.source.load);
            }
            Change::Review { version, review } => {
                platform.record(review::facts(dataset, name, version, &review, platform.now())).await?;
            }
            Change::Upkeep { version, upkeep } => {
                platform.record(upkeep::facts(dataset, name, version, &upkeep, platform.now())).await?;
            }
        }
    }
    Ok(())
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

/// What was added to the table is not added again because nobody was told of it.
async fn added_before(
    platform: &Platform,
    name: &NamespacedName,
    inputs: &Inputs,
) -> Result<Option<IngestReport>, Hold> {
    if !inputs.pending.appends() {
        return Ok(None);
    }
    let committed = committed(platform, name).await?;
    Ok(committed.filter(|found| found.input_digest == inputs.digest).map(|found| found.report))
}

async fn committed(platform: &Platform, name: &NamespacedName) -> Result<Option<Committed>, Hold> {
    let _turn = platform.turn().await?;
    let committed = platform.lake.committed(&name.namespace, &name.name).await;
    committed.map_err(failed(format!("the table of dataset {name}")))
}

/// Whether the table is what the status says, made of these inputs. A table that cannot be read is an error, not a reason
/// to write over it.
async fn is_there(
    platform: &Platform,
    name: &NamespacedName,
    status: &DatasetStatus,
    inputs: &Inputs,
) -> Result<bool, Hold> {
    let committed = committed(platform, name).await?;
    let same = |found: &Committed| found.input_digest == inputs.digest && Some(found.version) == status.version;
    Ok(status.input_digest == inputs.digest.to_string() && committed.as_ref().is_some_and(same))
}

async fn inputs(platform: &Arc<Platform>, dataset: &Arc<Dataset>, name: &NamespacedName) -> Result<Inputs, Hold> {
    let suite = suite(platform, dataset, name).await?;
    let pending = match dataset.spec.source.is_elsewhere() {
        true => elsewhere::pending(platform, dataset, name).await?,
        false => pending(platform, dataset, name).await?,
    };
    let versions = suite_references::datasets(platform, name, suite.as_ref()).await?;
    let (spec, read) = (&dataset.spec, pending.digest.to_string());
    let how = how(&spec.source);
    let mut parts: Vec<&dyn Json> = vec![&read, &spec.schema, &suite, &versions, &spec.time_column];
    if let Some(how) = &how {
        parts.push(how);
    }
    if !spec.partition_by.is_empty() {
        parts.push(&spec.partition_by);
    }
    if !spec.constraints.is_empty() {
        parts.push(&spec.constraints);
    }
    let digest = digest::of(&parts);
    Ok(Inputs { suite, pending, digest })
}

async fn suite(
    platform: &Platform,
    dataset: &Dataset,
    name: &NamespacedName,
) -> Result<Option<ExpectationSuiteSpec>, Hold> {
    let Some(suite) = &dataset.spec.suite else { return Ok(None) };
    Ok(Some(platform.need::<ExpectationSuite>(&name.namespace, suite).await?.spec))
}

/// How the source is read, where that is not how it always was: whole files of Parquet. Where they lie does not matter.
fn how(source: &DatasetSource) -> Option<DatasetSource> {
    let of = |postgres: &PostgresSource| PostgresSource {
        connection: SecretKey::default(),
        timeout: None,
        ..postgres.clone()
    };
    let postgres = source.postgres.as_ref().map(of);
    let how = DatasetSource { path: String::new(), store: None, every: None, postgres, ..source.clone() };
    let plain = DatasetSource { format: how.format.filter(|format| *format == Format::Parquet), ..Default::default() };
    (how != plain).then_some(how)
}

async fn pending(platform: &Arc<Platform>, dataset: &Arc<Dataset>, name: &NamespacedName) -> Result<Pending, Hold> {
    let (platform_, dataset, name) = (platform.clone(), dataset.clone(), name.clone());
    let runtime = tokio::runtime::Handle::current();
    platform
        .heavy(move || {
            let whose = whose(&platform_, &dataset, &name);
            let pending = runtime.block_on(platform_.lake.pending(whose, &dataset.spec));
            pending.map_err(|error| held(format!("the source of dataset {name}"), error))
        })
        .await
}

pub fn whose<'a>(platform: &'a Platform, dataset: &'a Dataset, name: &'a NamespacedName) -> Whose<'a> {
    Whose {
        namespace: &name.namespace,
        name: &name.name,
        object: dataset.metadata.uid.as_deref().unwrap_or_default(),
        roots: &platform.sites.source_roots,
    }
}

/// A file that somebody is still writing is waited for; a machine that is not reached is called again.
pub fn held(what: String, error: IngestError) -> Hold {
    match error {
        IngestError::Source(SourceError::Elsewhere(error)) if error.may_pass() => {
            Hold::Unreached(Problem::of(what, &error))
        }
        IngestError::Source(SourceError::Unsteady { .. }) | IngestError::Overtaken { .. } => {
            Hold::waiting(format!("{what}: {error}"))
        }
        error => Hold::failed(what, &error),
    }
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

/// What the rows of a dataset's table are made of: the inputs of its ingest, and what was released or restored since. The same
/// rows in fewer files are the same.
pub fn content(status: &DatasetStatus) -> String {
    match (status.released, status.restored, status.rows_of.or(status.version)) {
        (0, false, _) | (_, _, None) => status.input_digest.clone(),
        (released, _, Some(version)) => format!("{}+{released}@{version}", status.input_digest),
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
                whose: whose(&platform_, &dataset, &name_),
                spec: &dataset.spec,
                suite: inputs.suite.as_ref(),
                references,
                pending: inputs.pending,
                input_digest: inputs.digest,
                cancel: platform_.cancel.child_token(),
            };
            match runtime.block_on(platform_.lake.ingest(ingest)) {
                Err(IngestError::Blocked { outcomes, .. }) => Ok(Err(outcomes)),
                done => done.map(Ok).map_err(|error| held(format!("ingesting dataset {name_}"), error)),
            }
        })
        .await
}

/// Column by column, files are told of only where a load read few: a folder of thousands would be a million edges.
const FILES_WITH_COLUMNS: usize = 100;

/// A version came of the files that were read for it, and of the version it was added to.
fn facts(platform: &Platform, name: &NamespacedName, dataset: &Dataset, report: &IngestReport) -> Facts {
    let now = platform.now();
    let table = table_node(name, Some(report.version));
    let mut facts = Facts::default()
        .did(
            now,
            "ingest",
            format!("datasets/{name}"),
            json!({ "version": report.version, "rowsRead": report.rows_read, "rows": report.rows,
                    "quarantined": report.quarantined, "source": report.source_digest }),
        )
        .knows(
            &table,
            json!({ "rows": report.rows, "owner": dataset.spec.owner, "quarantined": report.quarantined,
                    "assertions": report.outcomes.iter().map(assertion).collect::<Vec<_>>() }),
        )
        .judged(name, result(report, now));
    let mut sources = Vec::new();
    for file in &report.files {
        let source = Node::Source(file.digest);
        facts = facts.knows(&source, json!({ "path": file.path, "digest": file.digest }));
        sources.push(source);
    }
    let columned = sources.len() <= FILES_WITH_COLUMNS;
    let before = report.appended.then(|| table_node(name, Some(report.version - 1)));
    for (from, columned) in
        sources.into_iter().map(|source| (source, columned)).chain(before.map(|table| (table, true)))
    {
        facts = facts.follows(&from, &table, ACTOR, now);
        for Column { name, .. } in dataset.spec.schema.iter().filter(|_| columned) {
            facts.made_of(&Node::column(&table, name), Node::column(&from, name), How::Identity, ACTOR, now);
        }
    }
    let used = |step: &str, resource: &str, bytes| UsageEvent {
        id: format!("{step}:{name}@{}:{}", report.version, report.input_digest.short()),
        at: now,
        namespace: name.namespace.clone(),
        team: dataset.spec.owner.clone(),
        subject: format!("dataset:{name}"),
        resource: resource.into(),
        amount_micro: gigabytes(bytes),
    };
    let read = report.files.iter().map(|file| file.bytes).sum();
    facts.used(used("ingested", "ingested_gigabytes", read)).used(used("stored", "stored_gigabytes", report.written))
}

/// As OpenLineage has it.
fn assertion(outcome: &ExpectationOutcome) -> Value {
    json!({ "assertion": outcome.name, "success": outcome.passed })
}

fn result(report: &IngestReport, at: Timestamp) -> IngestResult {
    IngestResult {
        at,
        input_digest: report.input_digest.to_string(),
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

fn count_files(status: &mut DatasetStatus, report: &IngestReport, load: Load) {
    let before = if report.appended && load.is_by_files() { status.files } else { 0 };
    status.files = before + report.files.len() as u64;
}

/// What the table came to, by an ingest, a review or upkeep.
pub fn tell_table(status: &mut DatasetStatus, report: &IngestReport) {
    status.rows = report.rows;
    status.quarantined = report.quarantined;
    status.released = report.released;
    status.bytes = report.bytes;
    status.data_files = report.data_files as u64;
    status.rows_of = Some(report.rows_of);
    status.restored = report.restored;
    status.version = Some(report.version);
    status.committed = status.version;
}

fn tell(status: &mut DatasetStatus, spec: &DatasetSpec, report: &IngestReport) {
    tell_table(status, report);
    status.rows_read = report.rows_read;
    status.location = report.location.display().to_string();
    status.source_digest = report.source_digest.to_string();
    status.input_digest = report.input_digest.to_string();
    status.watermark = report.watermark.as_ref().map(|mark| shown(spec, mark)).unwrap_or_default();
    status.expectations.clone_from(&report.outcomes);
    status.refused_input = String::new();
    // What was read from a source is as the source is.
    status.deidentified = false;
}

fn shown(spec: &DatasetSpec, mark: &Watermark) -> String {
    match spec.column(&mark.column).map(|column| column.type_) {
        Some(ColumnType::Timestamp) => Timestamp::from_micros(mark.value).to_string(),
        _ => mark.value.to_string(),
    }
}

//! Dataset: brings the source's rows into the lake, checked by the suite it names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bedplate_kinds::{
    Column, ColumnType, Dataset, DatasetSource, DatasetSpec, DatasetStatus, ExpectationSuite, ExpectationSuiteSpec,
    Format, Load, Phase,
};
use bedplate_ledger::UsageEvent;
use bedplate_lineage::{How, Node};
use bedplate_query::{Committed, Ingest, IngestError, IngestReport, Pending, SourceError, Watermark, Whose};
use bedplate_types::{Digest, NamespacedName, Timestamp};
use serde_json::json;

use crate::core::{ACTOR, Facts, Platform, full_name, gigabytes};
use crate::digest::{self, erased::Json};
use crate::hold::{Hold, failed};
use crate::run::Reconcile;

impl Reconcile for Dataset {
    async fn bring(platform: &Arc<Platform>, object: &Arc<Self>, status: &mut DatasetStatus) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

/// Everything the ingest depends on.
struct Inputs {
    suite: Option<ExpectationSuiteSpec>,
    references: HashMap<(String, String), HashSet<String>>,
    pending: Pending,
    digest: Digest,
}

async fn bring(platform: &Arc<Platform>, dataset: &Arc<Dataset>, status: &mut DatasetStatus) -> Result<Phase, Hold> {
    let name = full_name(&**dataset);
    let inputs = inputs(platform, dataset, &name).await?;
    if status.phase == Phase::Ready && is_there(platform, &name, status, &inputs).await? {
        return Ok(Phase::Ready);
    }
    let added = added_before(platform, &name, &inputs).await?;
    // A table that was removed begins again with version 0.
    let report = match added {
        Some(report) => report,
        None => {
            let report = ingest(platform, dataset, &name, inputs).await?;
            status.version = status.version.filter(|told| *told < report.version);
            report
        }
    };
    // A load that was killed before it was told of is told of with the next.
    let untold = platform.lake.reports_since(&name.namespace, &name.name, status.version);
    for untold in untold.map_err(failed(format!("the table of dataset {name}")))? {
        platform.record(facts(platform, &name, dataset, &untold)).await?;
        count_files(status, &untold, dataset.spec.source.load);
    }
    tell(status, &dataset.spec, &report);
    Ok(Phase::Ready)
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
    let suite = match &dataset.spec.suite {
        Some(suite) => Some(platform.need::<ExpectationSuite>(&name.namespace, suite).await?.spec),
        None => None,
    };
    let pending = pending(platform, dataset, name).await?;
    let (references, versions) = references(platform, name, suite.as_ref()).await?;
    let (spec, read) = (&dataset.spec, pending.digest.to_string());
    let how = how(&spec.source);
    let mut parts: Vec<&dyn Json> = vec![&read, &spec.schema, &suite, &versions, &spec.time_column];
    if let Some(how) = &how {
        parts.push(how);
    }
    let digest = digest::of(&parts);
    Ok(Inputs { suite, references, pending, digest })
}

/// How the source is read, where that is not how it always was: whole files of Parquet. Where they lie does not matter.
fn how(source: &DatasetSource) -> Option<DatasetSource> {
    let how = DatasetSource { path: String::new(), ..source.clone() };
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

fn whose<'a>(platform: &'a Platform, dataset: &'a Dataset, name: &'a NamespacedName) -> Whose<'a> {
    Whose {
        namespace: &name.namespace,
        name: &name.name,
        object: dataset.metadata.uid.as_deref().unwrap_or_default(),
        roots: &platform.sites.source_roots,
    }
}

/// A file that somebody is still writing is waited for.
fn held(what: String, error: IngestError) -> Hold {
    match error {
        IngestError::Source(SourceError::Unsteady { .. }) | IngestError::Overtaken { .. } => {
            Hold::waiting(format!("{what}: {error}"))
        }
        error => Hold::failed(what, &error),
    }
}

type References = (HashMap<(String, String), HashSet<String>>, BTreeMap<String, String>);

/// The values other datasets offer to `references` checks, and the digests they were ingested from.
async fn references(
    platform: &Platform,
    name: &NamespacedName,
    suite: Option<&ExpectationSuiteSpec>,
) -> Result<References, Hold> {
    let mut values = HashMap::new();
    let mut versions = BTreeMap::new();
    let checks = suite.into_iter().flat_map(|suite| &suite.expectations).filter_map(|e| e.check.references.as_ref());
    for check in checks {
        let other = ready(platform, &name.namespace, &check.dataset).await?;
        versions.insert(check.dataset.clone(), other.input_digest.clone());
        let _turn = platform.turn().await?;
        let found = platform
            .lake
            .values(&name.namespace, &check.dataset, &check.field)
            .await
            .map_err(failed(format!("reading {}.{} for a references check", check.dataset, check.field)))?;
        values.insert((check.dataset.clone(), check.field.clone()), found);
    }
    Ok((values, versions))
}

/// The status of a dataset that is ready, or a wait for it.
pub async fn ready(platform: &Platform, namespace: &str, name: &str) -> Result<DatasetStatus, Hold> {
    let status = platform.need::<Dataset>(namespace, name).await?.status.unwrap_or_default();
    match status.phase {
        Phase::Ready => Ok(status),
        _ => Err(Hold::waiting(format!("dataset {name} is not ready"))),
    }
}

async fn ingest(
    platform: &Arc<Platform>,
    dataset: &Arc<Dataset>,
    name: &NamespacedName,
    inputs: Inputs,
) -> Result<IngestReport, Hold> {
    let (platform_, dataset, name_) = (platform.clone(), dataset.clone(), name.clone());
    let runtime = tokio::runtime::Handle::current();
    platform
        .heavy(move || {
            let ingest = Ingest {
                whose: whose(&platform_, &dataset, &name_),
                spec: &dataset.spec,
                suite: inputs.suite.as_ref(),
                references: inputs.references,
                pending: inputs.pending,
                input_digest: inputs.digest,
                cancel: platform_.cancel.child_token(),
            };
            let report = runtime.block_on(platform_.lake.ingest(ingest));
            report.map_err(|error| held(format!("ingesting dataset {name_}"), error))
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
        .knows(&table, json!({ "rows": report.rows, "owner": dataset.spec.owner, "quarantined": report.quarantined }));
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

/// The lineage node of a version of a table.
pub fn table_node(name: &NamespacedName, version: Option<i64>) -> Node {
    Node::table(&name.namespace, &name.name, version.unwrap_or_default())
}

fn count_files(status: &mut DatasetStatus, report: &IngestReport, load: Load) {
    let before = if report.appended && load == Load::NewFiles { status.files } else { 0 };
    status.files = before + report.files.len() as u64;
}

fn tell(status: &mut DatasetStatus, spec: &DatasetSpec, report: &IngestReport) {
    status.rows_read = report.rows_read;
    status.rows = report.rows;
    status.quarantined = report.quarantined;
    status.bytes = report.bytes;
    status.version = Some(report.version);
    status.location = report.location.display().to_string();
    status.source_digest = report.source_digest.to_string();
    status.input_digest = report.input_digest.to_string();
    status.watermark = report.watermark.as_ref().map(|mark| shown(spec, mark)).unwrap_or_default();
    status.expectations.clone_from(&report.outcomes);
    // What was read from a source is as the source is.
    status.deidentified = false;
}

fn shown(spec: &DatasetSpec, mark: &Watermark) -> String {
    match spec.column(&mark.column).map(|column| column.type_) {
        Some(ColumnType::Timestamp) => Timestamp::from_micros(mark.value).to_string(),
        _ => mark.value.to_string(),
    }
}

//! Dataset: brings the source's rows into the lake, checked by the suite it names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use bedplate_kinds::{Column, Dataset, DatasetStatus, ExpectationSuite, ExpectationSuiteSpec, Phase};
use bedplate_ledger::UsageEvent;
use bedplate_lineage::{How, Node};
use bedplate_query::{Committed, Ingest, IngestReport};
use bedplate_types::{Digest, ErrorKind, NamespacedName, Problem};
use serde_json::json;

use crate::core::{ACTOR, Facts, Platform, full_name, gigabytes};
use crate::digest;
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
    source: PathBuf,
    source_bytes: u64,
    digest: Digest,
}

async fn bring(platform: &Arc<Platform>, dataset: &Arc<Dataset>, status: &mut DatasetStatus) -> Result<Phase, Hold> {
    let name = full_name(&**dataset);
    let inputs = inputs(platform, dataset, &name).await?;
    if status.phase == Phase::Ready && is_there(platform, &name, status, &inputs).await? {
        return Ok(Phase::Ready);
    }
    let (input_digest, read) = (inputs.digest, inputs.source_bytes);
    let report = ingest(platform, dataset, &name, inputs).await?;
    platform.record(facts(platform, &name, dataset, &report, (input_digest, read))).await?;
    tell(status, &report, input_digest);
    Ok(Phase::Ready)
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
    let (references, versions) = references(platform, name, suite.as_ref()).await?;
    let digest =
        digest::of(&[&source_digest.to_string(), &dataset.spec.schema, &suite, &versions, &dataset.spec.time_column]);
    Ok(Inputs { suite, references, source, source_bytes, digest })
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
                namespace: &name_.namespace,
                name: &name_.name,
                spec: &dataset.spec,
                suite: inputs.suite.as_ref(),
                references: inputs.references,
                source: &inputs.source,
                input_digest: inputs.digest,
                cancel: platform_.cancel.child_token(),
            };
            runtime.block_on(platform_.lake.ingest(ingest)).map_err(failed(format!("ingesting dataset {name_}")))
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
        .knows(&table, json!({ "rows": report.rows, "owner": dataset.spec.owner, "quarantined": report.quarantined }))
        .follows(&source, &table, ACTOR, now);
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

/// The lineage node of a version of a table.
pub fn table_node(name: &NamespacedName, version: Option<i64>) -> Node {
    Node::table(&name.namespace, &name.name, version.unwrap_or_default())
}

fn tell(status: &mut DatasetStatus, report: &IngestReport, input_digest: Digest) {
    status.rows_read = report.rows_read;
    status.rows = report.rows;
    status.quarantined = report.quarantined;
    status.bytes = report.bytes;
    status.version = Some(report.version);
    status.location = report.location.display().to_string();
    status.source_digest = report.source_digest.to_string();
    status.input_digest = input_digest.to_string();
    status.expectations.clone_from(&report.outcomes);
    // What was read from a source is as the source is.
    status.deidentified = false;
}

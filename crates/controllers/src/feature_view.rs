//! FeatureView: runs the view's query and brings its rows into the online store.

use std::sync::Arc;

use bedplate_features::{SourceRow, ViewDefinition};
use bedplate_kinds::{Entity, FeatureView, FeatureViewStatus, Phase};
use bedplate_lineage::Node;
use bedplate_offline::{Source, View};
use bedplate_query::{Frame, OutputColumn, TableRef};
use bedplate_types::{Digest, Micros, NamespacedName, Problem, Timestamp};
use serde_json::json;
use tokio::runtime::Handle;

use crate::core::{ACTOR, Facts, Platform, full_name};
use crate::hold::{Hold, failed};
use crate::run::Reconcile;
use crate::source_rows::{self, SourceRows, held};
use crate::{asked_rows, dataset, digest, lineage, parity};

impl Reconcile for FeatureView {
    const OF_OTHERS: &'static [&'static str] = &["rowsAsked", "parity", "freshness"];

    async fn bring(
        platform: &Arc<Platform>,
        object: &Arc<Self>,
        status: &mut FeatureViewStatus,
    ) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

async fn bring(platform: &Arc<Platform>, view: &FeatureView, status: &mut FeatureViewStatus) -> Result<Phase, Hold> {
    let name = full_name(view);
    let definition = definition(platform, view, &name).await?;
    let version = definition.version(&view.spec.source.sql);
    let tables = tables(platform, &name.namespace, &view.spec.source.datasets).await?;
    let marker = marker(view, &version, &tables);
    let told = status.phase == Phase::Ready && status.materialized == marker.to_string();
    let is_here = told && is_loaded(platform, &name, &version, marker).await?;
    if is_here {
        remember(platform, &name, definition.clone(), &version).await?;
    } else {
        materialize(platform, view, status, &definition, &tables, &version, marker).await?;
    }
    // A store that has just been filled anew has to be given again what was asked for before.
    let asked = if is_here { status.rows_wanted() } else { status.rows_asked.as_ref() };
    if let Some(asked) = asked.cloned() {
        let sql = view.spec.source.sql.clone();
        let source = View { definition, selected: Vec::new(), tables: tables.refs, sql, as_known_at: None };
        asked_rows::bring(platform, view, status, source, &version, &asked).await?;
    }
    parity::stand(&name, status);
    Ok(Phase::Ready)
}

/// What is materialised: the version of the view, and what its tables hold.
pub fn marker(view: &FeatureView, version: &Digest, tables: &Tables) -> Digest {
    digest::of(&[&version.to_string(), &tables.inputs, &view.spec.materialize_until])
}

/// Brings the rows that the view brings without being asked.
async fn materialize(
    platform: &Arc<Platform>,
    view: &FeatureView,
    status: &mut FeatureViewStatus,
    definition: &ViewDefinition,
    tables: &Tables,
    version: &Digest,
    marker: Digest,
) -> Result<(), Hold> {
    let name = full_name(view);
    let columns = columns(platform, &tables.refs, &view.spec.source.sql, &name).await?;
    let (rows, took) = load(platform, view, definition, tables, version, marker).await?;
    let mut facts = facts(platform, &name, tables, version, rows);
    lineage::of_view(&mut facts, (&name, version), definition, &columns, &tables.refs, platform.now());
    platform.record(facts.worked("materialize", &name, &view.spec.owner, took, platform.now())).await?;
    status.version = version.to_string();
    status.online_rows = rows;
    status.materialized = marker.to_string();
    Ok(())
}

/// Whether the rows are in the online store that is read here.
async fn is_loaded(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    version: &Digest,
    marker: Digest,
) -> Result<bool, Hold> {
    let (online, id, of) = (platform.online.clone(), online_id(name, version), held(format!("feature view {name}")));
    platform.heavy(move || online.is_loaded(&id, &marker.to_string()).map_err(of)).await
}

/// What is read from memory is there again after a restart.
async fn remember(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    definition: ViewDefinition,
    version: &Digest,
) -> Result<(), Hold> {
    let (online, id) = (platform.online.clone(), online_id(name, version));
    let of = held(format!("feature view {name}"));
    platform.heavy(move || online.remember(&definition, &id).map_err(of)).await
}

/// The view's definition, with its entity's join keys.
pub async fn definition(
    platform: &Platform,
    view: &FeatureView,
    name: &NamespacedName,
) -> Result<ViewDefinition, Hold> {
    let entity = platform.need::<Entity>(&name.namespace, &view.spec.entity).await?;
    ViewDefinition::new(&name.name, &view.spec, &entity.spec).map_err(failed(format!("feature view {name}")))
}

/// The tables a query reads, and what they were ingested from.
pub struct Tables {
    pub refs: Vec<TableRef>,
    /// Name and what its rows are made of, in the order named.
    pub inputs: Vec<(String, String)>,
}

/// The named datasets once all of them are ready.
pub async fn tables(platform: &Platform, namespace: &str, datasets: &[String]) -> Result<Tables, Hold> {
    let mut tables = Tables { refs: Vec::new(), inputs: Vec::new() };
    for name in datasets {
        let status = dataset::ready(platform, namespace, name).await?;
        tables.inputs.push((name.clone(), dataset::content(&status)));
        tables.refs.push(TableRef {
            alias: name.clone(),
            namespace: namespace.to_owned(),
            name: name.clone(),
            version: status.version,
        });
    }
    Ok(tables)
}

/// The view with the tables it is read from, of which all features are wanted.
pub fn source(view: &FeatureView, definition: ViewDefinition, tables: Vec<TableRef>) -> View {
    let selected = (0..definition.features.len()).collect();
    View { definition, selected, tables, sql: view.spec.source.sql.clone(), as_known_at: None }
}

/// What the columns of a view's source are made of, for who asks.
///
/// # Errors
/// When its query cannot be planned any more.
pub async fn source_columns(platform: &Platform, view: &View) -> Result<Vec<OutputColumn>, Problem> {
    let columns = platform.lake.columns(&view.tables, &view.sql).await;
    columns.map_err(|error| Problem::of(format!("the query of feature view {}", view.definition.name), &error))
}

/// The query's rows.
pub async fn query(
    platform: &Arc<Platform>,
    tables: Vec<TableRef>,
    sql: &str,
    name: &NamespacedName,
) -> Result<Frame, Hold> {
    let (lake, sql, name) = (platform.lake.clone(), sql.to_owned(), name.clone());
    let runtime = tokio::runtime::Handle::current();
    platform
        .heavy(move || runtime.block_on(lake.sql(&tables, &sql)).map_err(failed(format!("the query of {name}"))))
        .await
}

/// What the columns of the query's answer are made of.
pub async fn columns(
    platform: &Arc<Platform>,
    tables: &[TableRef],
    sql: &str,
    name: &NamespacedName,
) -> Result<Vec<OutputColumn>, Hold> {
    platform.lake.columns(tables, sql).await.map_err(failed(format!("the query of {name}")))
}

/// Brings the view's rows into the online store as its query gives them.
async fn load(
    platform: &Arc<Platform>,
    view: &FeatureView,
    definition: &ViewDefinition,
    tables: &Tables,
    version: &Digest,
    marker: Digest,
) -> Result<(u64, Option<Micros>), Hold> {
    let (id, name) = (online_id(&full_name(view), version), full_name(view));
    let until = view.spec.materialize_until;
    let sql = view.spec.source.sql.clone();
    let definition = definition.clone();
    let source = View {
        definition: definition.clone(),
        selected: Vec::new(),
        tables: tables.refs.clone(),
        sql,
        as_known_at: None,
    };
    let (here, runtime) = (platform.clone(), Handle::current());
    platform
        .measured(move || {
            let of = || format!("materialising feature view {name}");
            let source = runtime.block_on(Source::open(&here.lake, source)).map_err(failed(of()))?;
            let mut loaded = 0;
            let rows =
                SourceRows::new(source, runtime).filter(|row| row.as_ref().map_or(true, |row| known_by(row, until)));
            let rows = rows.inspect(|_| loaded += 1);
            source_rows::load(&here.online, &id, &definition, rows, of())?;
            here.online.mark_loaded(&id, &marker.to_string()).map_err(held(of()))?;
            Ok(loaded)
        })
        .await
}

fn known_by(row: &SourceRow, until: Option<Timestamp>) -> bool {
    until.is_none_or(|until| row.time <= until.micros())
}

/// Where a version of a view keeps its rows.
pub fn online_id(name: &NamespacedName, version: &Digest) -> String {
    format!("{name}@{}", version.short())
}

/// The lineage node of a version of a view.
pub fn view_node(name: &NamespacedName, version: &str) -> Node {
    Node::view(&name.namespace, &name.name, version)
}

fn facts(platform: &Platform, name: &NamespacedName, tables: &Tables, version: &Digest, rows: u64) -> Facts {
    let now = platform.now();
    let node = view_node(name, &version.to_string());
    let facts = Facts::default()
        .did(now, "materialize", format!("featureviews/{name}"), json!({ "version": version, "rows": rows }))
        .knows(&node, json!({ "rows": rows }))
        .leads("view", name, &node);
    tables.refs.iter().fold(facts, |facts, table| {
        let table = dataset::table_node(&NamespacedName::new(&table.namespace, &table.name), table.version);
        facts.follows(&table, &node, ACTOR, now)
    })
}

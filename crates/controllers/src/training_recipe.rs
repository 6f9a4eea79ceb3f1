//! TrainingRecipe: training set, training run, gates, registration, in that order, each once for the same inputs.

use std::sync::Arc;

use arrow::array::RecordBatch;
use bedplate_delivery::gates::{Evidence, decide};
use bedplate_kinds::{
    DataTags, Dataset, FeatureService, Phase, Task, Train, TrainingRecipe, TrainingRecipeStatus, Workload, WorkloadSpec,
};
use bedplate_ledger::UsageEvent;
use bedplate_lineage::Node;
use bedplate_offline::View;
use bedplate_query::TableRef;
use bedplate_types::{Digest, ErrorKind, NamespacedName, Problem};
use kube::api::{ObjectMeta, PostParams};
use kube::{Resource, ResourceExt};
use serde_json::json;

use crate::core::{ACTOR, Facts, Platform, full_name, gigabytes};
use crate::feature_view::{self, Tables};
use crate::hold::{Hold, failed};
use crate::jobs::TrainResult;
use crate::run::Reconcile;
use crate::snapshot::Snapshot;
use crate::training_set::{self, TrainingSet};
use crate::{data_use, dataset, digest, feature_service, lineage, registration};

impl Reconcile for TrainingRecipe {
    async fn bring(
        platform: &Arc<Platform>,
        object: &Arc<Self>,
        status: &mut TrainingRecipeStatus,
    ) -> Result<Phase, Hold> {
        bring(platform, object, status).await
    }
}

async fn bring(
    platform: &Arc<Platform>,
    recipe: &Arc<TrainingRecipe>,
    status: &mut TrainingRecipeStatus,
) -> Result<Phase, Hold> {
    let name = full_name(&**recipe);
    refuse_outcome_columns(platform, recipe, &name).await?;
    let service = ready_service(platform, &name.namespace, &recipe.spec.feature_service).await?;
    let tags = data_use::may_train(platform, recipe, &service, &name).await?;
    let tables = feature_view::tables(platform, &name.namespace, &recipe.spec.label.datasets).await?;
    let inputs = inputs(recipe, &service, &tables);
    if status.input_digest != inputs.to_string() {
        *status = TrainingRecipeStatus { conditions: status.conditions.clone(), ..Default::default() };
        assemble(platform, recipe, &service, &tables, tags, status).await?;
        status.input_digest = inputs.to_string();
        platform.write_status(&**recipe, status).await?;
    }
    if status.model_version.is_some() {
        return Ok(Phase::Ready);
    }
    let workload = run(platform, recipe, &name, status, &inputs).await?;
    gate_and_register(platform, recipe, &name, status, &workload).await
}

fn inputs(recipe: &TrainingRecipe, service: &FeatureService, tables: &Tables) -> Digest {
    let spec = &recipe.spec;
    let versions = service.status.as_ref().map(|status| &status.view_versions);
    let mut all: Vec<&dyn digest::erased::Json> = vec![
        &spec.label,
        &spec.split,
        &spec.algorithm,
        &spec.model,
        &spec.gates,
        &service.spec,
        &versions,
        &tables.inputs,
    ];
    // Only where there is one: recipes from before there were purposes, or cutoffs, are not trained anew.
    all.extend(spec.purpose.iter().map(|purpose| purpose as &dyn digest::erased::Json));
    let as_known_at = spec.as_known_at.map(|moment| ("asKnownAt", moment));
    all.extend(as_known_at.iter().map(|moment| moment as &dyn digest::erased::Json));
    digest::of(&all)
}

async fn ready_service(platform: &Platform, namespace: &str, name: &str) -> Result<FeatureService, Hold> {
    let service = platform.need::<FeatureService>(namespace, name).await?;
    match service.status.as_ref().map(|status| status.phase) {
        Some(Phase::Ready) => Ok(service),
        _ => {
            let conditions = service.status.iter().flat_map(|status| &status.conditions);
            Err(feature_service::not_ready("feature service", name, conditions))
        }
    }
}

/// A column that is known only after the event must not be a feature of that same event.
async fn refuse_outcome_columns(
    platform: &Platform,
    recipe: &TrainingRecipe,
    name: &NamespacedName,
) -> Result<(), Hold> {
    let service = platform.need::<FeatureService>(&name.namespace, &recipe.spec.feature_service).await?;
    for table in &recipe.spec.label.datasets {
        let dataset = platform.need::<Dataset>(&name.namespace, table).await?;
        for feature in &service.spec.request_features {
            if dataset.spec.column(&feature.column).is_some_and(|column| column.outcome) {
                return Err(leak(name, &feature.name, &feature.column, table));
            }
        }
    }
    Ok(())
}

fn leak(name: &NamespacedName, feature: &str, column: &str, table: &str) -> Hold {
    let what = format!("training recipe {name}: feature {feature}");
    let why = format!("is made from {table}.{column}, an outcome: it is known only after the event it would predict");
    let fix = format!("remove {feature} from the feature service, or feed it through a feature view by its known time");
    Hold::Failed(Problem::new(ErrorKind::Refused, what, why).with_fix(fix))
}

async fn assemble(
    platform: &Arc<Platform>,
    recipe: &Arc<TrainingRecipe>,
    service: &FeatureService,
    tables: &Tables,
    tags: Option<DataTags>,
    status: &mut TrainingRecipeStatus,
) -> Result<(), Hold> {
    let name = full_name(&**recipe);
    let columns = feature_view::columns(platform, &tables.refs, &recipe.spec.label.sql, &name).await?;
    let labels = feature_view::query(platform, tables.refs.clone(), &recipe.spec.label.sql, &name).await?;
    let views = views(platform, service, recipe, &name).await?;
    let keys = lineage::keys(&views);
    let read: Vec<TableRef> = tables.refs.iter().chain(views.iter().flat_map(|view| &view.tables)).cloned().collect();
    let runtime = tokio::runtime::Handle::current();
    let (here, recipe_, service_) = (platform.clone(), recipe.clone(), service.clone());
    let ((set, snapshot, bytes), took) = platform
        .measured(move || {
            let recipe = recipe_;
            let join = |spine: &RecordBatch| {
                let join = bedplate_offline::join(&here.lake, spine, &recipe.spec.label.timestamp_column, &views);
                runtime.block_on(join).map_err(failed("the training set"))
            };
            let set = training_set::assemble(&recipe.spec, &service_.spec.request_features, &labels, join)?;
            let batches = std::slice::from_ref(&set.batch);
            let rows = bedplate_query::snapshot::write_snapshot(&here.objects, batches)
                .map_err(failed("pinning the training set"))?;
            let bytes = std::fs::metadata(here.objects.path(&rows)).map(|file| file.len()).unwrap_or_default();
            let snapshot = Snapshot::new(rows, &set, &views, &service_, &recipe.spec, tags).pin(&here)?;
            Ok((set, snapshot, bytes))
        })
        .await?;
    status.training_set = snapshot.to_string();
    status.training_set_rows = set.batch.num_rows() as u64;
    status.label_rows_dropped = set.label_rows.abs_diff(set.batch.num_rows()) as u64;
    let mut facts = set_facts(platform, &name, &snapshot, &set, service, &read);
    let made = lineage::Made {
        name: &name,
        snapshot: &snapshot,
        features: &set.features,
        columns: &columns,
        tables: &tables.refs,
        keys: &keys,
    };
    lineage::of_training_set(&mut facts, &made, service, &recipe.spec, platform.now());
    let team = &recipe.spec.owner;
    let facts = facts.worked("assemble", &name, team, took, platform.now());
    platform.record(facts.used(stored(platform, &name, team, &snapshot, bytes))).await
}

fn stored(platform: &Platform, name: &NamespacedName, team: &str, snapshot: &Digest, bytes: u64) -> UsageEvent {
    UsageEvent {
        id: format!("stored:recipe:{name}:{snapshot}"),
        at: platform.now(),
        namespace: name.namespace.clone(),
        team: team.to_owned(),
        subject: format!("recipe:{name}"),
        resource: "stored_gigabytes".into(),
        amount_micro: gigabytes(bytes),
    }
}

async fn views(
    platform: &Arc<Platform>,
    service: &FeatureService,
    recipe: &TrainingRecipe,
    name: &NamespacedName,
) -> Result<Vec<View>, Hold> {
    let mut views = Vec::new();
    for selection in &service.spec.views {
        let view = feature_service::ready(platform, &name.namespace, &selection.view).await?;
        let view_name = full_name(&view);
        let definition = feature_view::definition(platform, &view, &view_name).await?;
        let tables = feature_view::tables(platform, &name.namespace, &view.spec.source.datasets).await?;
        let selected = feature_service::selected(&view, selection)?;
        let (sql, as_known_at) = (view.spec.source.sql.clone(), recipe.spec.as_known_at);
        views.push(View { definition, selected, tables: tables.refs, sql, as_known_at });
    }
    Ok(views)
}

fn set_facts(
    platform: &Platform,
    name: &NamespacedName,
    snapshot: &Digest,
    set: &TrainingSet,
    service: &FeatureService,
    read: &[TableRef],
) -> Facts {
    let now = platform.now();
    let node = Node::Snapshot(*snapshot);
    let rows = set.batch.num_rows();
    let mut facts = Facts::default()
        .did(now, "pin", format!("trainingrecipes/{name}"), json!({ "trainingSet": snapshot, "rows": rows }))
        .knows(&node, json!({ "rows": rows, "features": set.features, "recipe": name.to_string() }))
        .follows(&node, &Node::recipe(&name.namespace, &name.name), ACTOR, now)
        .leads("recipe", name, &node);
    for (view, version) in service.status.iter().flat_map(|status| &status.view_versions) {
        let view = feature_view::view_node(&NamespacedName::new(&name.namespace, view), version);
        facts = facts.follows(&view, &node, ACTOR, now);
    }
    // These versions are kept as long as the training set is known of.
    for table in read {
        let table = dataset::table_node(&NamespacedName::new(&table.namespace, &table.name), table.version);
        facts = facts.follows(&table, &node, ACTOR, now);
    }
    facts
}

/// The finished training run of these inputs; starts it when there is none.
async fn run(
    platform: &Platform,
    recipe: &TrainingRecipe,
    name: &NamespacedName,
    status: &mut TrainingRecipeStatus,
    inputs: &Digest,
) -> Result<Workload, Hold> {
    let workload_name = format!("{}-{}", name.name, &inputs.short()[..8]);
    status.workload.clone_from(&workload_name);
    let api = platform.api::<Workload>(&name.namespace);
    let Some(workload) = api.get_opt(&workload_name).await? else {
        let workload = training_workload(recipe, workload_name, status.training_set.clone());
        match api.create(&PostParams::default(), &workload).await {
            Err(kube::Error::Api(error)) if error.code == 409 => {}
            other => drop(other?),
        }
        return Err(Hold::waiting("the training run has been started"));
    };
    match workload.status.as_ref().map(|status| status.phase).unwrap_or_default() {
        Phase::Succeeded => Ok(workload),
        Phase::Failed => Err(run_failed(name, &workload)),
        _ => Err(Hold::waiting(format!("training run {workload_name} is under way"))),
    }
}

fn training_workload(recipe: &TrainingRecipe, name: String, training_set: String) -> Workload {
    let train = Train { recipe: recipe.name_any(), training_set };
    let task = Task { train: Some(train), replay: None };
    let mut workload = Workload::new(&name, WorkloadSpec { task, resources: recipe.spec.resources.clone() });
    workload.metadata = ObjectMeta {
        owner_references: recipe.controller_owner_ref(&()).map(|owner| vec![owner]),
        namespace: recipe.namespace(),
        ..workload.metadata
    };
    workload
}

fn run_failed(name: &NamespacedName, workload: &Workload) -> Hold {
    let run = workload.name_any();
    let conditions = workload.status.iter().flat_map(|status| &status.conditions);
    let why = conditions.map(|condition| condition.message.as_str()).next_back().unwrap_or("no reason was recorded");
    let fix = format!(
        "bedplate logs {run} -n {}; correct what it says, then bedplate delete workload {run} -n {0}",
        name.namespace
    );
    Hold::Failed(Problem::new(ErrorKind::Refused, format!("training run {run}"), why).with_fix(fix))
}

async fn gate_and_register(
    platform: &Arc<Platform>,
    recipe: &TrainingRecipe,
    name: &NamespacedName,
    status: &mut TrainingRecipeStatus,
    workload: &Workload,
) -> Result<Phase, Hold> {
    let run = workload.status.clone().unwrap_or_default();
    let outputs: serde_json::Map<_, _> = run.outputs.clone().into_iter().collect();
    let result: TrainResult = serde_json::from_value(outputs.into()).map_err(|error| {
        Hold::Failed(Problem::new(ErrorKind::Internal, "the training run's result", error.to_string()))
    })?;
    let evidence = Evidence { metrics: result.metrics.clone(), single_feature_auc: result.single_feature_auc.clone() };
    status.metrics.clone_from(&result.metrics);
    status.gates = decide(&recipe.spec.gates, &evidence);
    let refused: Vec<_> = status.gates.iter().filter(|gate| !gate.passed).collect();
    if !refused.is_empty() {
        let why: Vec<_> = refused.iter().map(|gate| format!("gate {}: {}", gate.name, gate.detail)).collect();
        let fix = "change the features or the recipe and apply it again; nothing was registered";
        let what = format!("the model trained by recipe {name}");
        return Err(Hold::Failed(Problem::new(ErrorKind::Refused, what, why.join("; ")).with_fix(fix)));
    }
    let version = registration::register(platform, recipe, name, status, &run.run_id).await?;
    status.model_version = Some(version);
    Ok(Phase::Ready)
}

//! Which objects are put somewhere, what they need, and what they read.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_fabric::{Data, Demand, Workload};
use bedplate_kinds::{
    DatasetSpec, EndpointSpec, FeatureServiceSpec, FeatureViewSpec, TrainingRecipeSpec, WorkloadSpec,
};
use serde::Deserialize;
use serde_json::Value;

use crate::world::{Name, World, shown};

/// The object as something to be placed; `None` for a kind that is nowhere, and for a workload that ended. `replicas` takes
/// the place of what an endpoint declares.
pub fn workload(world: &World, name: &Name, object: &Value, replicas: Option<u32>) -> Option<Workload> {
    let (kind, namespace) = (name.0.as_str(), name.1.as_str());
    let mut placed = Workload { name: shown(name), ..Workload::default() };
    match kind {
        "Dataset" => {
            let spec: DatasetSpec = spec(object)?;
            placed.demand = Demand::of_data(bytes(object));
            placed.only = spec.tags.get("site").cloned();
            placed.residency = residency(&spec);
        }
        "Endpoint" => {
            let spec: EndpointSpec = spec(object)?;
            let capacity = spec.capacity.as_ref();
            placed.demand = Demand::of_endpoint(capacity, replicas);
            placed.labels = capacity.map(|capacity| capacity.site_selector.clone()).unwrap_or_default();
            // It reads features by key, not the tables; but it answers from what was learnt of them.
            placed.residency = residencies(world, namespace, &learnt_from(world, namespace, &spec.model));
        }
        "TrainingRecipe" => {
            let spec: TrainingRecipeSpec = spec(object)?;
            run(&mut placed, world, namespace, &spec.resources, read_by(world, namespace, &spec));
        }
        "Workload" if !ended(object) => {
            let spec: WorkloadSpec = spec(object)?;
            let recipe = spec.task.train.as_ref().map(|train| &train.recipe);
            let recipe = recipe.or(spec.task.replay.as_ref().map(|replay| &replay.recipe));
            let recipe = recipe.and_then(|recipe| self::spec(world.get("TrainingRecipe", namespace, recipe)?));
            let reads = recipe.map(|recipe| read_by(world, namespace, &recipe)).unwrap_or_default();
            run(&mut placed, world, namespace, &spec.resources, reads);
        }
        _ => return None,
    }
    Some(placed)
}

fn run(
    placed: &mut Workload,
    world: &World,
    namespace: &str,
    resources: &bedplate_kinds::Resources,
    reads: BTreeSet<String>,
) {
    placed.demand = Demand::of_run(resources);
    placed.labels.clone_from(&resources.site_selector);
    placed.residency = residencies(world, namespace, &reads);
    placed.reads = reads.iter().map(|name| format!("{namespace}/{name}")).collect();
}

fn ended(object: &Value) -> bool {
    matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

fn spec<S: for<'a> Deserialize<'a>>(object: &Value) -> Option<S> {
    S::deserialize(&object["spec"]).ok()
}

fn bytes(object: &Value) -> u64 {
    object["status"]["bytes"].as_u64().unwrap_or_default()
}

/// The tag `residency`: one jurisdiction, or several with commas between them.
fn residency(spec: &DatasetSpec) -> BTreeSet<String> {
    let said = spec.tags.get("residency").map(String::as_str).unwrap_or_default();
    said.split(',').map(str::trim).filter(|place| !place.is_empty()).map(str::to_owned).collect()
}

fn residencies(world: &World, namespace: &str, datasets: &BTreeSet<String>) -> BTreeSet<String> {
    let of = |name: &String| spec(world.get("Dataset", namespace, name)?).map(|spec: DatasetSpec| residency(&spec));
    datasets.iter().filter_map(of).flatten().collect()
}

/// The datasets of a recipe's labels and features.
fn read_by(world: &World, namespace: &str, recipe: &TrainingRecipeSpec) -> BTreeSet<String> {
    let mut datasets: BTreeSet<String> = recipe.label.datasets.iter().cloned().collect();
    let service = world.get("FeatureService", namespace, &recipe.feature_service);
    let service: Option<FeatureServiceSpec> = service.and_then(spec);
    for chosen in service.iter().flat_map(|service| &service.views) {
        let view: Option<FeatureViewSpec> = world.get("FeatureView", namespace, &chosen.view).and_then(spec);
        datasets.extend(view.into_iter().flat_map(|view| view.source.datasets));
    }
    datasets
}

fn learnt_from(world: &World, namespace: &str, model: &str) -> BTreeSet<String> {
    let here = world.all("TrainingRecipe").filter(|((_, of, _), _)| of == namespace);
    let recipes = here.filter_map(|(_, object)| spec::<TrainingRecipeSpec>(object));
    recipes.filter(|recipe| recipe.model == model).flat_map(|recipe| read_by(world, namespace, &recipe)).collect()
}

/// Every dataset's rows and where they lie: where its tag `site` says, else at `home`.
pub fn data(world: &World, home: &str) -> Vec<Data> {
    let one = |((_, namespace, name), object): (&Name, &Value)| {
        let tags: BTreeMap<String, String> = spec::<DatasetSpec>(object).map(|spec| spec.tags).unwrap_or_default();
        let site = tags.get("site").cloned().unwrap_or_else(|| home.to_owned());
        Data { name: format!("{namespace}/{name}"), bytes: bytes(object), site }
    };
    world.all("Dataset").map(one).collect()
}

//! Tests of manifests: what a plan of them would say, to whom, with a site gone or a load on. They run against an API server
//! of their own, on a database that is thrown away: no platform is needed and none is touched.
//!
//! A suite is a file `*.test.yaml` beside the manifests ([`Suite`]). [`run`] gives an [`Outcome`] for each of its tests.

mod expect;
mod house;
mod suite;

use std::path::Path;
use std::sync::Arc;

use bedplate_kinds::EndpointCapacity;
use bedplate_kinds::registry::MoreRules;
use bedplate_types::Clock;
use serde::{Deserialize, Serialize};

use crate::document::Plan;
use crate::error::PlanError;
use crate::planner::{Asked, Manifest, Scenario};
use house::House;
pub use suite::{As, Case, CostBound, Counts, Expect, Load, PathIs, PlacedOn, Suite};

/// How one test went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub suite: String,
    pub test: String,
    pub passed: bool,
    /// What is not as it was to be, one sentence each.
    pub failures: Vec<String>,
    /// What the simulation came to: where things would go, how many replicas, what it costs.
    pub told: Vec<String>,
}

/// Runs every test of a suite over `manifests`, which must meet `more_rules` too. `scratch` is an empty folder, which may be deleted
/// afterwards.
///
/// # Errors
/// When the server cannot be opened, or what the suite says is given cannot be stored.
pub async fn run(
    suite: &Suite,
    manifests: &[Manifest],
    given: &[Manifest],
    scratch: &Path,
    clock: Arc<dyn Clock>,
    more_rules: Option<MoreRules>,
) -> Result<Vec<Outcome>, PlanError> {
    let house = House::open(suite, given, scratch, clock, more_rules).await?;
    let mut outcomes = Vec::with_capacity(suite.tests.len());
    for case in &suite.tests {
        outcomes.push(one(&house, suite, manifests, case).await?);
    }
    Ok(outcomes)
}

async fn one(house: &House, suite: &Suite, manifests: &[Manifest], case: &Case) -> Result<Outcome, PlanError> {
    let mut scenario = Scenario {
        down: case.fail.iter().cloned().collect(),
        spent: Some(suite.spent.iter().map(|(namespace, amount)| (namespace.clone(), amount.0)).collect()),
        ..Scenario::default()
    };
    let mut failures = Vec::new();
    let mut told = Vec::new();
    for load in &case.load {
        match replicas(load, manifests, &suite.namespace) {
            Ok((name, replicas)) => {
                told.push(format!(
                    "{} requests a second on {} are {replicas} replicas",
                    load.requests_per_second, load.endpoint
                ));
                scenario.replicas.insert(name, replicas);
            }
            Err(why) => failures.push(why),
        }
    }
    let asked = Asked { manifests: manifests.to_vec(), namespace: suite.namespace.clone(), prune: None };
    let who = case.r#as.as_ref().unwrap_or(&suite.r#as).principal();
    match house.planner.plan(&who, &asked, &scenario).await {
        Ok(plan) => {
            failures.extend(expect::failures(&case.expect, &plan, manifests, &scenario));
            if !case.fail.is_empty() || !case.load.is_empty() {
                told.extend(placements(&plan));
            }
        }
        Err(error) => match &case.expect.error {
            Some(expected) if error.to_string().contains(expected.as_str()) => {}
            Some(expected) => failures.push(format!("the plan failed with {error}, not with {expected:?}")),
            None => failures.push(format!("it cannot be planned: {error}")),
        },
    }
    let (suite, test) = (suite.name.clone(), case.name.clone());
    Ok(Outcome { suite, test, passed: failures.is_empty(), failures, told })
}

/// How many replicas the load needs of an endpoint that says how much one answers.
fn replicas(load: &Load, manifests: &[Manifest], namespace: &str) -> Result<(crate::world::Name, u32), String> {
    let (within, name) = load.endpoint.split_once('/').unwrap_or((namespace, &load.endpoint));
    let declared = manifests.iter().find(|manifest| {
        let of = manifest.object["metadata"]["namespace"].as_str().unwrap_or(namespace);
        manifest.object["kind"] == "Endpoint" && of == within && manifest.object["metadata"]["name"] == name
    });
    let declared = declared.ok_or_else(|| format!("no manifest declares the endpoint {}", load.endpoint))?;
    let capacity = EndpointCapacity::deserialize(&declared.object["spec"]["capacity"]).unwrap_or_default();
    let each = capacity.requests_per_second.ok_or_else(|| {
        format!(
            "the endpoint {} does not say what one replica answers: set spec.capacity.requestsPerSecond",
            load.endpoint
        )
    })?;
    let replicas = bedplate_fabric::replicas(load.requests_per_second, each);
    let replicas = replicas.ok_or_else(|| format!("a replica of {} answers nothing", load.endpoint))?;
    Ok((("Endpoint".to_owned(), within.to_owned(), name.to_owned()), replicas))
}

/// Where each thing would go, and what would not fit and why.
fn placements(plan: &Plan) -> Vec<String> {
    let placed = plan.steps.iter().filter_map(|step| Some((step, step.placement.as_ref()?)));
    placed
        .map(|(step, placement)| match &placement.site {
            Some(site) => {
                let cost = step.cost.as_ref().map(|cost| format!(", {} {} a month", cost.monthly, plan.currency));
                format!("{} on {site}{}", step.object(), cost.unwrap_or_default())
            }
            None => {
                let why: Vec<String> =
                    placement.sites.iter().map(|site| format!("{}: {}", site.site, site.why.join(", "))).collect();
                format!("{} does not fit: {}", step.object(), why.join("; "))
            }
        })
        .collect()
}

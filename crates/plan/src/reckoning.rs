//! Where things go and what they cost, before and after a plan.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_fabric::{Cost as Priced, Lifetime, Prices, Site, Workload, cost_of, place_all};
use bedplate_govern::forecast;
use bedplate_kinds::{BudgetSpec, Enforcement, SiteCapacity, SiteSpec, SiteState};
use bedplate_types::{Money, Timestamp};
use serde::Deserialize;

use crate::document::{Action, Budget, Cost, Placement, Plan, Price, SiteVerdict, Step};
use crate::error::PlanError;
use crate::governor::SYSTEM;
use crate::placeable::{data, workload};
use crate::planner::{Scenario, Spent};
use crate::world::{Name, World};

/// The one site where none is declared.
pub const LOCAL: &str = "local";

/// With what is reckoned.
pub struct Reckoning<'a> {
    pub prices: Prices,
    pub machine: &'a SiteCapacity,
    pub scenario: &'a Scenario,
    pub now: Timestamp,
}

/// One thing, where it goes and what it costs there.
struct Reckoned {
    name: Name,
    workload: Workload,
    placement: bedplate_fabric::Placement,
    cost: Priced,
}

impl Reckoning<'_> {
    /// Says of every step of the plan where it goes and what it costs. What stands already has its room first.
    pub fn place(&self, before: &World, after: &World, plan: &mut Plan) {
        let planned: BTreeSet<Name> = plan.steps.iter().map(name_of_step).collect();
        let declared = before.all("Site").chain(after.all("Site")).next().is_some();
        for one in self.reckon(after, &planned) {
            let step = plan.steps.iter_mut().find(|step| name_of_step(step) == one.name);
            // Of what somebody may not look at not even its size is told.
            let told = |step: &&mut Step| !matches!(step.action, Action::Delete | Action::Unknown);
            let Some(step) = step.filter(told) else { continue };
            step.placement = Some(placement(&one.placement));
            step.cost = Some(cost(&one));
            if one.placement.site.is_none() && step.action.changes() {
                let why = format!("it fits nowhere: {}", nowhere(&one.placement));
                // The machine's own size is a guess at what will run there; a declared site is somebody's word.
                if declared { step.refusals.push(why) } else { step.notes.push(why) }
            }
            let price = |money: Money, sum: &mut Price| sum.0 += money;
            match one.workload.demand.lifetime {
                Lifetime::Run { .. } if step.action.changes() => price(one.cost.monthly, &mut plan.summary.once),
                Lifetime::Run { .. } => {}
                Lifetime::Standing => {
                    price(one.cost.hourly, &mut plan.summary.hourly);
                    price(one.cost.monthly, &mut plan.summary.monthly);
                }
            }
        }
    }

    /// Everything that can be placed, the planned last.
    fn reckon(&self, world: &World, planned: &BTreeSet<Name>) -> Vec<Reckoned> {
        let mut things: Vec<(Name, Workload)> = Vec::new();
        for kind in ["Dataset", "Endpoint", "Workload", "TrainingRecipe"] {
            for (name, object) in world.all(kind) {
                let replicas = self.scenario.replicas.get(name).copied();
                things.extend(workload(world, name, object, replicas).map(|workload| (name.clone(), workload)));
            }
        }
        things.sort_by_key(|(name, _)| planned.contains(name));
        let sites = self.sites(world);
        let home = if let [only] = sites.as_slice() { only.name.clone() } else { String::new() };
        let prices = &self.prices;
        let workloads: Vec<Workload> = things.iter().map(|(_, workload)| workload.clone()).collect();
        let placements = place_all(&workloads, sites, &data(world, &home), prices, self.now);
        let whole = things.into_iter().zip(placements);
        whole
            .map(|((name, workload), placement)| {
                let there =
                    placement.chosen().and_then(|verdict| verdict.score.as_ref()).map(|score| score.cost.clone());
                let cost = there.unwrap_or_else(|| cost_of(&workload.demand, prices, &BTreeMap::new()));
                Reckoned { name, workload, placement, cost }
            })
            .collect()
    }

    /// The declared sites, those of the scenario down; without any the platform's own machine.
    fn sites(&self, world: &World) -> Vec<Site> {
        let here = world.all("Site").filter(|((_, namespace, _), _)| namespace == SYSTEM);
        let declared = here.filter_map(|((_, _, name), object)| {
            let labels = BTreeMap::deserialize(&object["metadata"]["labels"]).unwrap_or_default();
            Some(Site::new(name.clone(), labels, SiteSpec::deserialize(&object["spec"]).ok()?))
        });
        let mut sites: Vec<Site> = declared.collect();
        if sites.is_empty() {
            sites.push(local(self.machine.clone()));
        }
        for site in sites.iter_mut().filter(|site| self.scenario.down.contains(&site.name)) {
            site.spec.state = SiteState::Down;
        }
        sites
    }

    /// Holds every budget of a namespace that the plan changes against how the month would end with and without it.
    pub fn budgets(&self, spent: &Spent, before: &World, after: &World, plan: &mut Plan) -> Result<(), PlanError> {
        let changed = plan.steps.iter().filter(|step| step.action.changes() && step.policy.allowed);
        let namespaces: BTreeSet<String> = changed.filter_map(|step| step.namespace.clone()).collect();
        let here = after.all("Budget").filter(|((_, namespace, _), _)| namespace == SYSTEM);
        let budgets: Vec<(String, BudgetSpec)> = here
            .filter_map(|((_, _, name), object)| Some((name.clone(), BudgetSpec::deserialize(&object["spec"]).ok()?)))
            .filter(|(_, spec)| namespaces.contains(&spec.namespace))
            .collect();
        if budgets.is_empty() {
            return Ok(());
        }
        let (with, without) = (self.reckon(after, &BTreeSet::new()), self.reckon(before, &BTreeSet::new()));
        for (name, spec) in budgets {
            let spent = self.spent(spent, &spec.namespace)?;
            let once = |step: &&Step| step.action.changes() && step.namespace.as_deref() == Some(&spec.namespace);
            let runs: Money = plan
                .steps
                .iter()
                .filter(once)
                .filter_map(|step| step.cost.as_ref())
                .filter(|cost| cost.once)
                .map(|cost| cost.monthly.0)
                .sum();
            let standing = |all: &[Reckoned]| -> Money { standing(all, &spec.namespace) };
            let planned = forecast(&name, &spec, spent, standing(&with), runs, self.now);
            let as_is = forecast(&name, &spec, spent, standing(&without), Money(0), self.now);
            plan.budgets.push(Budget {
                name,
                namespace: planned.namespace,
                enforcement: if planned.enforcement == Enforcement::Hard { "hard" } else { "soft" }.to_owned(),
                limit: Price(planned.limit),
                spent: Price(planned.spent),
                to_come: Price(planned.to_come),
                without: Price(as_is.total),
                total: Price(planned.total),
                // What makes it cheaper is welcome, however dear it stays.
                exceeded: planned.exceeded && planned.total > as_is.total,
            });
        }
        Ok(())
    }

    fn spent(&self, ledger: &Spent, namespace: &str) -> Result<Money, PlanError> {
        if let Some(spent) = &self.scenario.spent {
            return Ok(spent.get(namespace).copied().unwrap_or_default());
        }
        ledger(namespace, self.now)
    }
}

/// What an hour of all that stands in the namespace costs.
fn standing(all: &[Reckoned], namespace: &str) -> Money {
    let here = all.iter().filter(|one| one.name.1 == namespace);
    here.filter(|one| one.workload.demand.lifetime == Lifetime::Standing).map(|one| one.cost.hourly).sum()
}

fn name_of_step(step: &Step) -> Name {
    (step.kind.clone(), step.namespace.clone().unwrap_or_default(), step.name.clone())
}

/// The platform's own machine as a site.
fn local(capacity: SiteCapacity) -> Site {
    let spec = SiteSpec {
        provider: LOCAL.to_owned(),
        region: String::new(),
        residency: Vec::new(),
        capacity,
        price_factors: BTreeMap::new(),
        state: SiteState::Active,
        drain_from: None,
    };
    Site::new(LOCAL, BTreeMap::new(), spec)
}

fn placement(found: &bedplate_fabric::Placement) -> Placement {
    let verdict = |one: &bedplate_fabric::Verdict| SiteVerdict {
        site: one.site.clone(),
        fits: one.score.is_some(),
        why: one.why.clone(),
    };
    Placement { site: found.site.clone(), sites: found.verdicts.iter().map(verdict).collect() }
}

fn nowhere(found: &bedplate_fabric::Placement) -> String {
    let one = |verdict: &bedplate_fabric::Verdict| format!("{}: {}", verdict.site, verdict.why.join(", "));
    found.verdicts.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn cost(one: &Reckoned) -> Cost {
    Cost {
        hourly: Price(one.cost.hourly),
        monthly: Price(one.cost.monthly),
        once: matches!(one.workload.demand.lifetime, Lifetime::Run { .. }),
        assumed: one.workload.demand.assumed.clone(),
        unpriced: one.cost.unpriced.clone(),
    }
}

//! Makes plans: rehearses the writes, and asks of each whether it is allowed, where it goes and what it costs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bedplate_apiserver::{ApiError, ApiServer, Batch, Rehearsed, Wish};
use bedplate_fabric::Prices;
use bedplate_govern::{Subject, desired, diff};
use bedplate_identity::Principal;
use bedplate_kinds::{ChangeOperation, SiteCapacity};
use bedplate_policy::Action as Right;
use bedplate_types::{Clock, Money, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{Action, Approval, Field, Found, Outcome, Plan, Policy, Step, Summary, VERSION};
use crate::error::PlanError;
use crate::governor::Governor;
use crate::reckoning::Reckoning;
use crate::world::{KINDS, Name, World, name_of, shown};
use crate::{digest, masked, owner, prune};

/// The field manager of what people apply.
pub const MANAGER: &str = "bedplate";
/// The most objects of one plan.
pub const LIMIT: usize = 1_000;

/// Makes plans and carries them out.
#[derive(Clone)]
pub struct Planner {
    pub server: ApiServer,
    pub governor: Arc<Governor>,
    pub ledger: Ledger,
    /// What the platform's own machine can carry, where no Site is declared.
    pub machine: SiteCapacity,
    pub clock: Arc<dyn Clock>,
}

/// What a namespace spent since the month began, in the currency of the prices.
pub type Spent = Arc<dyn Fn(&str, Timestamp) -> Result<Money, PlanError> + Send + Sync>;

/// What plans ask of the ledger.
#[derive(Clone)]
pub struct Ledger {
    /// The price sheet that counts at a moment.
    pub prices: Arc<dyn Fn(Timestamp) -> Result<Prices, PlanError> + Send + Sync>,
    pub spent: Spent,
}

/// What somebody wants planned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Asked {
    /// In the order they are to be written.
    pub manifests: Vec<Manifest>,
    /// For objects that name none.
    pub namespace: String,
    /// Delete what bears this selector's labels, was applied by bedplate and is not among the manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune: Option<String>,
}

/// One object, and where it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub object: Value,
    /// `10-datasets.yaml:3`
    pub source: String,
}

/// What is different from how things are, for a simulation.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// Sites that are down.
    pub down: BTreeSet<String>,
    /// Replicas in the place of those declared.
    pub replicas: BTreeMap<Name, u32>,
    /// What namespaces spent this month, in the place of the ledger.
    pub spent: Option<BTreeMap<String, Money>>,
}

/// A step before it is known what comes of it.
pub(crate) struct Wanted {
    pub step: bedplate_apiserver::Step,
    pub source: Option<String>,
    /// Why it must not be made, known before anything is tried.
    pub refusals: Vec<String>,
}

impl Planner {
    /// What an apply by `principal` would do. Writes nothing.
    ///
    /// # Errors
    /// [`PlanError`] when there is nothing to plan with; what a single object meets is in its step.
    pub async fn plan(&self, principal: &Principal, asked: &Asked, scenario: &Scenario) -> Result<Plan, PlanError> {
        let wanted = self.wanted(principal, asked).await?;
        let (steps, results) = self.rehearsed(principal, &wanted).await?;
        let mut before = World::default();
        for kind in KINDS {
            let resource = format!("{}s.bedplate.dev", kind.to_lowercase());
            self.server.stored(&resource).await?.into_iter().for_each(|object| before.put(object));
        }
        let mut after = before.clone();
        for result in results.iter().flatten() {
            match result.new {
                Value::Null => after.take(&name_of(&result.old)),
                _ => after.put(result.new.clone()),
            }
        }
        let now = self.clock.now();
        let prices = (self.ledger.prices)(now)?;
        let reckoning = Reckoning { prices, machine: &self.machine, scenario, now };
        let mut plan = self.drafted(principal, steps, &reckoning);
        reckoning.place(&before, &after, &mut plan);
        reckoning.budgets(&self.ledger.spent, &before, &after, &mut plan)?;
        conclude(&mut plan);
        Ok(plan)
    }

    async fn wanted(&self, principal: &Principal, asked: &Asked) -> Result<Vec<Wanted>, PlanError> {
        let mut wanted: Vec<Wanted> = Vec::with_capacity(asked.manifests.len());
        let mut seen: BTreeMap<Name, String> = BTreeMap::new();
        for manifest in &asked.manifests {
            let one = self.want(manifest, &asked.namespace)?;
            let name = named(&one.step);
            if let Some(first) = seen.insert(name.clone(), manifest.source.clone()) {
                return Err(PlanError::Twice { object: shown(&name), first, second: manifest.source.clone() });
            }
            wanted.push(one);
        }
        if let Some(selector) = &asked.prune {
            wanted.extend(prune::wanted(&self.server, principal, selector, &seen).await?);
        }
        match wanted.len() {
            count if count > LIMIT => Err(PlanError::TooMany { count, limit: LIMIT }),
            _ => Ok(wanted),
        }
    }

    fn want(&self, manifest: &Manifest, namespace: &str) -> Result<Wanted, PlanError> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&manifest.object["apiVersion"]), text(&manifest.object["kind"]));
        let name = text(&manifest.object["metadata"]["name"]);
        let no_object = |why: String| PlanError::NoObject { source_: manifest.source.clone(), why };
        if name.is_empty() {
            return Err(no_object("metadata.name is missing".to_owned()));
        }
        let resource = self.server.resource_of(&api_version, &kind);
        let resource = resource.ok_or_else(|| no_object(format!("no kind {kind:?} is served in {api_version:?}")))?;
        let own = text(&manifest.object["metadata"]["namespace"]);
        let namespace = if own.is_empty() { namespace.to_owned() } else { own };
        let step = bedplate_apiserver::Step {
            api_version,
            kind,
            namespace: Some(namespace).filter(|_| resource.is_namespaced()),
            name,
            wish: Wish::Apply(manifest.object.clone()),
        };
        Ok(Wanted { step, source: Some(manifest.source.clone()), refusals: Vec::new() })
    }

    /// The steps as they came out, and what came of those that worked.
    async fn rehearsed(
        &self,
        principal: &Principal,
        wanted: &[Wanted],
    ) -> Result<(Vec<Step>, Vec<Option<Rehearsed>>), PlanError> {
        let seen: Vec<bool> = wanted.iter().map(|one| self.may(principal, Right::Get, &one.step).allowed).collect();
        let tried = wanted.iter().zip(&seen).filter(|(_, seen)| **seen).map(|(one, _)| one.step.clone());
        let batch = Batch { principal: principal.clone(), manager: MANAGER.to_owned(), steps: tried.collect() };
        let mut results = self.server.rehearse(batch).await?.into_iter();
        let (mut steps, mut done) = (Vec::new(), Vec::new());
        for (one, seen) in wanted.iter().zip(seen) {
            let result = if seen { results.next() } else { None };
            let policy = self.policy(principal, one);
            let (step, result) = self.step(one, policy, result);
            steps.push(step);
            done.push(result);
        }
        Ok((steps, done))
    }

    pub(crate) fn may(
        &self,
        principal: &Principal,
        right: Right,
        step: &bedplate_apiserver::Step,
    ) -> bedplate_policy::Decision {
        self.server.may(principal, right, &step.kind, step.namespace.as_deref(), &step.name)
    }

    fn policy(&self, principal: &Principal, one: &Wanted) -> Policy {
        let right = right(&one.step);
        let decision = self.may(principal, right, &one.step);
        Policy {
            allowed: decision.allowed,
            verb: right.as_str().to_owned(),
            why: decision.why().to_owned(),
            rules: decision.policies.to_vec(),
        }
    }

    fn step(
        &self,
        one: &Wanted,
        policy: Policy,
        result: Option<Result<Rehearsed, ApiError>>,
    ) -> (Step, Option<Rehearsed>) {
        let mut step = Step {
            api_version: one.step.api_version.clone(),
            kind: one.step.kind.clone(),
            namespace: one.step.namespace.clone(),
            name: one.step.name.clone(),
            source: one.source.clone(),
            action: Action::Unknown,
            found: None,
            change: None,
            diff: Vec::new(),
            placement: None,
            cost: None,
            policy,
            approvals: Vec::new(),
            refusals: one.refusals.clone(),
            notes: Vec::new(),
        };
        match result {
            None => step.notes.push("it may not be looked at, so that it is not known what would change".to_owned()),
            // A refusal by right is told as such; what else is wrong with it is not for everybody.
            Some(Err(_)) if !step.policy.allowed => {}
            Some(Err(error)) => step.refusals.push(error.to_string()),
            Some(Ok(result)) => {
                self.tell(&mut step, &result);
                return (step, Some(result));
            }
        }
        (step, None)
    }

    fn tell(&self, step: &mut Step, result: &Rehearsed) {
        step.action = match result.action {
            bedplate_apiserver::Action::Create => Action::Create,
            bedplate_apiserver::Action::Update => Action::Update,
            bedplate_apiserver::Action::Delete => Action::Delete,
            bedplate_apiserver::Action::Nothing => Action::Unchanged,
        };
        let namespace = step.namespace.clone();
        step.found = (!result.old.is_null()).then(|| self.found(&step.kind, namespace.as_deref(), &result.old));
        step.change = self.change_of(step, result);
        if step.action != Action::Delete {
            let changes = diff(&desired(&result.old), &desired(&result.new)).into_iter();
            let field = |change| {
                let owner = owner::of(&result.old, &change);
                Field { change: masked::of(&step.kind, change), owner }
            };
            step.diff = changes.map(field).collect();
        }
        if step.action == Action::Update && step.diff.is_empty() {
            step.notes.push("only who manages its fields changes".to_owned());
        }
        for refusal in &result.refusals {
            match refusal.detail.get("need") {
                Some(need) => step.approvals.push(Approval::of(need, refusal.fix.as_deref())),
                None => step.refusals.push(refusal.why.clone()),
            }
        }
        step.notes.extend(result.notes.iter().cloned());
    }

    /// The state of an object, for holding a later state against it.
    pub(crate) fn found(&self, kind: &str, namespace: Option<&str>, object: &Value) -> Found {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        let subject = Subject { kind, namespace, name: &name, operation: ChangeOperation::Update };
        let wish = self.governor.digest(subject, object, &Value::Null).to_string();
        Found { uid: text("uid"), resource_version: text("resourceVersion"), wish }
    }

    /// The digest of the change, as approvals are bound to it; none when nothing changes.
    pub(crate) fn change_of(&self, step: &Step, result: &Rehearsed) -> Option<String> {
        let operation = match result.action {
            bedplate_apiserver::Action::Create => ChangeOperation::Create,
            bedplate_apiserver::Action::Update => ChangeOperation::Update,
            bedplate_apiserver::Action::Delete => ChangeOperation::Delete,
            bedplate_apiserver::Action::Nothing => return None,
        };
        let namespace = step.namespace.as_deref();
        let subject = Subject { kind: &step.kind, namespace, name: &step.name, operation };
        Some(self.governor.digest(subject, &result.old, &result.new).to_string())
    }

    fn drafted(&self, principal: &Principal, steps: Vec<Step>, reckoning: &Reckoning<'_>) -> Plan {
        Plan {
            version: VERSION,
            digest: digest::of(&steps),
            at: reckoning.now,
            principal: principal.name.clone(),
            currency: reckoning.prices.currency.clone(),
            steps,
            budgets: Vec::new(),
            summary: Summary::default(),
            verdict: Outcome::NoChange,
            exit_code: 0,
        }
    }
}

/// The right a step takes.
pub(crate) fn right(step: &bedplate_apiserver::Step) -> Right {
    match step.wish {
        Wish::Apply(_) => Right::Patch,
        Wish::Delete => Right::Delete,
    }
}

fn named(step: &bedplate_apiserver::Step) -> Name {
    (step.kind.clone(), step.namespace.clone().unwrap_or_default(), step.name.clone())
}

/// Counts, and finds the strongest outcome.
fn conclude(plan: &mut Plan) {
    let count = |action| plan.steps.iter().filter(|step| step.action == action).count();
    let denied = plan.steps.iter().filter(|step| step.is_denied()).count();
    let need_approval = plan.steps.iter().filter(|step| !step.approvals.is_empty()).count();
    plan.summary = Summary {
        create: count(Action::Create),
        update: count(Action::Update),
        delete: count(Action::Delete),
        unchanged: count(Action::Unchanged),
        denied,
        need_approval,
        ..std::mem::take(&mut plan.summary)
    };
    let over = plan.budgets.iter().any(|budget| budget.exceeded && budget.enforcement == "hard");
    plan.verdict = match () {
        () if denied > 0 => Outcome::Denied,
        () if over => Outcome::OverBudget,
        () if need_approval > 0 => Outcome::ApprovalNeeded,
        () if plan.steps.iter().any(|step| step.action.changes()) => Outcome::Changes,
        () => Outcome::NoChange,
    };
    plan.exit_code = plan.verdict.exit_code();
}

//! Carries a plan out: exactly it, all of it or nothing, and only while the state it was made for is still there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bedplate_apiserver::{Batch, Check, Expect, Failure, Wish};
use bedplate_identity::Principal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest;
use crate::document::{Action, Outcome, Plan, Step, VERSION};
use crate::error::PlanError;
use crate::planner::{Asked, MANAGER, Planner, Scenario, right};
use crate::world::{Name, name_of};

/// A plan with what it was made of: all that is needed to carry it out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved {
    pub plan: Plan,
    pub asked: Asked,
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// `Endpoint prod/late`
    pub object: String,
    /// created, configured, deleted or unchanged.
    pub outcome: String,
}

impl Planner {
    /// Does what the plan says, on behalf of `principal`, whose rights count. What needs consent uses it up.
    ///
    /// # Errors
    /// [`PlanError::Moved`], naming what is no longer as it was; [`PlanError::NotAllowed`]; [`PlanError::Differs`] when the
    /// same wishes would now come to something else. Nothing was written then.
    pub async fn apply(&self, principal: &Principal, saved: &Saved) -> Result<Vec<Applied>, PlanError> {
        check_file(saved)?;
        let now = self.plan(principal, &saved.asked, &Scenario::default()).await?;
        let moved = moved(&saved.plan.steps, &now.steps);
        if !moved.is_empty() {
            return Err(PlanError::Moved { objects: moved });
        }
        if !matches!(now.verdict, Outcome::NoChange | Outcome::Changes) {
            return Err(PlanError::NotAllowed { verdict: now.verdict.as_str(), reasons: reasons(&now) });
        }
        self.commit(principal, saved).await
    }

    /// Looks at the state again in the transaction of the writes, and makes them.
    pub(crate) async fn commit(&self, principal: &Principal, saved: &Saved) -> Result<Vec<Applied>, PlanError> {
        let steps = steps(saved)?;
        for (step, planned) in steps.iter().zip(&saved.plan.steps) {
            let decision = self.may(principal, right(step), step);
            if planned.action != Action::Unchanged && !decision.allowed {
                let reasons = vec![format!("{}: {}", planned.object(), decision.why())];
                return Err(PlanError::NotAllowed { verdict: "denied", reasons });
            }
        }
        let batch = Batch { principal: principal.clone(), manager: MANAGER.to_owned(), steps };
        let planned = Arc::new(saved.plan.steps.clone());
        let done =
            self.server.perform(batch, self.expected(&planned), self.checked(&planned, &saved.plan.digest)).await;
        done.map_err(|failure| told(failure, &planned))?;
        Ok(planned.iter().map(applied).collect())
    }

    /// Is what is there what the step was made for? A status that moved on is no other state.
    fn expected(&self, planned: &Arc<Vec<Step>>) -> Expect {
        let (planner, planned) = (self.clone(), planned.clone());
        Arc::new(move |at, there| {
            let step = &planned[at];
            match (&step.found, there) {
                (None, None) => true,
                (Some(found), Some(there)) => {
                    let now = planner.found(&step.kind, step.namespace.as_deref(), there);
                    now.uid == found.uid && now.wish == found.wish
                }
                _ => false,
            }
        })
    }

    /// Is what came of every step what the plan says, and the plan the one it says it is?
    fn checked(&self, planned: &Arc<Vec<Step>>, digest: &str) -> Check {
        let (planner, planned, digest) = (self.clone(), planned.clone(), digest.to_owned());
        Arc::new(move |done| {
            let mut came = (*planned).clone();
            for (step, result) in came.iter_mut().zip(done) {
                let change = planner.change_of(step, result);
                if change != step.change {
                    return Err(step.object());
                }
                step.change = change;
            }
            if digest::of(&came) == digest { Ok(()) } else { Err("the plan's digest is another".to_owned()) }
        })
    }
}

fn check_file(saved: &Saved) -> Result<(), PlanError> {
    let Plan { version, digest, steps, .. } = &saved.plan;
    if *version != VERSION {
        return Err(PlanError::Version { found: *version, known: VERSION });
    }
    if *digest != digest::of(steps) {
        return Err(PlanError::Differs("the plan's digest is not that of its steps".to_owned()));
    }
    Ok(())
}

/// The steps of the plan with the configurations they were made of.
fn steps(saved: &Saved) -> Result<Vec<bedplate_apiserver::Step>, PlanError> {
    let named = |object: &Value, otherwise: &str| -> Name {
        let (kind, namespace, name) = name_of(object);
        (kind, if namespace.is_empty() { otherwise.to_owned() } else { namespace }, name)
    };
    let configured: BTreeMap<Name, &Value> =
        saved.asked.manifests.iter().map(|one| (named(&one.object, &saved.asked.namespace), &one.object)).collect();
    let step = |step: &Step| {
        let namespace = step.namespace.clone().unwrap_or_else(|| saved.asked.namespace.clone());
        let name = (step.kind.clone(), namespace, step.name.clone());
        let wish =
            match step.action {
                Action::Delete => Wish::Delete,
                _ => Wish::Apply(configured.get(&name).copied().cloned().ok_or_else(|| {
                    PlanError::Invalid(format!("the plan has no configuration for {}", step.object()))
                })?),
            };
        Ok(bedplate_apiserver::Step {
            api_version: step.api_version.clone(),
            kind: step.kind.clone(),
            namespace: step.namespace.clone(),
            name: step.name.clone(),
            wish,
        })
    };
    saved.plan.steps.iter().map(step).collect()
}

/// What is no longer as the plan found it, in words.
fn moved(planned: &[Step], now: &[Step]) -> Vec<String> {
    let mut moved = Vec::new();
    for step in planned {
        let there = now.iter().find(|one| one.object() == step.object() && one.kind == step.kind);
        let Some(there) = there else {
            moved.push(format!("{} is gone", step.object()));
            continue;
        };
        let same = |one: &Step| one.found.as_ref().map(|found| (found.uid.clone(), found.wish.clone()));
        if same(step) != same(there) {
            moved.push(match (&step.found, &there.found) {
                (None, _) => format!("{} was made meanwhile", step.object()),
                (_, None) => format!("{} is gone", step.object()),
                (Some(was), Some(is)) if was.uid != is.uid => format!("{} was made anew", step.object()),
                (Some(was), Some(is)) => format!(
                    "{} was changed (resourceVersion {} then, {} now)",
                    step.object(),
                    was.resource_version,
                    is.resource_version
                ),
            });
        }
    }
    let new =
        now.iter().filter(|one| planned.iter().all(|step| step.object() != one.object() || step.kind != one.kind));
    moved.extend(new.map(|step| format!("{} would now be pruned too", step.object())));
    moved
}

/// Why a plan may not be carried out.
pub fn reasons(plan: &Plan) -> Vec<String> {
    let mut reasons = Vec::new();
    for step in &plan.steps {
        if step.action != Action::Unchanged && !step.policy.allowed {
            reasons.push(format!("{}: {}", step.object(), step.policy.why));
        }
        reasons.extend(step.refusals.iter().map(|why| format!("{}: {why}", step.object())));
        let asks =
            |one: &crate::document::Approval| format!("{}: class {} asks for {}", step.object(), one.class, one.asks);
        reasons.extend(step.approvals.iter().map(asks));
    }
    for budget in plan.budgets.iter().filter(|budget| budget.exceeded && budget.enforcement == "hard") {
        let (name, total, limit) = (&budget.name, budget.total, budget.limit);
        reasons.push(format!("budget {name}: the month would end at {total} of {limit} {}", plan.currency));
    }
    reasons
}

fn told(failure: Failure, planned: &[Step]) -> PlanError {
    let object = |at: usize| planned.get(at).map(Step::object).unwrap_or_default();
    match failure {
        Failure::Moved(steps) => {
            PlanError::Moved { objects: steps.into_iter().map(|at| format!("{} was changed", object(at))).collect() }
        }
        Failure::Step(at, error) => PlanError::Step { object: object(at), error },
        Failure::Check(what) => PlanError::Differs(what),
        Failure::Other(error) => error.into(),
    }
}

fn applied(step: &Step) -> Applied {
    let outcome = match step.action {
        Action::Create => "created",
        Action::Update => "configured",
        Action::Delete => "deleted",
        Action::Unchanged | Action::Unknown => "unchanged",
    };
    Applied { object: step.object(), outcome: outcome.to_owned() }
}

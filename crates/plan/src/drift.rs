//! What is not as the manifests say, and whose doing that is: a plan, read the other way round.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{Action, Owner, Plan};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Changed outside of the manifests.
    pub drifted: Vec<Drifted>,
    /// Changed in the manifests and not applied yet.
    pub pending: Vec<String>,
    /// What could not be looked at, and why.
    pub unknown: Vec<String>,
}

/// One field that is not as the manifests say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drifted {
    /// `Endpoint prod/late`
    pub object: String,
    /// The field; empty for an object that is not there.
    pub path: String,
    /// What is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
    /// What the manifests say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Value>,
    /// Who has the value that is there; none: it is not known, what is removed has no owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Owner>,
}

impl Drift {
    /// Reads a plan of the same manifests.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut found = Self::default();
        for step in &plan.steps {
            let object = step.object();
            match step.action {
                Action::Unchanged | Action::Delete => {}
                Action::Unknown => {
                    let why = step.refusals.first().or(step.notes.first()).unwrap_or(&step.policy.why);
                    found.unknown.push(format!("{object}: {why}"));
                }
                Action::Create => {
                    found.drifted.push(Drifted { object, path: String::new(), live: None, declared: None, by: None })
                }
                Action::Update => step.diff.iter().for_each(|field| {
                    let change = &field.change;
                    // A value of ours that differs from the manifest's was applied before the manifest was edited.
                    if field.owner.is_none() && change.before.is_some() {
                        found.pending.push(format!("{object}: {}", change.path));
                        return;
                    }
                    found.drifted.push(Drifted {
                        object: object.clone(),
                        path: change.path.clone(),
                        live: change.before.clone(),
                        declared: change.after.clone(),
                        by: field.owner.clone(),
                    });
                }),
            }
        }
        found
    }

    /// 2 when something drifted, else 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.drifted.is_empty() { 0 } else { 2 }
    }
}

//! ChangeClass: which changes need whose consent before they are made. Counts when it is in the namespace
//! `bedplate-system`; what several classes select needs the consent of each.

use std::collections::BTreeMap;

use bedplate_types::Span;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::validate::{FieldError, Validate, duplicates, not_empty};

#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "ChangeClass",
    plural = "changeclasses",
    namespaced,
    status = "ChangeClassStatus",
    selectable = ".spec.risk",
    shortname = "cc",
    printcolumn = r#"{"name":"Risk","type":"string","jsonPath":".spec.risk"}"#,
    printcolumn = r#"{"name":"Approvers","type":"string","jsonPath":".spec.approvers[*].team"}"#,
    printcolumn = r#"{"name":"Expires","type":"string","jsonPath":".spec.expiresAfter"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct ChangeClassSpec {
    /// Why these changes are of a class of their own.
    #[serde(default)]
    pub description: String,
    /// How much can go wrong. A class of low risk without approvers lets changes through and says so in the plan.
    pub risk: Risk,
    /// The changes it is about.
    #[serde(default)]
    pub selects: ChangeSelector,
    /// The teams that must agree. Somebody in several teams counts for one of them.
    #[serde(default)]
    pub approvers: Vec<Approver>,
    /// Whoever asks for a change cannot approve it.
    #[serde(default = "yes")]
    pub two_person_rule: bool,
    /// How long an approval is good for, counted from the request.
    #[serde(default = "ChangeClassSpec::a_week")]
    pub expires_after: Span,
    /// Who may agree in the place of any team when nobody did in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
}

/// How much can go wrong, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    Low,
    Medium,
    High,
}

impl Risk {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Which changes a class is about; what is left out selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChangeSelector {
    /// Endpoint, Dataset, Secret, …
    pub kinds: Vec<String>,
    /// Names of namespaces; prod-* stands for every one that begins with prod-.
    pub namespaces: Vec<String>,
    /// Labels the object has, before or after the change.
    pub labels: BTreeMap<String, String>,
    /// create, update, delete.
    pub operations: Vec<ChangeOperation>,
    /// Paths such as spec.model: an update is selected when it touches one of them or something below.
    pub fields: Vec<String>,
    /// Values at paths, for example spec.classification: [restricted]. Selected when the object has one of them, before or
    /// after the change.
    pub values: BTreeMap<String, Vec<String>>,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeOperation {
    Create,
    Update,
    Delete,
}

impl ChangeOperation {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A team that must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approver {
    /// A group, as tokens carry it.
    pub team: String,
    /// What the team answers for: model risk, security, finance.
    #[serde(default)]
    pub function: String,
    /// How many of the team.
    #[serde(default = "one")]
    pub count: u32,
}

/// Who else may agree, and from when on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Escalation {
    /// Counted from the request.
    pub after: Span,
    /// The group that may then agree in the place of any team.
    pub to: String,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChangeClassStatus {
    pub phase: Phase,
    pub observed_generation: i64,
}

impl ChangeClassSpec {
    fn a_week() -> Span {
        Span::from_micros(7 * 86_400_000_000)
    }
}

impl Validate for ChangeClassSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.approvers", self.approvers.iter().map(|approver| approver.team.as_str()));
        if self.approvers.is_empty() && self.risk > Risk::Low {
            let why = "must name at least one team; only a class of low risk may do without";
            errors.push(FieldError::new("spec.approvers", why));
        }
        for (i, approver) in self.approvers.iter().enumerate() {
            errors.extend(not_empty(&format!("spec.approvers[{i}].team"), &approver.team));
            if approver.count == 0 {
                errors.push(FieldError::new(format!("spec.approvers[{i}].count"), "must be 1 or more"));
            }
        }
        if self.expires_after.micros() == 0 {
            errors.push(FieldError::new("spec.expiresAfter", "must be more than 0, or nothing could ever be approved"));
        }
        if let Some(escalation) = &self.escalation {
            errors.extend(not_empty("spec.escalation.to", &escalation.to));
            if escalation.after >= self.expires_after {
                let why = "must be shorter than spec.expiresAfter, or the request expires first";
                errors.push(FieldError::new("spec.escalation.after", why));
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_could_not_work_is_refused() {
        let spec: ChangeClassSpec = serde_json::from_value(serde_json::json!({
            "risk": "high", "expiresAfter": "1h", "escalation": { "after": "2h", "to": "" },
        }))
        .unwrap();
        let fields: Vec<_> = spec.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["spec.approvers", "spec.escalation.to", "spec.escalation.after"]);
        let low: ChangeClassSpec = serde_json::from_value(serde_json::json!({ "risk": "low" })).unwrap();
        assert!(low.validate().is_empty() && low.two_person_rule, "a class of low risk needs nobody");
    }
}

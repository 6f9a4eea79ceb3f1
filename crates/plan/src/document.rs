//! A plan as people and machines read it: for every object what changes, where it goes, what it costs, whether it is allowed
//! and who must agree.

use std::fmt;

use bedplate_govern::FieldChange;
use bedplate_types::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of this document and of the file it is kept in.
pub const VERSION: u32 = 1;

/// What an apply would do, and what came out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub version: u32,
    /// Over every step: its object, the state it was made for and the change.
    pub digest: String,
    pub at: Timestamp,
    /// Who asked; rights are theirs.
    pub principal: String,
    pub currency: String,
    pub steps: Vec<Step>,
    pub budgets: Vec<Budget>,
    pub summary: Summary,
    pub verdict: Outcome,
    pub exit_code: u8,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub api_version: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
    /// The manifest and the line it begins on; none for what a prune would delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    pub action: Action,
    /// The state the step was made for; none: the object was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// The digest of the change, which approvals are bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    pub diff: Vec<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    pub policy: Policy,
    pub approvals: Vec<Approval>,
    /// Why it would be refused, besides policy and approvals: quota, schema, a place it may not be.
    pub refusals: Vec<String>,
    pub notes: Vec<String>,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Create,
    Update,
    Delete,
    Unchanged,
    /// It could not be found out: the caller may not see it, or it cannot be written as it is.
    Unknown,
}

impl Action {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Unchanged => "unchanged",
            Self::Unknown => "unknown",
        }
    }

    #[must_use]
    pub const fn changes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }
}

/// The state of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    pub uid: String,
    pub resource_version: String,
    /// The digest of what people wish of it: a status that moved on is no other state.
    pub wish: String,
}

/// One field that differs; what a Secret holds is not shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    #[serde(flatten)]
    pub change: FieldChange,
    /// Who has the value that is there, where somebody other than an apply of these manifests has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

/// A field manager, as `metadata.managedFields` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub manager: String,
    pub operation: String,
    pub time: String,
}

/// Where an object would be placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// None: it fits nowhere.
    pub site: Option<String>,
    /// The best first.
    pub sites: Vec<SiteVerdict>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteVerdict {
    pub site: String,
    pub fits: bool,
    pub why: Vec<String>,
}

/// What an object costs where it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    pub hourly: Price,
    /// Of what stands, a month of 730 hours; of what runs once, the one run.
    pub monthly: Price,
    pub once: bool,
    /// What was reckoned because nothing was declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// What has no price and is not in the sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpriced: Vec<String>,
}

/// An amount, as a decimal in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(pub Money);

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        // To the cent, or as it is when a cent is too coarse.
        let coarse = self.0.0 == 0 || self.0.0.abs() >= 10_000;
        f.write_str(if coarse { &text[..text.len() - 4] } else { &text })
    }
}

impl Serialize for Price {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
        let amount: bedplate_kinds::Amount = digits.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Money(sign * amount.0.0)))
    }
}

/// What the policy says of the write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub allowed: bool,
    /// The right that is asked for.
    pub verb: String,
    /// The ids of the rules that decided.
    pub rules: Vec<String>,
    pub why: String,
}

/// A class that must still be satisfied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    pub class: String,
    pub risk: String,
    pub evidence: String,
    /// `1 of risk, 2 of security`
    pub asks: String,
    /// The request that was made, and how it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    pub fix: String,
}

impl Approval {
    pub(crate) fn of(need: &Value, fix: Option<&str>) -> Self {
        let text = |field: &str| need[field].as_str().map(str::to_owned);
        let missing = need["missing"].as_array().into_iter().flatten();
        let asks: Vec<String> =
            missing.map(|one| format!("{} of {}", one["count"], one["team"].as_str().unwrap_or_default())).collect();
        Self {
            class: text("class").unwrap_or_default(),
            risk: text("risk").unwrap_or_default(),
            evidence: text("evidence").unwrap_or_default(),
            asks: asks.join(", "),
            approval: text("approval"),
            state: text("state").map(|state| state.to_lowercase()),
            fix: fix.unwrap_or_default().to_owned(),
        }
    }

    /// Whether a request for it waits for somebody.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_deref(), Some("waiting" | "escalated"))
    }
}

/// A budget that the plan touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    pub name: String,
    pub namespace: String,
    /// hard or soft.
    pub enforcement: String,
    pub limit: Price,
    /// In the ledger since the month began.
    pub spent: Price,
    /// From now to the end of the month, with the plan.
    pub to_come: Price,
    /// The month as it would end without the plan.
    pub without: Price,
    pub total: Price,
    /// The plan takes it beyond the limit, or further beyond.
    pub exceeded: bool,
}

/// How many of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
    pub unchanged: usize,
    pub denied: usize,
    pub need_approval: usize,
    pub hourly: Price,
    pub monthly: Price,
    /// What runs once.
    pub once: Price,
}

/// What came out, from weak to strong; the strongest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    NoChange,
    Changes,
    ApprovalNeeded,
    OverBudget,
    Denied,
}

impl Outcome {
    /// The exit code of `bedplate plan`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::NoChange => 0,
            Self::Changes => 2,
            Self::Denied => 3,
            Self::ApprovalNeeded => 4,
            Self::OverBudget => 5,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoChange => "no-change",
            Self::Changes => "changes",
            Self::ApprovalNeeded => "approval-needed",
            Self::OverBudget => "over-budget",
            Self::Denied => "denied",
        }
    }
}

impl Step {
    /// `Endpoint prod/late`
    #[must_use]
    pub fn object(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }

    #[must_use]
    pub fn is_denied(&self) -> bool {
        (self.action != Action::Unchanged && !self.policy.allowed) || !self.refusals.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_outcome_counts_and_each_has_its_exit_code() {
        use Outcome::{ApprovalNeeded, Changes, Denied, NoChange, OverBudget};
        let rising = [NoChange, Changes, ApprovalNeeded, OverBudget, Denied];
        assert!(rising.is_sorted());
        assert_eq!(rising.map(Outcome::exit_code), [0, 2, 4, 5, 3]);
    }

    #[test]
    fn prices_are_decimals() {
        for micros in [0, 1, 9_999, 10_000, -2_500_000] {
            let price = Price(Money(micros));
            let text = serde_json::to_string(&price).unwrap();
            assert_eq!(serde_json::from_str::<Price>(&text).unwrap(), price, "{text}");
        }
        assert_eq!([Money(25_200), Money(9_999)].map(|money| Price(money).to_string()), ["0.02", "0.009999"]);
    }
}

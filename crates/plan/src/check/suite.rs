//! What a file of tests says.

use std::collections::BTreeMap;

use bedplate_identity::Principal;
use bedplate_kinds::{Amount, SiteCapacity};
use bedplate_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A file of tests: what is given, and what is to come of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suite {
    /// How the tests are called together; the file's name when left out.
    #[serde(default)]
    pub name: String,
    /// The manifests, seen from the file's folder; the folder itself when left out.
    #[serde(default = "here")]
    pub manifests: String,
    /// Manifests that are there already: sites, quotas, budgets, change classes, role bindings. Seen from the file's folder.
    #[serde(default)]
    pub given: Vec<String>,
    /// Objects that are there already.
    #[serde(default)]
    pub objects: Vec<Value>,
    /// For objects that name no namespace.
    #[serde(default = "default")]
    pub namespace: String,
    /// The price sheet; the example prices when left out.
    #[serde(default)]
    pub prices: Option<Value>,
    /// What the machine carries where no Site is given; 8 cores and 32 GiB when left out.
    #[serde(default)]
    pub machine: Option<SiteCapacity>,
    /// What namespaces spent this month already.
    #[serde(default)]
    pub spent: BTreeMap<String, Amount>,
    /// The time it is; the present when left out.
    #[serde(default)]
    pub now: Option<Timestamp>,
    /// Who plans; the administrator when left out.
    #[serde(default, rename = "as")]
    pub r#as: As,
    pub tests: Vec<Case>,
}

fn here() -> String {
    ".".to_owned()
}

fn default() -> String {
    "default".to_owned()
}

/// Somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct As {
    /// user:ana
    pub user: String,
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Default for As {
    fn default() -> Self {
        Self { user: "user:admin".to_owned(), groups: vec!["system:masters".to_owned()] }
    }
}

impl As {
    pub fn principal(&self) -> Principal {
        Principal { name: self.user.clone(), groups: self.groups.clone() }
    }
}

/// One test.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// Who plans, where it is somebody else.
    #[serde(default, rename = "as")]
    pub r#as: Option<As>,
    /// Sites that are down.
    #[serde(default)]
    pub fail: Vec<String>,
    /// Loads on endpoints.
    #[serde(default)]
    pub load: Vec<Load>,
    pub expect: Expect,
}

/// Requests a second on an endpoint, as `name` or `namespace/name`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Load {
    pub endpoint: String,
    pub requests_per_second: u64,
}

/// What is to come of it; what is left out is not looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Expect {
    /// no-change, changes, approval-needed, over-budget or denied.
    pub verdict: Option<String>,
    pub counts: Option<Counts>,
    /// Fields of the manifests' objects as they would be stored or as they are declared.
    pub paths: Vec<PathIs>,
    pub cost: Option<CostBound>,
    pub placement: Vec<PlacedOn>,
    /// Objects, as `Kind ns/name`, that must fit nowhere.
    pub unplaced: Vec<String>,
    /// Replicas a load comes to, by endpoint.
    pub replicas: BTreeMap<String, u32>,
    /// Texts that must be among denials, refusals, approvals, budgets and notes.
    pub findings: Vec<String>,
    /// The plan cannot be made at all, and says this.
    pub error: Option<String>,
}

/// How many objects of a kind are declared, and how many of each action the plan has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Counts {
    pub create: Option<usize>,
    pub update: Option<usize>,
    pub unchanged: Option<usize>,
    pub denied: Option<usize>,
    /// By kind: Endpoint: 1.
    pub kinds: BTreeMap<String, usize>,
}

/// A field of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathIs {
    /// `Kind ns/name`
    pub object: String,
    /// `spec.classification`, `spec.schema[0].name`
    pub path: String,
    /// Absent when neither this nor `oneOf` is said.
    #[serde(default)]
    pub equals: Option<Value>,
    #[serde(default)]
    pub one_of: Vec<Value>,
}

/// Upper bounds of the plan's cost.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CostBound {
    pub hourly_at_most: Option<Amount>,
    pub monthly_at_most: Option<Amount>,
    /// What runs once.
    pub once_at_most: Option<Amount>,
}

/// Where an object must go.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedOn {
    /// `Kind ns/name`
    pub object: String,
    pub site: String,
}

//! Approval: the request to make one exact change, and who agreed to it. The server says who asked and who agreed; it
//! counts once, for the change whose digest it names, until it expires.

use bedplate_types::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validate::{FieldError, Validate, not_empty};
use crate::{Approver, ChangeOperation, Condition, Phase};

#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Approval",
    namespaced,
    status = "ApprovalStatus",
    selectable = ".spec.class",
    selectable = ".spec.requester",
    selectable = ".status.state",
    printcolumn = r#"{"name":"State","type":"string","jsonPath":".status.state"}"#,
    printcolumn = r#"{"name":"Class","type":"string","jsonPath":".spec.class"}"#,
    printcolumn = r#"{"name":"Operation","type":"string","jsonPath":".spec.change.operation"}"#,
    printcolumn = r#"{"name":"Kind","type":"string","jsonPath":".spec.change.kind"}"#,
    printcolumn = r#"{"name":"Object","type":"string","jsonPath":".spec.change.name"}"#,
    printcolumn = r#"{"name":"Requester","type":"string","jsonPath":".spec.requester"}"#,
    printcolumn = r#"{"name":"Given","type":"string","jsonPath":".status.approvals[*].by","priority":1}"#,
    printcolumn = r#"{"name":"Expires","type":"date","jsonPath":".status.expiresAt","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalSpec {
    /// The ChangeClass whose consent is asked for.
    pub class: String,
    /// The change itself.
    pub change: ApprovedChange,
    /// Why the change is wanted.
    #[serde(default)]
    pub reason: String,
    /// Who asked; set by the server.
    #[serde(default)]
    pub requester: String,
    /// The teams the class asked for when the request was made; set by the server.
    #[serde(default)]
    pub needed: Vec<Approver>,
}

/// One exact change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovedChange {
    /// Over the object before and after, as the plan and the refusal tell it: sha256:….
    pub digest: String,
    /// create, update or delete.
    pub operation: ChangeOperation,
    /// The kind of the changed object.
    pub kind: String,
    /// Its name; it lies in the namespace of the Approval, or in none.
    pub name: String,
    /// What an update touches.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// Who agreed or did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalGiven {
    /// Set by the server from who asked it.
    #[serde(default)]
    pub by: String,
    /// The groups they were in then; set by the server.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Set by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// approve or reject.
    #[serde(default)]
    pub decision: ApprovalDecision,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalDecision {
    #[default]
    Approve,
    /// One is enough to end the request.
    Reject,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApprovalState {
    #[default]
    Waiting,
    /// It waits, and the escalation's team may agree as well.
    Escalated,
    /// The change may be made, once.
    Approved,
    Rejected,
    Expired,
    /// The change was made.
    Used,
}

impl ApprovalState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Escalated => "escalated",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Used => "used",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApprovalStatus {
    pub phase: Phase,
    pub state: ApprovalState,
    pub approvals: Vec<ApprovalGiven>,
    pub requested_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub escalated_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
    /// Who made the change.
    pub used_by: String,
    pub conditions: Vec<Condition>,
    pub observed_generation: i64,
}

impl Validate for ApprovalSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors: Vec<_> = not_empty("spec.class", &self.class).into_iter().collect();
        errors.extend(not_empty("spec.change.kind", &self.change.kind));
        errors.extend(not_empty("spec.change.name", &self.change.name));
        if let Err(error) = self.change.digest.parse::<bedplate_types::Digest>() {
            errors.push(FieldError::new("spec.change.digest", error.to_string()));
        }
        errors
    }
}

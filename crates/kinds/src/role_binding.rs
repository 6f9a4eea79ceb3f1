//! RoleBinding: who has a role in the namespace. It counts from the moment it is stored.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::validate::{FieldError, Validate, not_empty};

/// Who has a role in the namespace.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "RoleBinding",
    namespaced,
    status = "RoleBindingStatus",
    selectable = ".spec.role",
    shortname = "rb",
    printcolumn = r#"{"name":"Role","type":"string","jsonPath":".spec.role"}"#,
    printcolumn = r#"{"name":"Subjects","type":"string","jsonPath":".spec.subjects[*].name"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct RoleBindingSpec {
    pub role: BoundRole,
    /// Who has the role.
    pub subjects: Vec<Subject>,
}

/// What the subjects may do in the namespace; each role includes the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BoundRole {
    /// Reads objects, but no Secrets.
    Viewer,
    /// Reads, writes, predicts, pushes features, reads data.
    Editor,
    /// Everything: also Secrets, tokens, RoleBindings and the namespace itself.
    Owner,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// What the name names.
    pub kind: SubjectKind,
    /// As tokens and sign-in spell it.
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SubjectKind {
    User,
    Group,
    /// A machine of this namespace.
    ServiceAccount,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RoleBindingStatus {
    pub phase: Phase,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

impl Subject {
    /// How identity and policy spell it: `user:ana`, `group:data`, `serviceaccount:ns/robot`.
    #[must_use]
    pub fn principal(&self, namespace: &str) -> String {
        match self.kind {
            SubjectKind::User => format!("user:{}", self.name),
            SubjectKind::Group => format!("group:{}", self.name),
            SubjectKind::ServiceAccount => format!("serviceaccount:{namespace}/{}", self.name),
        }
    }
}

impl Validate for RoleBindingSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (i, subject) in self.subjects.iter().enumerate() {
            errors.extend(not_empty(&format!("spec.subjects[{i}].name"), &subject.name));
            if self.subjects[..i].contains(subject) {
                errors.push(FieldError::new(format!("spec.subjects[{i}]"), "appears twice"));
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(kind: SubjectKind, name: &str) -> Subject {
        Subject { kind, name: name.into() }
    }

    #[test]
    fn subjects_are_spelled_as_identity_spells_them() {
        let kinds = [SubjectKind::User, SubjectKind::Group, SubjectKind::ServiceAccount];
        let told = kinds.map(|kind| subject(kind, "x").principal("flights"));
        assert_eq!(told, ["user:x", "group:x", "serviceaccount:flights/x"]);
    }

    #[test]
    fn a_subject_has_a_name_and_stands_once() {
        let ana = subject(SubjectKind::User, "ana");
        let spec = RoleBindingSpec {
            role: BoundRole::Viewer,
            subjects: vec![ana.clone(), subject(SubjectKind::Group, " "), ana],
        };
        let fields: Vec<_> = spec.validate().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["spec.subjects[1].name", "spec.subjects[2]"]);
    }
}

//! Conditions and phases: how every kind says where it stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One aspect of an object's state, as Kubernetes spells it (`metav1.Condition`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Ready, Validated, Materialized, …
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// One word for machines.
    pub reason: String,
    /// One sentence for people: what, why, and the command that fixes it.
    #[serde(default)]
    pub message: String,
    /// RFC 3339; moves only when `status` changes.
    pub last_transition_time: String,
    /// The generation of the spec it was judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Where an object stands, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Waiting for something it names.
    #[default]
    Pending,
    Running,
    Ready,
    Succeeded,
    /// It will not become ready until somebody changes something.
    Failed,
}

impl Phase {
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Ready | Self::Succeeded | Self::Failed)
    }
}

/// Puts `new` in place of the condition of its type; keeps the old transition time when the status is the same.
pub fn set_condition(conditions: &mut Vec<Condition>, mut new: Condition) {
    match conditions.iter_mut().find(|old| old.type_ == new.type_) {
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time.clone_from(&old.last_transition_time);
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(status: &str, time: &str) -> Condition {
        Condition {
            type_: "Ready".into(),
            status: status.into(),
            reason: "Test".into(),
            message: String::new(),
            last_transition_time: time.into(),
            observed_generation: None,
        }
    }

    #[test]
    fn the_transition_time_moves_only_with_the_status() {
        let mut conditions = vec![ready("False", "1")];
        set_condition(&mut conditions, ready("False", "2"));
        assert_eq!(conditions, [ready("False", "1")]);
        set_condition(&mut conditions, ready("True", "3"));
        assert_eq!(conditions, [ready("True", "3")]);
    }
}

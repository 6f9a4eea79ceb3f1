//! Rules that count together, and of them the few that can say anything of an action on a kind: the others are not asked.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{ActionConstraint, EntityTypeName, EntityUid, Policy as Rule, PolicySet, ResourceConstraint};
use parking_lot::RwLock;

use crate::Action;

/// Rules, and the parts of them that were asked for.
#[derive(Default)]
pub(crate) struct Set {
    rules: PolicySet,
    narrowed: RwLock<HashMap<(Action, &'static str), Arc<PolicySet>>>,
}

impl Set {
    pub(crate) fn new(rules: PolicySet) -> Self {
        Self { rules, narrowed: RwLock::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.num_of_policies()
    }

    /// The rules whose scope an action on a kind can be in. There are only so many of both.
    pub(crate) fn on(&self, action: Action, kind: &'static str) -> Arc<PolicySet> {
        if let Some(narrowed) = self.narrowed.read().get(&(action, kind)) {
            return Arc::clone(narrowed);
        }
        let able = self.rules.policies().filter(|rule| is_able(rule, action, kind)).cloned();
        // A part of a set has no id twice.
        let narrowed = Arc::new(PolicySet::from_policies(able).unwrap_or_else(|_| self.rules.clone()));
        self.narrowed.write().insert((action, kind), Arc::clone(&narrowed));
        narrowed
    }
}

fn is_able(rule: &Rule, action: Action, kind: &str) -> bool {
    let named = |uid: &EntityUid| {
        let id: &str = uid.id().as_ref();
        id.split_once('.').is_some_and(|(of, verb)| of == kind && verb == action.as_str())
    };
    let is_group = |uid: &EntityUid| AsRef::<str>::as_ref(uid.id()) == action.as_str();
    let is_on_action = match rule.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(uids) => uids.iter().any(|uid| named(uid) || is_group(uid)),
        ActionConstraint::Eq(uid) => named(&uid),
    };
    let is_kind = |of: &EntityTypeName| of.basename() == kind;
    is_on_action
        && match rule.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::In(_) => true,
            ResourceConstraint::Eq(uid) => is_kind(uid.type_name()),
            ResourceConstraint::Is(of) | ResourceConstraint::IsIn(of, _) => is_kind(&of),
        }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn only_rules_that_cannot_apply_are_left_out() {
        let text = "permit (principal, action, resource);
            permit (principal, action in Action::\"get\", resource);
            permit (principal, action in [Action::\"list\", Action::\"Dataset.get\"], resource in Namespace::\"a\");
            permit (principal, action == Action::\"Model.get\", resource);
            permit (principal, action, resource is Dataset);
            permit (principal, action, resource == Model::\"a/m\");
            permit (principal, action, resource is Dataset in Namespace::\"a\");";
        let set = Set::new(PolicySet::from_str(text).unwrap());
        let on = |action, kind| {
            let mut ids: Vec<_> =
                set.on(action, kind).policies().map(|rule| rule.id().to_string().split_off(6)).collect();
            ids.sort();
            ids.concat()
        };
        assert_eq!(on(Action::Get, "Dataset"), "01246");
        assert_eq!(on(Action::Get, "Model"), "0135");
        assert_eq!(on(Action::List, "Dataset"), "0246");
        assert_eq!(on(Action::Delete, "Secret"), "0");
        assert_eq!(on(Action::Get, "Dataset"), "01246", "the same again");
    }
}

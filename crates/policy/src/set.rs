//! Rules that count together, and of them the few that can say anything of an action on a kind to somebody of these teams:
//! the others are not asked, and these are not asked again about the action.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, EntityTypeName, EntityUid, Policy as Rule, PolicyId, PolicySet, PrincipalConstraint,
    ResourceConstraint,
};
use parking_lot::RwLock;
use serde_json::json;

use crate::Action;
use crate::principal::TEAM;

/// How many parts are kept; one more and all are made anew.
const PARTS: usize = 10_000;

/// Rules, and the parts of them that were asked for.
#[derive(Default)]
pub(crate) struct Set {
    rules: PolicySet,
    /// The teams that rules are about.
    teams: BTreeSet<String>,
    narrowed: RwLock<HashMap<Part, Arc<Able>>>,
}

/// An action on a kind, and those of a caller's teams that rules are about.
type Part = (Action, &'static str, Vec<String>);

/// Rules that can say something, with what their annotations say of why: Cedar parses for each time it is asked.
pub(crate) struct Able {
    rules: PolicySet,
    whys: HashMap<PolicyId, String>,
}

impl Able {
    fn new(rules: PolicySet) -> Self {
        let why = |rule: &Rule| Some((rule.id().clone(), rule.annotation("why")?.to_owned()));
        Self { whys: rules.policies().filter_map(why).collect(), rules }
    }

    pub(crate) const fn set(&self) -> &PolicySet {
        &self.rules
    }

    pub(crate) fn why(&self, id: &PolicyId) -> Option<String> {
        self.whys.get(id).cloned()
    }
}

impl Set {
    pub(crate) fn new(rules: PolicySet) -> Self {
        let teams = rules.policies().filter_map(team).collect();
        Self { rules, teams, narrowed: RwLock::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.num_of_policies()
    }

    /// The rules whose scope an action on a kind by somebody of these groups can be in.
    pub(crate) fn on(&self, action: Action, kind: &'static str, groups: &[String]) -> Arc<Able> {
        let part = (action, kind, self.known(groups));
        if let Some(able) = self.narrowed.read().get(&part) {
            return Arc::clone(able);
        }
        let is_about =
            |rule: &&Rule| is_able(rule, action, kind) && team(rule).is_none_or(|team| part.2.contains(&team));
        let able = self.rules.policies().filter(is_about).map(rest);
        // A part of a set has no id twice.
        let able = Arc::new(Able::new(PolicySet::from_policies(able).unwrap_or_else(|_| self.rules.clone())));
        let mut narrowed = self.narrowed.write();
        if narrowed.len() >= PARTS {
            narrowed.clear();
        }
        narrowed.insert(part, Arc::clone(&able));
        able
    }

    fn known(&self, groups: &[String]) -> Vec<String> {
        let mut known: Vec<_> = groups.iter().filter(|group| self.teams.contains(*group)).cloned().collect();
        known.sort();
        known.dedup();
        known
    }
}

/// The team whose members alone a rule is about. No principal is a team itself.
fn team(rule: &Rule) -> Option<String> {
    match rule.principal_constraint() {
        PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) if uid.type_name().basename() == TEAM => {
            Some(AsRef::<str>::as_ref(uid.id()).to_owned())
        }
        _ => None,
    }
}

/// The same rule, without what was found to hold of its scope: the action, and the kind of the object where no place is
/// named. Cedar makes the set of a rule's actions anew each time it asks the rule, which is most of what that costs.
fn rest(rule: &Rule) -> Rule {
    let of_any = || {
        let mut text = rule.to_json().ok()?;
        *text.get_mut("action")? = json!({ "op": "All" });
        if matches!(rule.resource_constraint(), ResourceConstraint::Is(_)) {
            *text.get_mut("resource")? = json!({ "op": "All" });
        }
        Rule::from_json(Some(rule.id().clone()), text).ok()
    };
    of_any().unwrap_or_else(|| rule.clone())
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
                set.on(action, kind, &[]).set().policies().map(|rule| rule.id().to_string().split_off(6)).collect();
            ids.sort();
            ids.concat()
        };
        assert_eq!(on(Action::Get, "Dataset"), "01246");
        assert_eq!(on(Action::Get, "Model"), "0135");
        assert_eq!(on(Action::List, "Dataset"), "0246");
        assert_eq!(on(Action::Delete, "Secret"), "0");
        assert_eq!(on(Action::Get, "Dataset"), "01246", "the same again");
    }

    #[test]
    fn rules_about_a_team_are_for_its_members() {
        let text = "permit (principal, action, resource);
            forbid (principal in Team::\"a\", action, resource);
            forbid (principal is User in Team::\"b\", action, resource);
            forbid (principal in Namespace::\"a\", action, resource);
            forbid (principal == User::\"a\", action, resource);";
        let set = Set::new(PolicySet::from_str(text).unwrap());
        let by = |groups: &[&str]| {
            let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
            let able = set.on(Action::Get, "Dataset", &groups);
            let mut ids: Vec<_> = able.set().policies().map(|rule| rule.id().to_string().split_off(6)).collect();
            ids.sort();
            ids.concat()
        };
        assert_eq!((by(&[]), by(&["c", "A"])), ("034".into(), "034".into()));
        assert_eq!((by(&["a"]), by(&["b", "c"]), by(&["b", "a", "b"])), ("0134".into(), "0234".into(), "01234".into()));
        assert_eq!(set.narrowed.read().len(), 4, "what makes no difference makes no part");
    }

    #[test]
    fn what_is_left_of_a_rule_is_the_rule() {
        let text = "@id(\"a\") @why(\"because\")
            forbid (principal in Team::\"t\", action in [Action::\"get\", Action::\"list\"], resource is Dataset)
            when { resource has owner && resource.owner == \"o\" } unless { context has purpose };";
        let rule: Rule = text.parse().unwrap();
        let left = rest(&rule);
        assert_eq!(left.action_constraint(), ActionConstraint::Any);
        assert_eq!(left.resource_constraint(), ResourceConstraint::Any);
        assert_eq!((left.id(), left.annotation("why")), (rule.id(), Some("because")));
        let told = |rule: &Rule| {
            let mut told = rule.to_json().unwrap();
            told.as_object_mut().unwrap().retain(|part, _| part != "action" && part != "resource");
            told
        };
        assert_eq!(told(&left), told(&rule));
    }
}

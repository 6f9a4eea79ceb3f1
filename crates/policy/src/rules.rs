//! One state of everything that decides: built-in rules, people's policies, grants. Nothing of it changes.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{Policy as Rule, PolicyId, PolicySet};
use parking_lot::RwLock;

use crate::decision::{forbidden, narrowed, unpermitted};
use crate::engine::{Answer, Engine, Scope};
use crate::grants::Grants;
use crate::kind::Kinds;
use crate::question::{EVERYWHERE, PLATFORM};
use crate::set::{Able, Set};
use crate::{Decision, Grant, PolicyError, Question, Resource, Role, Source};

pub(crate) const BUILT_IN: &str = include_str!("policies.cedar");

/// How many namespaces are kept made; one more and all are made anew.
const SCOPES: usize = 10_000;

/// The rules and who holds which role.
pub struct Rules {
    engine: Arc<Engine>,
    grants: Grants,
    built_in: Set,
    /// The built-in rules and those of the platform.
    platform: Set,
    /// All of those, and a namespace's own.
    own: BTreeMap<String, Set>,
    scopes: RwLock<HashMap<String, Arc<Scope>>>,
}

impl Rules {
    /// The built-in rules with these policies and grants.
    ///
    /// # Errors
    /// [`PolicyError::Source`] for a policy that cannot be read.
    pub fn new(sources: &[Source], grants: &[Grant]) -> Result<Self, PolicyError> {
        Self::with(Arc::new(Engine::new()?), sources, grants)
    }

    pub(crate) fn with(engine: Arc<Engine>, sources: &[Source], grants: &[Grant]) -> Result<Self, PolicyError> {
        let built_in = built_in()?;
        let of = |is_platform: bool| sources.iter().filter(move |source| (source.namespace == PLATFORM) == is_platform);
        let mut platform = built_in.clone();
        for source in of(true) {
            add(&mut platform, source)?;
        }
        let mut own: BTreeMap<String, PolicySet> = BTreeMap::new();
        for source in of(false) {
            add(own.entry(source.namespace.clone()).or_insert_with(|| platform.clone()), source)?;
        }
        Ok(Self {
            engine,
            grants: Grants::new(grants),
            built_in: Set::new(built_in),
            platform: Set::new(platform),
            own: own.into_iter().map(|(namespace, rules)| (namespace, Set::new(rules))).collect(),
            scopes: RwLock::default(),
        })
    }

    /// May this be? What no rule permits is denied, what one forbids is, so is what cannot be asked, and so is what the
    /// scope among the groups does not cover.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        if let Some(denied) = narrowed(question) {
            return denied;
        }
        let decision = self.decide_there(question);
        let is_of_many = question.resource.scope() == EVERYWHERE && question.resource.name.is_none();
        if !decision.allowed || !is_of_many {
            return decision;
        }
        // What is asked of all namespaces is asked of each that has rules of its own: else they could be got round.
        let refused = self.own.keys().map(|namespace| self.decide_there(&within(question, namespace)));
        refused.into_iter().find(|decision| !decision.allowed).unwrap_or(decision)
    }

    fn decide_there(&self, question: &Question<'_>) -> Decision {
        let name = question.resource.scope();
        let held = self.grants.held(question.principal, question.groups, name);
        match self.engine.ask(&self.able(question), question, &self.scope(name), held) {
            Answer { error: Some(error), policies, .. } => Decision::unasked(policies, &error),
            answer if answer.allowed => Decision::allowed(answer.policies),
            answer if answer.policies.is_empty() => {
                Decision::denied(Vec::new(), unpermitted(question, self.weakest_sufficient_role(question)))
            }
            answer => {
                let why = forbidden(question, &answer);
                Decision::denied(answer.policies, why)
            }
        }
    }

    /// Which rules count. Nobody can lock the platform out with a policy: what the platform itself, and whoever owns
    /// everything, does to objects is judged without the policies of namespaces; and who owns everything can always mend
    /// policies. What is done with data, models and machines is judged by all of them, whoever does it.
    fn set(&self, question: &Question<'_>) -> &Set {
        let everywhere = self.grants.held(question.principal, question.groups, EVERYWHERE);
        let is_above = everywhere.has(Role::Owner) && question.action.is_on_objects();
        let is_platform = question.principal.starts_with("system:");
        if !is_above {
            return self.own.get(question.resource.scope()).unwrap_or(&self.platform);
        }
        if is_platform || Kinds::known().find(question.resource.kind) == Some("Policy") {
            &self.built_in
        } else {
            &self.platform
        }
    }

    /// Of the rules that count, those that can say anything of it.
    fn able(&self, question: &Question<'_>) -> Arc<Able> {
        let kind = Kinds::known().of(question.action, question.resource.kind);
        self.set(question).on(question.action, kind, question.groups)
    }

    fn scope(&self, name: &str) -> Arc<Scope> {
        if let Some(scope) = self.scopes.read().get(name) {
            return Arc::clone(scope);
        }
        let scope = Arc::new(self.engine.scope(name));
        let mut scopes = self.scopes.write();
        if scopes.len() >= SCOPES {
            scopes.clear();
        }
        scopes.insert(name.to_owned(), Arc::clone(&scope));
        scope
    }

    /// Asks the rules themselves, so that the advice cannot disagree with them.
    fn weakest_sufficient_role(&self, question: &Question<'_>) -> Option<Role> {
        let (scope, able) = (self.scope(question.resource.scope()), self.able(question));
        let would = |role: &Role| {
            let held = [*role].into_iter().collect();
            self.engine.ask(&able, question, &scope, held).allowed
        };
        Role::ALL.into_iter().find(would)
    }

    /// Whether any policy of a person's may count there for `principal`: then each object is asked about, not only its kind.
    #[must_use]
    pub fn looks_at_objects(&self, principal: &str, groups: &[String], namespace: Option<&str>) -> bool {
        let platform = self.platform.len() > self.built_in.len();
        let own = namespace.map_or(!self.own.is_empty(), |namespace| self.own.contains_key(namespace));
        if !platform && !own {
            return false;
        }
        // As in `set`.
        let is_above = self.grants.held(principal, groups, EVERYWHERE).has(Role::Owner);
        if is_above { platform && !principal.starts_with("system:") } else { true }
    }
}

fn within<'a>(question: &Question<'a>, namespace: &'a str) -> Question<'a> {
    let resource = if question.resource.is_namespace() {
        Resource { name: Some(namespace), ..question.resource }
    } else {
        Resource { namespace: Some(namespace), ..question.resource }
    };
    Question { resource, ..*question }
}

/// The rules beside this file, each called by its annotation.
fn built_in() -> Result<PolicySet, PolicyError> {
    let wrong = |error: String| PolicyError::Rules(error);
    let read = PolicySet::from_str(BUILT_IN).map_err(|error| wrong(error.to_string()))?;
    let named = read.policies().map(|rule: &Rule| {
        let id = rule.annotation("id").filter(|id| !id.is_empty());
        id.map(|id| rule.new_id(PolicyId::new(id))).ok_or_else(|| wrong(format!("{} has no @id", rule.id())))
    });
    let named = named.collect::<Result<Vec<_>, _>>()?;
    PolicySet::from_policies(named).map_err(|error| wrong(error.to_string()))
}

fn add(set: &mut PolicySet, source: &Source) -> Result<(), PolicyError> {
    let wrong = |why: String| PolicyError::Source { policy: source.full_name(), why };
    let rules = source.rules().map_err(|flaws| wrong(flaws.first().map(ToString::to_string).unwrap_or_default()))?;
    rules.into_iter().try_for_each(|rule| set.add(rule).map_err(|error| wrong(error.to_string())))
}

#[cfg(test)]
mod tests {
    use cedar_policy::{ValidationMode, Validator};

    use super::*;
    use crate::schema;

    #[test]
    fn the_built_in_rules_fit_the_schema() {
        let result =
            Validator::new(schema::parsed().unwrap().clone()).validate(&built_in().unwrap(), ValidationMode::Strict);
        assert!(result.validation_passed_without_warnings(), "{result}");
        let misspelt = PolicySet::from_str(&BUILT_IN.replace("deidentified", "deidentifed")).unwrap();
        assert!(
            !Validator::new(schema::parsed().unwrap().clone())
                .validate(&misspelt, ValidationMode::Strict)
                .validation_passed()
        );
    }
}

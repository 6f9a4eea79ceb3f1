//! Cedar behind one function: a question and the holders of roles go in, a verdict comes out.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision as Verdict, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet,
    Request, Response, RestrictedExpression,
};

use crate::grants::Holders;
use crate::{Action, PolicyError, Resource};

pub(crate) const POLICIES: &str = include_str!("policies.cedar");
#[cfg(test)]
pub(crate) const SCHEMA: &str = include_str!("schema.cedar");

/// The parsed rules and the names of their types.
pub(crate) struct Engine {
    authorizer: Authorizer,
    policies: PolicySet,
    subject: EntityTypeName,
    namespace: EntityTypeName,
    object: EntityTypeName,
    action: EntityTypeName,
}

/// Somebody, as the rules see them.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) name: &'a str,
    pub(crate) groups: &'a [String],
}

/// What the rules said.
pub(crate) struct Answer {
    pub(crate) allowed: bool,
    pub(crate) policies: Vec<String>,
    /// What went wrong while asking; the answer is then no.
    pub(crate) error: Option<String>,
}

impl Engine {
    pub(crate) fn new() -> Result<Self, PolicyError> {
        let policies = PolicySet::from_str(POLICIES).map_err(|error| PolicyError::Rules(error.to_string()))?;
        Ok(Self {
            authorizer: Authorizer::new(),
            policies,
            subject: type_name("Subject")?,
            namespace: type_name("Namespace")?,
            object: type_name("Object")?,
            action: type_name("Action")?,
        })
    }

    /// A namespace with its grants, made once and asked about many times.
    pub(crate) fn namespace(&self, name: &str, holders: &Holders) -> Result<Entity, PolicyError> {
        let set = |names: &mut dyn Iterator<Item = &String>| {
            RestrictedExpression::new_set(names.map(|name| RestrictedExpression::new_entity_uid(self.subject(name))))
        };
        let attributes = HashMap::from([
            ("owners".to_owned(), set(&mut holders.owners.iter())),
            ("editors".to_owned(), set(&mut holders.editors.iter())),
            ("viewers".to_owned(), set(&mut holders.viewers.iter())),
        ]);
        entity(uid(&self.namespace, name), attributes)
    }

    /// Puts one question to the rules.
    pub(crate) fn ask(&self, who: Caller<'_>, action: Action, resource: &Resource<'_>, namespace: &Entity) -> Answer {
        let asked = self.request(who, action).and_then(|request| Ok((request, self.facts(who, resource, namespace)?)));
        match asked {
            Ok((request, facts)) => self.answer(&self.authorizer.is_authorized(&request, &self.policies, &facts)),
            Err(error) => Answer { allowed: false, policies: Vec::new(), error: Some(error.to_string()) },
        }
    }

    fn request(&self, who: Caller<'_>, action: Action) -> Result<Request, PolicyError> {
        let action = uid(&self.action, action.as_str());
        Request::new(self.subject(who.name), action, self.this(), Context::empty(), None)
            .map_err(|error| PolicyError::Rules(error.to_string()))
    }

    fn facts(&self, who: Caller<'_>, resource: &Resource<'_>, namespace: &Entity) -> Result<Entities, PolicyError> {
        let groups: HashSet<EntityUid> = who.groups.iter().map(|name| self.subject(&format!("group:{name}"))).collect();
        let attributes = HashMap::from([
            ("namespace".to_owned(), RestrictedExpression::new_entity_uid(namespace.uid())),
            ("kind".to_owned(), RestrictedExpression::new_string(resource.kind_known_to_the_rules().to_owned())),
        ]);
        let caller = Entity::new_no_attrs(self.subject(who.name), groups);
        let object = entity(self.this(), attributes)?;
        Entities::from_entities([caller, object, namespace.clone()], None)
            .map_err(|error| PolicyError::Rules(error.to_string()))
    }

    fn answer(&self, response: &Response) -> Answer {
        let id = |policy| self.policies.annotation(policy, "id").unwrap_or_default().to_owned();
        let mut policies: Vec<String> = response.diagnostics().reason().map(id).collect();
        policies.sort();
        let error = response.diagnostics().errors().next().map(ToString::to_string);
        Answer { allowed: response.decision() == Verdict::Allow, policies, error }
    }

    fn subject(&self, name: &str) -> EntityUid {
        uid(&self.subject, name)
    }

    /// The object a question is about has no name of its own in the rules.
    fn this(&self) -> EntityUid {
        uid(&self.object, "this")
    }
}

fn type_name(name: &str) -> Result<EntityTypeName, PolicyError> {
    name.parse().map_err(|_| PolicyError::Rules(format!("{name} is no type name")))
}

fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

fn entity(uid: EntityUid, attributes: HashMap<String, RestrictedExpression>) -> Result<Entity, PolicyError> {
    Entity::new(uid, attributes, HashSet::new()).map_err(|error| PolicyError::Rules(error.to_string()))
}

#[cfg(test)]
mod tests {
    use cedar_policy::{Schema, ValidationMode, Validator};

    use super::*;

    fn schema() -> Schema {
        Schema::from_cedarschema_str(SCHEMA).unwrap().0
    }

    #[test]
    fn the_rules_fit_the_schema_and_every_rule_has_an_id() {
        let policies = PolicySet::from_str(POLICIES).unwrap();
        let result = Validator::new(schema()).validate(&policies, ValidationMode::Strict);
        assert!(result.validation_passed_without_warnings(), "{result}");
        assert!(policies.policies().all(|policy| policy.annotation("id").is_some_and(|id| !id.is_empty())));
        let misspelt = PolicySet::from_str(&POLICIES.replace("namespace.editors", "namespace.editers")).unwrap();
        assert!(!Validator::new(schema()).validate(&misspelt, ValidationMode::Strict).validation_passed());
    }

    #[test]
    fn the_schema_and_the_code_know_the_same_actions() {
        let engine = Engine::new().unwrap();
        let known: HashSet<EntityUid> = schema().actions().cloned().collect();
        assert_eq!(known, Action::ALL.map(|action| uid(&engine.action, action.as_str())).into());
    }

    #[test]
    fn what_is_asked_fits_the_schema() {
        let engine = Engine::new().unwrap();
        let namespace = engine.namespace("flights", &Holders::default()).unwrap();
        let who = Caller { name: "user:\"ana\"", groups: &["data".to_owned()] };
        let resource = Resource { namespace: Some("flights"), kind: "Dataset", name: None };
        let facts = engine.facts(who, &resource, &namespace).unwrap();
        Entities::from_entities(facts, Some(&schema())).unwrap();
    }
}

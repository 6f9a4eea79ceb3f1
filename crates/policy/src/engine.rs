//! Cedar behind one function: a question and the roles somebody holds go in, a verdict comes out.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision as Verdict, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet,
    Request, Response, RestrictedExpression,
};

use crate::grants::Held;
use crate::kind::{Kinds, OTHER};
use crate::principal::{self, TEAM, TYPES};
use crate::question::EVERYWHERE;
use crate::{Action, PolicyError, Question, Role, Tags};

/// The names of types and actions, made once.
pub(crate) struct Engine {
    authorizer: Authorizer,
    types: HashMap<String, EntityTypeName>,
    team: EntityTypeName,
    role: EntityTypeName,
    namespace: EntityTypeName,
    /// By kind, in the order of [`Action::ALL`].
    actions: HashMap<String, Vec<Option<Entity>>>,
}

/// A namespace as the rules see it.
pub(crate) struct Scope {
    uid: EntityUid,
    entity: Entity,
    roles: [(Role, EntityUid); 3],
}

/// What the rules said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) allowed: bool,
    pub(crate) policies: Vec<String>,
    /// What the policies that forbade it say of why.
    pub(crate) advice: Vec<String>,
    /// What went wrong while asking; the answer is then no.
    pub(crate) error: Option<String>,
}

impl Engine {
    pub(crate) fn new() -> Result<Self, PolicyError> {
        let kinds = Kinds::known();
        let mut types = HashMap::new();
        for name in kinds.names().chain(TYPES.iter().map(|(_, of)| *of)) {
            types.insert(name.to_owned(), type_name(name)?);
        }
        let action = type_name("Action")?;
        let mut actions: HashMap<String, Vec<Option<Entity>>> = HashMap::new();
        for (of, kind) in kinds.actions() {
            let group = HashSet::from([uid(&action, of.as_str())]);
            let entity = Entity::new_no_attrs(uid(&action, &format!("{kind}.{of}")), group);
            let known = actions.entry(kind.to_owned()).or_insert_with(|| vec![None; Action::ALL.len()]);
            if let Some(place) = known.get_mut(of as usize) {
                *place = Some(entity);
            }
        }
        let namespace = type_name("Namespace")?;
        Ok(Self {
            authorizer: Authorizer::new(),
            types,
            team: type_name(TEAM)?,
            role: type_name("Role")?,
            namespace,
            actions,
        })
    }

    /// A namespace, made once and asked about many times.
    pub(crate) fn scope(&self, name: &str) -> Result<Scope, PolicyError> {
        let roles = Role::ALL.map(|role| (role, uid(&self.role, &format!("{name}/{role}"))));
        let itself = uid(&self.namespace, name);
        let mut attributes = self.common(&itself, "Namespace", (name != EVERYWHERE).then_some(name), &Tags::NONE);
        for (role, of) in &roles {
            attributes.push((format!("{role}s"), RestrictedExpression::new_entity_uid(of.clone())));
        }
        let entity = entity(itself.clone(), attributes, [], &Tags::NONE)?;
        Ok(Scope { uid: itself, entity, roles })
    }

    /// Puts one question to the rules.
    pub(crate) fn ask(&self, rules: &PolicySet, question: &Question<'_>, scope: &Scope, held: Held) -> Answer {
        match self.prepare(question, scope, held) {
            Ok((request, facts)) => answer(rules, &self.authorizer.is_authorized(&request, rules, &facts)),
            Err(error) => {
                Answer { allowed: false, policies: Vec::new(), advice: Vec::new(), error: Some(error.to_string()) }
            }
        }
    }

    /// What Cedar is given: the request, and the few entities it is about.
    pub(crate) fn prepare(
        &self,
        question: &Question<'_>,
        scope: &Scope,
        held: Held,
    ) -> Result<(Request, Entities), PolicyError> {
        let unknown = || PolicyError::Principal(question.principal.to_owned());
        let (of, id) = principal::typed(question.principal).ok_or_else(unknown)?;
        let (caller, groups) = (uid(self.type_of(of)?, id), self.memberships(question, scope, held));
        let kind = Kinds::known().of(question.action, question.resource.kind);
        let action = self.action(question.action, kind)?;
        let about = if kind == "Namespace" { scope.uid.clone() } else { self.object_uid(kind, question)? };
        let request = Request::new(caller.clone(), action.uid(), about.clone(), context(question)?, None)
            .map_err(|error| PolicyError::Rules(error.to_string()))?;
        // A workload may ask about itself: then caller and object are one.
        let is_itself = caller == about;
        let object = match kind {
            "Namespace" => None,
            _ => {
                Some(self.object(kind, about, question, scope, if is_itself { groups.clone() } else { Vec::new() })?)
            }
        };
        let caller = if is_itself { None } else { Some(self.caller(of, id, caller, groups)?) };
        let all = [caller, Some(action.clone()), object, Some(scope.entity.clone())];
        let facts = Entities::from_entities(all.into_iter().flatten(), None);
        Ok((request, facts.map_err(|error| PolicyError::Rules(error.to_string()))?))
    }

    /// The teams somebody is in, and the roles they have there.
    fn memberships(&self, question: &Question<'_>, scope: &Scope, held: Held) -> Vec<EntityUid> {
        let teams = question.groups.iter().map(|name| uid(&self.team, name));
        let roles = scope.roles.iter().filter(|(role, _)| held.has(*role)).map(|(_, role)| role.clone());
        teams.chain(roles).collect()
    }

    fn caller(&self, of: &str, id: &str, itself: EntityUid, groups: Vec<EntityUid>) -> Result<Entity, PolicyError> {
        let Some(home) = principal::home(of, id) else {
            return Ok(Entity::new_no_attrs(itself, groups.into_iter().collect()));
        };
        let home = uid(&self.namespace, home);
        let name = id.split_once('/').map(|(_, name)| name);
        let attributes = self.common(&home, of, name, &Tags::NONE);
        entity(itself, attributes, groups.into_iter().chain([home]), &Tags::NONE)
    }

    fn action(&self, action: Action, kind: &str) -> Result<&Entity, PolicyError> {
        let known = self.actions.get(kind).and_then(|actions| actions.get(action as usize)?.as_ref());
        known.ok_or_else(|| PolicyError::Rules(format!("{kind}.{action} is no action")))
    }

    fn object_uid(&self, kind: &str, question: &Question<'_>) -> Result<EntityUid, PolicyError> {
        let place = question.resource.namespace.filter(|namespace| !namespace.is_empty()).unwrap_or(EVERYWHERE);
        let name = question.resource.name.filter(|name| !name.is_empty()).unwrap_or("*");
        Ok(uid(self.type_of(kind)?, &format!("{place}/{name}")))
    }

    fn object(
        &self,
        kind: &str,
        itself: EntityUid,
        question: &Question<'_>,
        scope: &Scope,
        groups: Vec<EntityUid>,
    ) -> Result<Entity, PolicyError> {
        let name = question.resource.name.filter(|name| !name.is_empty());
        // What the rules do not know is told by the word it was asked with; a kind has one word, whatever is done to it.
        let asked = question.resource.kind;
        let kind = if kind == OTHER { Kinds::known().find(asked).unwrap_or(asked) } else { kind };
        let parents = groups.into_iter().chain([scope.uid.clone()]);
        entity(itself, self.common(&scope.uid, kind, name, question.tags), parents, question.tags)
    }

    fn common(
        &self,
        namespace: &EntityUid,
        kind: &str,
        name: Option<&str>,
        tags: &Tags,
    ) -> Vec<(String, RestrictedExpression)> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let set = |words: &std::collections::BTreeSet<String>| {
            RestrictedExpression::new_set(words.iter().cloned().map(RestrictedExpression::new_string))
        };
        let mut attributes = Vec::with_capacity(8);
        attributes.push(("namespace".to_owned(), RestrictedExpression::new_entity_uid(namespace.clone())));
        attributes.push(("kind".to_owned(), text(kind)));
        attributes.push(("deidentified".to_owned(), RestrictedExpression::new_bool(tags.deidentified)));
        let words =
            [("name", name), ("owner", tags.owner.as_deref()), ("classification", tags.classification.as_deref())];
        attributes.extend(words.into_iter().filter_map(|(key, word)| Some((key.to_owned(), text(word?)))));
        let sets = [("residency", &tags.residency), ("purposes", &tags.purposes)];
        attributes.extend(sets.into_iter().filter_map(|(key, words)| Some((key.to_owned(), set(words.as_ref()?)))));
        attributes
    }

    fn type_of(&self, name: &str) -> Result<&EntityTypeName, PolicyError> {
        self.types.get(name).ok_or_else(|| PolicyError::Rules(format!("{name} is no type")))
    }
}

fn context(question: &Question<'_>) -> Result<Context, PolicyError> {
    let asked = question.context;
    if asked.purpose.is_none() && asked.site.is_none() {
        return Ok(Context::empty());
    }
    let region = asked.site.map(|site| site.split_once('-').map_or(site, |(region, _)| region));
    let pairs = [("purpose", asked.purpose), ("site", asked.site), ("region", region)];
    let pairs = pairs
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), RestrictedExpression::new_string(value?.to_owned()))));
    Context::from_pairs(pairs).map_err(|error| PolicyError::Rules(error.to_string()))
}

fn answer(rules: &PolicySet, response: &Response) -> Answer {
    let allowed = response.decision() == Verdict::Allow;
    let mut decided: Vec<_> = response.diagnostics().reason().collect();
    decided.sort();
    let why = |id: &&cedar_policy::PolicyId| rules.annotation(id, "why").filter(|_| !allowed).map(str::to_owned);
    Answer {
        allowed,
        advice: decided.iter().filter_map(why).collect(),
        policies: decided.into_iter().map(ToString::to_string).collect(),
        error: response.diagnostics().errors().next().map(ToString::to_string),
    }
}

fn type_name(name: &str) -> Result<EntityTypeName, PolicyError> {
    name.parse().map_err(|_| PolicyError::Rules(format!("{name} is no type name")))
}

fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

fn entity(
    uid: EntityUid,
    attributes: Vec<(String, RestrictedExpression)>,
    parents: impl IntoIterator<Item = EntityUid>,
    tags: &Tags,
) -> Result<Entity, PolicyError> {
    let labels = tags.labels.iter().map(|(key, value)| (key.clone(), RestrictedExpression::new_string(value.clone())));
    Entity::new_with_tags(uid, attributes, parents, labels).map_err(|error| PolicyError::Rules(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::{Context, Resource};
    use crate::schema;

    #[test]
    fn what_is_asked_fits_the_schema() {
        let engine = Engine::new().unwrap();
        let tags = Tags {
            classification: Some("phi".into()),
            residency: Some(["eu".to_owned()].into()),
            purposes: Some(["care".to_owned()].into()),
            deidentified: true,
            owner: Some("ops".into()),
            labels: [("team".to_owned(), "a".to_owned())].into(),
        };
        let held = [Role::Viewer, Role::Owner].into_iter().collect();
        for (action, kind) in Kinds::known().actions() {
            for principal in ["user:\"ana\"", "workload:flights/flights", "system:controllers", "device:plant/press"] {
                let resource = Resource { namespace: Some("flights"), kind, name: Some("flights") };
                let context = Context { purpose: Some("care"), site: Some("eu-west-1") };
                let groups = ["data".to_owned()];
                let question = Question::new(principal, &groups, action, resource).tagged(&tags).within(context);
                let scope = engine.scope(question.resource.scope()).unwrap();
                let (request, facts) = engine.prepare(&question, &scope, held).unwrap();
                let schema = schema::parsed().unwrap();
                let housed = facts.iter().filter(|entity| !entity.uid().type_name().to_string().ends_with("Action"));
                Entities::from_entities(housed.cloned(), Some(schema)).unwrap();
                let [who, what, which] =
                    [request.principal(), request.action(), request.resource()].map(|uid| uid.unwrap().clone());
                Request::new(who, what, which, super::context(&question).unwrap(), Some(schema)).unwrap();
            }
        }
    }
}

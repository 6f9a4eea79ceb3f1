//! Cedar behind one function: a question and the roles somebody holds go in, a verdict comes out.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision as Verdict, Entities, EntityId, EntityTypeName, EntityUid, Request, Response,
};

use crate::entity::{Attribute, Entity, Facts, entity, reference, text, truth, words};
use crate::grants::Held;
use crate::kind::{Kinds, OTHER};
use crate::principal::{self, TEAM, TYPES};
use crate::question::EVERYWHERE;
use crate::set::Able;
use crate::{Action, PolicyError, Question, Role, Tags};

/// The names of types and actions, made once.
pub(crate) struct Engine {
    authorizer: Authorizer,
    types: HashMap<String, EntityTypeName>,
    team: EntityTypeName,
    role: EntityTypeName,
    namespace: EntityTypeName,
    /// By kind, in the order of [`Action::ALL`].
    actions: HashMap<String, Vec<Option<Named>>>,
}

/// An entity and what it is called.
type Named = (EntityUid, Entity);

/// A namespace as the rules see it.
pub(crate) struct Scope {
    uid: EntityUid,
    facts: Facts,
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
        let mut actions: HashMap<String, Vec<Option<Named>>> = HashMap::new();
        for (of, kind) in kinds.actions() {
            let itself = uid(&action, &format!("{kind}.{of}"));
            let entity = entity(itself.clone(), [], [uid(&action, of.as_str())], &Tags::NONE);
            let known = actions.entry(kind.to_owned()).or_insert_with(|| vec![None; Action::ALL.len()]);
            if let Some(place) = known.get_mut(of as usize) {
                *place = Some((itself, entity));
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
    pub(crate) fn scope(&self, name: &str) -> Scope {
        let roles = Role::ALL.map(|role| (role, uid(&self.role, &format!("{name}/{role}"))));
        let itself = uid(&self.namespace, name);
        let mut attributes = common(&itself, "Namespace", (name != EVERYWHERE).then_some(name), &Tags::NONE);
        for (role, of) in &roles {
            attributes.push((holders(*role), reference(of)));
        }
        let facts = Facts::of(entity(itself.clone(), attributes, [], &Tags::NONE));
        Scope { uid: itself, facts, roles }
    }

    /// Puts one question to the rules.
    pub(crate) fn ask(&self, rules: &Able, question: &Question<'_>, scope: &Scope, held: Held) -> Answer {
        match self.prepare(question, scope, held) {
            Ok((request, facts)) => answer(rules, &self.authorizer.is_authorized(&request, rules.set(), &facts)),
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
        let (action, verb) = self.action(question.action, kind)?;
        let about = if kind == "Namespace" { scope.uid.clone() } else { self.object_uid(kind, question)? };
        let request = Request::new(caller.clone(), action.clone(), about.clone(), context(question), None)
            .map_err(|error| PolicyError::Rules(error.to_string()))?;
        // A workload may ask about itself: then caller and object are one.
        let is_itself = caller == about;
        let object = match kind {
            "Namespace" => None,
            _ => Some(self.object(kind, about, question, scope, if is_itself { groups.clone() } else { Vec::new() })),
        };
        let caller = if is_itself { None } else { Some(self.caller(of, id, caller, groups)) };
        let more = [caller, Some(Arc::clone(verb)), object].into_iter().flatten();
        Ok((request, scope.facts.with(more)?))
    }

    /// The teams somebody is in, and the roles they have there.
    fn memberships(&self, question: &Question<'_>, scope: &Scope, held: Held) -> Vec<EntityUid> {
        let teams = question.groups.iter().map(|name| uid(&self.team, name));
        let roles = scope.roles.iter().filter(|(role, _)| held.has(*role)).map(|(_, role)| role.clone());
        teams.chain(roles).collect()
    }

    fn caller(&self, of: &str, id: &str, itself: EntityUid, groups: Vec<EntityUid>) -> Entity {
        let Some(home) = principal::home(of, id) else {
            return entity(itself, [], groups, &Tags::NONE);
        };
        let home = uid(&self.namespace, home);
        let name = id.split_once('/').map(|(_, name)| name);
        let attributes = common(&home, of, name, &Tags::NONE);
        entity(itself, attributes, groups.into_iter().chain([home]), &Tags::NONE)
    }

    fn action(&self, action: Action, kind: &str) -> Result<&Named, PolicyError> {
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
    ) -> Entity {
        let name = question.resource.name.filter(|name| !name.is_empty());
        // What the rules do not know is told by the word it was asked with; a kind has one word, whatever is done to it.
        let asked = question.resource.kind;
        let kind = if kind == OTHER { Kinds::known().find(asked).unwrap_or(asked) } else { kind };
        let parents = groups.into_iter().chain([scope.uid.clone()]);
        entity(itself, common(&scope.uid, kind, name, question.tags), parents, question.tags)
    }

    fn type_of(&self, name: &str) -> Result<&EntityTypeName, PolicyError> {
        self.types.get(name).ok_or_else(|| PolicyError::Rules(format!("{name} is no type")))
    }
}

fn common(namespace: &EntityUid, kind: &str, name: Option<&str>, tags: &Tags) -> Vec<Attribute> {
    let mut attributes = Vec::with_capacity(10);
    attributes.push(("namespace", reference(namespace)));
    attributes.push(("kind", text(kind)));
    attributes.push(("deidentified", truth(tags.deidentified)));
    let told = [("name", name), ("owner", tags.owner.as_deref()), ("classification", tags.classification.as_deref())];
    attributes.extend(told.into_iter().filter_map(|(key, word)| Some((key, text(word?)))));
    let sets = [("residency", &tags.residency), ("purposes", &tags.purposes)];
    attributes.extend(sets.into_iter().filter_map(|(key, all)| Some((key, words(all.as_ref()?)))));
    attributes
}

fn context(question: &Question<'_>) -> Context {
    let asked = question.context;
    let region = asked.site.map(|site| site.split_once('-').map_or(site, |(region, _)| region));
    crate::entity::context([("purpose", asked.purpose), ("site", asked.site), ("region", region)])
}

fn answer(rules: &Able, response: &Response) -> Answer {
    let allowed = response.decision() == Verdict::Allow;
    let mut decided: Vec<_> = response.diagnostics().reason().collect();
    decided.sort();
    let advice = if allowed { Vec::new() } else { decided.iter().filter_map(|id| rules.why(id)).collect() };
    Answer {
        allowed,
        advice,
        policies: decided.into_iter().map(|id| AsRef::<str>::as_ref(id).to_owned()).collect(),
        error: response.diagnostics().errors().next().map(ToString::to_string),
    }
}

fn type_name(name: &str) -> Result<EntityTypeName, PolicyError> {
    name.parse().map_err(|_| PolicyError::Rules(format!("{name} is no type name")))
}

fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

const fn holders(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewers",
        Role::Editor => "editors",
        Role::Owner => "owners",
    }
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
                let scope = engine.scope(question.resource.scope());
                let (request, facts) = engine.prepare(&question, &scope, held).unwrap();
                let schema = schema::parsed().unwrap();
                let housed = facts.iter().filter(|entity| !entity.uid().type_name().to_string().ends_with("Action"));
                Entities::from_entities(housed.cloned(), Some(schema)).unwrap();
                let [who, what, which] =
                    [request.principal(), request.action(), request.resource()].map(|uid| uid.unwrap().clone());
                Request::new(who, what, which, super::context(&question), Some(schema)).unwrap();
            }
        }
    }
}

//! Entities as Cedar keeps them, made from values. Cedar's public constructors evaluate every attribute and sort out who is
//! above whom; here nothing needs evaluating, and what an entity is in has nothing above it itself, so that both would be
//! most of what a decision costs. The types are Cedar's own, of the very same version (`=` in the workspace's manifest).

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Context, Entities, EntityUid};
use cedar_policy_core::ast::{self, PartialValue, Value};
use cedar_policy_core::entities::{self, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

use crate::{PolicyError, Tags};

pub(crate) type Entity = Arc<ast::Entity>;
pub(crate) type Attribute = (&'static str, PartialValue);

pub(crate) fn text(text: &str) -> PartialValue {
    Value::from(text).into()
}

pub(crate) fn truth(is: bool) -> PartialValue {
    Value::from(is).into()
}

pub(crate) fn reference(uid: &EntityUid) -> PartialValue {
    Value::from(ast::EntityUID::from(uid.clone())).into()
}

pub(crate) fn words(words: &BTreeSet<String>) -> PartialValue {
    Value::set(words.iter().map(|word| Value::from(word.as_str())), None).into()
}

/// Nothing of `within` may be within anything itself.
pub(crate) fn entity(
    uid: EntityUid,
    attributes: impl IntoIterator<Item = Attribute>,
    within: impl IntoIterator<Item = EntityUid>,
    tags: &Tags,
) -> Entity {
    Arc::new(ast::Entity::new_with_attr_partial_value(
        uid.into(),
        attributes.into_iter().map(|(key, value)| (key.into(), value)),
        std::collections::HashSet::new(),
        within.into_iter().map(Into::into).collect(),
        tags.labels.iter().map(|(key, value)| (key.as_str().into(), text(value))),
    ))
}

pub(crate) fn context<'a>(pairs: impl IntoIterator<Item = (&'static str, Option<&'a str>)>) -> Context {
    let told = pairs.into_iter().filter_map(|(key, value)| Some((key.into(), Value::from(value?))));
    ast::Context::Value(Arc::new(told.collect())).into()
}

/// Entities that many questions are about.
pub(crate) struct Facts(entities::Entities);

impl Facts {
    pub(crate) fn of(one: Entity) -> Self {
        // It has nobody to differ from.
        Self(added(entities::Entities::new(), [one]).unwrap_or_default())
    }

    /// # Errors
    /// [`PolicyError::Rules`] when two that differ have one name.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = Entity>) -> Result<Entities, PolicyError> {
        added(self.0.clone(), more).map(Into::into)
    }
}

fn added(known: entities::Entities, more: impl IntoIterator<Item = Entity>) -> Result<entities::Entities, PolicyError> {
    let schema: Option<&NoEntitiesSchema> = None;
    let together = known.add_entities(more, schema, TCComputation::AssumeAlreadyComputed, Extensions::none());
    together.map_err(|error| PolicyError::Rules(error.to_string()))
}

//! The one write path: every change of an object goes through here, in one transaction with its change record and audit leaf.

use bedplate_db::Tx;
use bedplate_types::Timestamp;
use serde_json::Value;
use std::sync::Arc;

use crate::collect::{self, Outcome};
use crate::error::ApiError;
use crate::governance::Gate;
use crate::key::Key;
use crate::managed::{self, Author};
use crate::options::FieldValidation;
use crate::patch::Change;
use crate::propagation::Propagation;
use crate::resource::{Resource, Rules};
use crate::sight::Sight;
use crate::store::{self, By, Event};
use crate::{admit, columns, dependents, meta, names};

/// One write a client asked for: on what, by whom, how.
#[derive(Clone)]
pub struct Write {
    pub resource: Arc<Resource>,
    pub namespace: Option<String>,
    /// Empty for a creation whose object names itself.
    pub name: String,
    pub status_only: bool,
    pub actor: String,
    /// `None` for what the server does by itself.
    pub sight: Option<Sight>,
    pub manager: String,
    pub validation: FieldValidation,
    pub now: Timestamp,
    /// For the uid and a generated name.
    pub random: [u8; 16],
    pub kept: i64,
    pub gate: Option<Gate>,
}

/// What a write did.
#[derive(Debug)]
pub struct Written {
    /// In the spelling the client asked in.
    pub object: Value,
    /// The same as JSON, where it is what was stored.
    pub text: Option<String>,
    pub effect: Effect,
    pub warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Created,
    Changed,
    /// The object was like that already: nothing was written.
    Nothing,
    Deleted,
    /// It will be deleted when its finalizers allow.
    Deleting,
}

impl Write {
    /// Stores a new object.
    pub fn create(&self, tx: &mut dyn Tx, object: &Value) -> Result<Written, ApiError> {
        self.insert(tx, object.clone(), "create")
    }

    /// Changes an object; an apply creates it when it is not there.
    pub fn change(&self, tx: &mut dyn Tx, change: &Change) -> Result<Written, ApiError> {
        match store::get(tx, &self.key(&self.name))? {
            Some(stored) => self.update(tx, stored, change),
            None if change.creates() && !self.status_only => {
                let object = change.onto(&Value::Null, &self.author(), self.resource.schema.root())?;
                self.insert(tx, object, change.action())
            }
            None => Err(self.not_found()),
        }
    }

    /// Deletes an object that is as `expected` says: its uid and resourceVersion, where given. Without `how`, its finalizers
    /// say what becomes of its dependents.
    pub fn delete(&self, tx: &mut dyn Tx, expected: &Value, how: Option<Propagation>) -> Result<Written, ApiError> {
        let key = self.key(&self.name);
        let stored = store::get(tx, &key)?.ok_or_else(|| self.not_found())?;
        self.check(&stored)?;
        admit::is_current(&self.resource, &stored, expected, false)?;
        if matches!(self.resource.rules, Rules::Namespace) && self.name == "default" {
            return Err(self.forbidden(&self.name, "this namespace may not be deleted"));
        }
        let how = how.unwrap_or_else(|| Propagation::of(&stored));
        let warnings = match key.resource == columns::RESOURCE {
            true => columns::warnings(tx, &key, &stored, &Value::Null)?,
            false => Vec::new(),
        };
        let (object, effect) = match collect::delete(tx, &key, stored, how, &self.by("delete"))? {
            Outcome::Gone(object) => (object, Effect::Deleted),
            Outcome::Waiting(object) => (object, Effect::Deleting),
        };
        Ok(Written { object: self.resource.present(object)?, text: None, effect, warnings })
    }

    fn insert(&self, tx: &mut dyn Tx, mut object: Value, action: &'static str) -> Result<Written, ApiError> {
        self.require_namespace(tx)?;
        let name = Some(self.name.as_str()).filter(|name| !name.is_empty());
        admit::envelope(&self.resource, &mut object, self.namespace.as_deref(), name)?;
        if meta::text(&object, "resourceVersion").is_some() {
            let why = "resourceVersion should not be set on objects to be created";
            return Err(ApiError::BadRequest(why.to_owned()));
        }
        self.name_and_stamp(&mut object);
        let warnings = admit::shape(&self.resource, &mut object, self.validation, None)?;
        self.check(&object)?;
        if action != "apply" {
            meta::of_mut(&mut object).remove("managedFields");
            managed::note_update(&Value::Null, &mut object, &self.author(), self.resource.schema.root());
        }
        let key = self.key(meta::name(&object));
        if store::text(tx, &key)?.is_some() {
            return Err(ApiError::AlreadyExists { resource: self.resource.qualified(), name: key.name });
        }
        let mut stored = self.resource.to_stored(object)?;
        let text = store::commit(tx, &key, Event::Added, None, &mut stored, &self.by(action))?;
        Ok(Written {
            text: self.as_shown(text),
            object: self.resource.present(stored)?,
            effect: Effect::Created,
            warnings,
        })
    }

    fn name_and_stamp(&self, object: &mut Value) {
        admit::forget_servers_fields(&self.resource, object);
        let prefix = meta::text(object, "generateName").map(str::to_owned);
        if let Some(prefix) = prefix.filter(|_| meta::name(object).is_empty()) {
            meta::set(object, "name", format!("{prefix}{}", names::suffix(self.random)));
        }
        meta::set(object, "uid", uuid::Builder::from_random_bytes(self.random).into_uuid().to_string());
        meta::set(object, "creationTimestamp", meta::seconds(self.now));
        if self.resource.has_generation() {
            meta::set(object, "generation", 1);
        }
    }

    fn update(&self, tx: &mut dyn Tx, stored: Value, change: &Change) -> Result<Written, ApiError> {
        let (old, new, mut warnings) = self.updated(stored, change)?;
        if managed::same_but_for_times(&old, &new) {
            return Ok(Written { object: old, text: None, effect: Effect::Nothing, warnings });
        }
        let key = self.key(&self.name);
        if key.resource == columns::RESOURCE && !self.status_only {
            warnings.extend(columns::warnings(tx, &key, &old, &new)?);
        }
        let before = self.resource.to_stored(old)?;
        let mut stored = self.resource.to_stored(new)?;
        let by = self.by(change.action());
        let last_finalizer_went = meta::is_terminating(&stored) && meta::finalizers(&stored).is_empty();
        let (effect, text) = if last_finalizer_went && !matches!(self.resource.rules, Rules::Namespace) {
            stored = collect::remove(tx, &key, stored, &by)?;
            (Effect::Deleted, None)
        } else {
            let text = store::commit(tx, &key, Event::Modified, Some(&before), &mut stored, &by)?;
            if before["metadata"]["ownerReferences"] != stored["metadata"]["ownerReferences"] {
                dependents::release_owners(tx, &before, &by)?;
            }
            if matches!(self.resource.rules, Rules::Namespace) {
                collect::finish_namespace(tx, &self.name, &by)?;
            }
            (Effect::Changed, self.as_shown(text))
        };
        Ok(Written { object: self.resource.present(stored)?, text, effect, warnings })
    }

    /// Decides what the object becomes: (as it is, as it will be, warnings).
    fn updated(&self, stored: Value, change: &Change) -> Result<(Value, Value, Vec<String>), ApiError> {
        let resource = &self.resource;
        let old = resource.present(stored)?;
        self.check(&old)?;
        let mut new = change.onto(&old, &self.author(), resource.schema.root())?;
        if !new.is_object() {
            return Err(ApiError::Unprocessable("the patch leaves no object".to_owned()));
        }
        admit::envelope(resource, &mut new, self.namespace.as_deref(), Some(&self.name))?;
        let must_say = matches!(change, Change::Replace(_)) && matches!(resource.rules, Rules::Kind(_));
        admit::is_current(resource, &old, &new, must_say)?;
        admit::confine(resource, &old, &mut new, self.status_only);
        let warnings = admit::shape(resource, &mut new, self.validation, self.status_only.then_some("status"))?;
        admit::no_new_finalizers(resource, &old, &new)?;
        admit::no_claims(resource, &old, &new, &self.actor)?;
        self.check(&new)?;
        admit::count_generation(resource, &old, &mut new);
        if !change.creates() {
            managed::note_update(&old, &mut new, &self.author(), resource.schema.root());
        }
        Ok((old, new, warnings))
    }

    /// Whether a policy that looks at objects lets the caller do this to `object`.
    fn check(&self, object: &Value) -> Result<(), ApiError> {
        self.sight.as_ref().map_or(Ok(()), |sight| sight.check(&self.resource, object))
    }

    /// What was stored, where that is what the client is shown.
    fn as_shown(&self, text: String) -> Option<String> {
        self.resource.is_shown_as_stored().then_some(text)
    }

    fn require_namespace(&self, tx: &mut dyn Tx) -> Result<(), ApiError> {
        let Some(namespace) = &self.namespace else { return Ok(()) };
        let key = Key::new("namespaces", None, namespace);
        let not_found = || ApiError::NotFound { resource: "namespaces".to_owned(), name: namespace.clone() };
        let text = store::text(tx, &key)?.ok_or_else(not_found)?;
        // Asked at each write: what does not even have the word in it need not be read.
        if text.contains("deletionTimestamp") && meta::is_terminating(&store::parse(&text, &key)?) {
            let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
            return Err(self.forbidden(&self.name, &why));
        }
        Ok(())
    }

    fn key(&self, name: &str) -> Key {
        Key::new(&self.resource.storage(), self.namespace.as_deref(), name)
    }

    fn author(&self) -> Author {
        Author {
            manager: self.manager.clone(),
            api_version: self.resource.api_version(),
            subresource: self.status_only.then_some("status"),
            time: meta::seconds(self.now),
        }
    }

    fn by(&self, action: &'static str) -> By {
        By {
            actor: self.actor.clone(),
            action,
            subresource: self.status_only.then_some("status"),
            at: self.now,
            because: None,
            kept: self.kept,
            gate: self.gate.clone(),
        }
    }

    fn not_found(&self) -> ApiError {
        ApiError::NotFound { resource: self.resource.qualified(), name: self.name.clone() }
    }

    fn forbidden(&self, name: &str, why: &str) -> ApiError {
        ApiError::Forbidden { resource: self.resource.qualified(), name: name.to_owned(), why: why.to_owned() }
    }
}

//! Many writes as one: rehearsed, so that a person sees what would come of them, or made, all or none.

use std::sync::Arc;

use bedplate_db::{DbError, Tx};
use bedplate_identity::Principal;
use bedplate_policy::{Action as Right, Decision, Resource as Subject};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::governance::{Admitted, Denied, Gate, Governance, Proposed, Refusal, Stored};
use crate::key::Key;
use crate::meta;
use crate::options::{FieldValidation, Query};
use crate::patch::Change;
use crate::resource::Resource;
use crate::selectors::Selection;
use crate::server::{ApiServer, Inner, policy_version};
use crate::sight::Sight;
use crate::store;
use crate::watch::in_background;
use crate::write::{Effect, Write};

/// The media type of an apply.
const APPLY: &str = "application/apply-patch+yaml";

/// Writes that belong together, in the order they are made.
#[derive(Clone)]
pub struct Batch {
    pub principal: Principal,
    /// The field manager.
    pub manager: String,
    pub steps: Vec<Step>,
}

/// One object and what is wished of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub api_version: String,
    pub kind: String,
    /// Ignored for what belongs to no namespace.
    pub namespace: Option<String>,
    pub name: String,
    pub wish: Wish,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Server-side apply of this configuration; what others own is taken from them, unknown fields are refused.
    Apply(Value),
    Delete,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
    Nothing,
}

/// What came, or would come, of a step.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    pub action: Action,
    /// `Null` for a new object.
    pub old: Value,
    /// `Null` when it goes.
    pub new: Value,
    /// Why it could not be made in earnest.
    pub refusals: Vec<Refusal>,
    pub notes: Vec<String>,
}

/// Why nothing of a batch was made.
#[derive(Debug)]
pub enum Failure {
    /// These steps found something else than was expected.
    Moved(Vec<usize>),
    /// This step could not be made.
    Step(usize, ApiError),
    /// The check of what came of it did not hold.
    Check(String),
    Other(ApiError),
}

/// Whether what is there (`None`: nothing) is what step number `usize` was made for.
pub type Expect = Arc<dyn Fn(usize, Option<&Value>) -> bool + Send + Sync>;
/// Looks at what came of all steps before it is kept; the text is why it must not be.
pub type Check = Arc<dyn Fn(&[Rehearsed]) -> Result<(), String> + Send + Sync>;

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Other(error.into())
    }
}

/// How a rehearsal leaves its transaction, so that nothing is kept of it.
enum Undone {
    Rehearsed(Vec<Result<Rehearsed, ApiError>>),
    Failed(ApiError),
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

/// A step with what the server knows of it.
struct Ready {
    write: Write,
    change: Option<Change>,
}

impl ApiServer {
    /// Makes every write, one after the other, tells what came of each, and takes everything back. What whoever governs
    /// would refuse is told and goes on as if it were allowed. Rights are not asked: see [`ApiServer::may`].
    ///
    /// # Errors
    /// When the database refuses; what a step's own writing meets is the step's.
    pub async fn rehearse(&self, batch: Batch) -> Result<Vec<Result<Rehearsed, ApiError>>, ApiError> {
        let listener = self.inner.governance().map(|governor| Arc::new(Listener { governor, heard: Mutex::default() }));
        let gate = listener.clone().map(|listener| self.inner.gate_of(&batch.principal, listener));
        let steps: Vec<Result<Ready, Arc<ApiError>>> =
            batch.steps.iter().map(|step| self.inner.ready(&batch, step, gate.clone()).map_err(Arc::new)).collect();
        let run = move |tx: &mut dyn Tx| -> Result<(), Undone> {
            let mut all = Vec::with_capacity(steps.len());
            // It may be the second run of the same transaction.
            listener.iter().for_each(|listener| *listener.heard.lock() = Heard::default());
            for step in &steps {
                let done = match step {
                    Ok(step) => step.make(tx),
                    Err(error) => Err(ApiError::BadRequest(error.to_string())),
                };
                let heard = listener.as_ref().map(|listener| std::mem::take(&mut *listener.heard.lock()));
                let heard = heard.unwrap_or_default();
                all.push(done.map(|done| Rehearsed { refusals: heard.refusals, notes: heard.notes, ..done }));
            }
            Err(Undone::Rehearsed(all))
        };
        match self.inner.db.write_async(run).await {
            Err(Undone::Rehearsed(all)) => Ok(all),
            Err(Undone::Failed(error)) => Err(error),
            Ok(()) => Err(ApiError::Internal("a rehearsal was kept".to_owned())),
        }
    }

    /// Makes every write in one transaction, or none: `expect` looks at what is there first, of all steps; then each is made;
    /// then `check` looks at what came of them. Rights are not asked: see [`ApiServer::may`].
    ///
    /// # Errors
    /// [`Failure`]; nothing was written then.
    pub async fn perform(&self, batch: Batch, expect: Expect, check: Check) -> Result<Vec<Rehearsed>, Failure> {
        let gate = self.inner.gate(&batch.principal);
        let mut steps = Vec::with_capacity(batch.steps.len());
        for (at, step) in batch.steps.iter().enumerate() {
            let ready = self.inner.ready(&batch, step, gate.clone()).map_err(|error| Failure::Step(at, error))?;
            steps.push(ready);
        }
        let run = move |tx: &mut dyn Tx| -> Result<(Vec<Rehearsed>, i64), Failure> {
            let mut moved = Vec::new();
            for (at, step) in steps.iter().enumerate() {
                let there = step.stored(tx).map_err(Failure::Other)?;
                if !expect(at, there.as_ref()) {
                    moved.push(at);
                }
            }
            if !moved.is_empty() {
                return Err(Failure::Moved(moved));
            }
            let mut all = Vec::with_capacity(steps.len());
            for (at, step) in steps.iter().enumerate() {
                all.push(step.make(tx).map_err(|error| Failure::Step(at, error))?);
            }
            check(&all).map_err(Failure::Check)?;
            Ok((all, policy_version(tx).map_err(Failure::Other)?))
        };
        let (done, version) = self.inner.db.write_async(run).await?;
        self.inner.tell_of_writes(version).map_err(Failure::Other)?;
        Ok(done)
    }

    /// Merges `patch` into an object's status on behalf of somebody whose right to it was decided elsewhere.
    ///
    /// # Errors
    /// As any write: not found, [`ApiError::Withheld`], the database.
    pub async fn patch_status(
        &self,
        principal: &Principal,
        (api_version, kind): (&str, &str),
        (namespace, name): (&str, &str),
        patch: Value,
    ) -> Result<Value, ApiError> {
        let step = Step {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
            wish: Wish::Delete,
        };
        let batch = Batch { principal: principal.clone(), manager: "bedplate".to_owned(), steps: Vec::new() };
        let ready = self.inner.ready(&batch, &step, self.inner.gate(principal))?;
        let write = Write { status_only: true, validation: FieldValidation::Ignore, ..ready.write };
        let change = Change::Merge(json!({ "status": patch }));
        let written = self.inner.write(false, move |tx| write.change(tx, &change)).await?;
        Ok(written.object)
    }

    /// May `principal` apply or delete what the step names? Says nothing of what exists.
    pub fn may(
        &self,
        principal: &Principal,
        right: Right,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Decision {
        let name = Some(name).filter(|name| !name.is_empty());
        self.inner.policy.decide(&principal.name, &principal.groups, right, &Subject { namespace, kind, name })
    }

    /// The served resource of an object that says its own apiVersion and kind.
    pub fn resource_of(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        self.resources().find(|resource| resource.api_version() == api_version && resource.kind() == kind)
    }

    /// Every stored object of a kind, whoever asks: for decisions, not for showing.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn stored(&self, resource: &str) -> Result<Vec<Value>, ApiError> {
        let resource = resource.to_owned();
        in_background(&self.inner.db, move |tx| Stored::new(tx).all(&resource, None)).await
    }

    /// Everything a namespace holds but Events, whoever asks: for decisions, not for showing.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn inside(&self, namespace: &str) -> Result<Vec<Value>, ApiError> {
        let namespace = namespace.to_owned();
        in_background(&self.inner.db, move |tx| {
            let keys = store::keys_in(tx, &namespace)?.into_iter().filter(|key| key.resource != "events");
            let mut all = Vec::new();
            for key in keys.collect::<Vec<_>>() {
                all.extend(store::get(tx, &key)?);
            }
            Ok(all)
        })
        .await
    }

    /// The objects that bear what `selector` asks for and that `manager` applied, of those `principal` may list. Events and
    /// what can only be read are left out.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a selector that is none or selects everything; when the database refuses.
    pub async fn applied_by(
        &self,
        principal: &Principal,
        manager: &str,
        selector: &str,
    ) -> Result<Vec<Value>, ApiError> {
        let pairs =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("labelSelector", selector).finish();
        let selection = Selection::parse(&Query::parse(Some(&pairs)), &[])?;
        if selection.is_everything() {
            return Err(ApiError::BadRequest("the selector selects everything".to_owned()));
        }
        let kept = |resource: &&Arc<Resource>| !resource.is_read_only() && resource.kind != "Event";
        let names: Vec<String> = self.inner.catalogue.all().filter(kept).map(|resource| resource.storage()).collect();
        let all = in_background(&self.inner.db, move |tx| {
            let mut all = Vec::new();
            for name in names {
                all.extend(Stored::new(tx).all(&name, None)?);
            }
            Ok(all)
        });
        let mut all = all.await?;
        all.retain(|object| selection.matches(object) && is_applied_by(object, manager));
        all.retain(|object| {
            let kind = object["kind"].as_str().unwrap_or_default();
            let (namespace, name) = (meta::text(object, "namespace"), meta::name(object));
            self.may(principal, Right::List, kind, namespace, if kind == "Namespace" { name } else { "" }).allowed
        });
        Ok(all)
    }
}

fn is_applied_by(object: &Value, manager: &str) -> bool {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries.into_iter().any(|entry| entry["manager"] == manager && entry["operation"] == "Apply")
}

impl Inner {
    fn ready(&self, batch: &Batch, step: &Step, gate: Option<Gate>) -> Result<Ready, ApiError> {
        let served = |one: &&Arc<Resource>| one.api_version() == step.api_version && one.kind == step.kind;
        let resource = self.catalogue.all().find(served).cloned().ok_or_else(|| {
            ApiError::BadRequest(format!("no kind {:?} is served in {:?}", step.kind, step.api_version))
        })?;
        if resource.is_read_only() {
            return Err(ApiError::ReadOnly { resource: resource.qualified() });
        }
        let change = match &step.wish {
            Wish::Apply(config) => Some(Change::read(APPLY, config.to_string().as_bytes(), &resource, false, true)?),
            Wish::Delete => None,
        };
        let namespace = step.namespace.clone().filter(|_| resource.namespaced);
        let sight = Sight {
            policy: self.policy.clone(),
            principal: batch.principal.clone(),
            kind: resource.kind.clone(),
            namespace: namespace.clone(),
            action: if change.is_some() { Right::Patch } else { Right::Delete },
        };
        let write = Write {
            namespace,
            resource,
            name: step.name.clone(),
            status_only: false,
            actor: batch.principal.name.clone(),
            sight: Some(sight),
            manager: batch.manager.clone(),
            validation: FieldValidation::Strict,
            now: self.clock.now(),
            random: self.random(),
            kept: self.kept(),
            gate,
        };
        Ok(Ready { write, change })
    }
}

impl Ready {
    fn stored(&self, tx: &mut dyn Tx) -> Result<Option<Value>, ApiError> {
        let Write { resource, namespace, name, .. } = &self.write;
        let stored = store::get(tx, &Key::new(&resource.storage(), namespace.as_deref(), name))?;
        stored.map(|stored| resource.present(stored)).transpose()
    }

    fn make(&self, tx: &mut dyn Tx) -> Result<Rehearsed, ApiError> {
        let old = self.stored(tx)?.unwrap_or_default();
        let written = match &self.change {
            Some(change) => self.write.change(tx, change)?,
            None => self.write.delete(tx, &json!({}), None)?,
        };
        let (action, new) = match written.effect {
            Effect::Created => (Action::Create, written.object),
            Effect::Changed => (Action::Update, written.object),
            Effect::Nothing => (Action::Nothing, written.object),
            Effect::Deleted | Effect::Deleting => (Action::Delete, Value::Null),
        };
        Ok(Rehearsed { action, old, new, refusals: Vec::new(), notes: Vec::new() })
    }
}

/// Asks whoever governs, hears what they say, and lets everything through.
struct Listener {
    governor: Arc<dyn Governance>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    refusals: Vec<Refusal>,
    notes: Vec<String>,
}

impl Governance for Listener {
    fn admit(&self, stored: &mut Stored<'_>, change: &mut Proposed<'_>) -> Result<Admitted, Denied> {
        match self.governor.admit(stored, change) {
            Ok(admitted) => {
                self.heard.lock().notes.extend(admitted.notes.iter().cloned());
                Ok(admitted)
            }
            Err(Denied::Refused(refusals)) => {
                self.heard.lock().refusals.extend(refusals);
                Ok(Admitted::default())
            }
            Err(failed) => Err(failed),
        }
    }
}

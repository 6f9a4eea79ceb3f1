//! The last word before an object is written: whoever governs changes is asked inside the write's own transaction, of every
//! object the write touches, whichever client and whichever deletion it came from.

use std::fmt;
use std::sync::Arc;

use bedplate_db::{Tx, Value as Sql};
use bedplate_identity::Principal;
use bedplate_types::Timestamp;
use serde_json::Value;

use crate::error::ApiError;
use crate::key::Key;
use crate::meta;
use crate::seal::Seal;
use crate::store::{self, By, Event};

/// Decides whether a change may be made, and completes it.
pub trait Governance: Send + Sync {
    /// What follows from the change when it may be made. May run again for the same change, so that it has no effect
    /// beyond its answer and `change.new`.
    ///
    /// # Errors
    /// [`Denied`], with every reason there is.
    fn admit(&self, stored: &mut Stored<'_>, change: &mut Proposed<'_>) -> Result<Admitted, Denied>;
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Create,
    Update,
    /// The status alone.
    UpdateStatus,
    Delete,
}

/// A change that is about to be written.
pub struct Proposed<'a> {
    /// `datasets.bedplate.dev`, `secrets`: the name it is stored under.
    pub resource: &'a str,
    pub kind: &'a str,
    /// `None` for what belongs to no namespace.
    pub namespace: Option<&'a str>,
    pub name: &'a str,
    pub operation: Operation,
    /// Who was authenticated, whatever the body says.
    pub principal: &'a Principal,
    pub at: Timestamp,
    /// The object before; `Null` for a new one.
    pub old: &'a Value,
    /// The object after, which may be completed; `Null` when it goes. A change to a Secret here is not kept.
    pub new: &'a mut Value,
}

/// What follows from a change that may be made.
#[derive(Debug, Default)]
pub struct Admitted {
    /// Stored objects, changed, to be written with it, each under the name of its resource: `approvals.bedplate.dev`.
    pub also: Vec<(String, Value)>,
    /// What people should know, for the plan.
    pub notes: Vec<String>,
}

/// Why a change may not be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// One sentence with the rule, the evidence and the command that mends it.
    pub why: String,
    /// The command alone.
    pub fix: Option<String>,
    /// The same for machines.
    pub detail: Value,
}

/// A change is not made.
#[derive(Debug)]
pub enum Denied {
    Refused(Vec<Refusal>),
    /// It could not be decided.
    Failed(ApiError),
}

impl From<ApiError> for Denied {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// The stored objects, as the transaction sees them.
pub struct Stored<'a> {
    tx: &'a mut dyn Tx,
}

impl<'a> Stored<'a> {
    pub(crate) fn new(tx: &'a mut dyn Tx) -> Self {
        Self { tx }
    }

    /// One object; Secrets are sealed.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn get(&mut self, resource: &str, namespace: Option<&str>, name: &str) -> Result<Option<Value>, ApiError> {
        store::get(self.tx, &Key::new(resource, namespace, name))
    }

    /// All objects of a resource, of one namespace or of all.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn all(&mut self, resource: &str, namespace: Option<&str>) -> Result<Vec<Value>, ApiError> {
        store::page(self.tx, resource, namespace, ("", ""), i64::MAX)
    }

    /// How many objects of a resource a namespace has; `resource` is `datasets` or `datasets.bedplate.dev`.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn count(&mut self, resource: &str, namespace: &str) -> Result<u64, ApiError> {
        let sql = "SELECT COUNT(*) FROM api_objects WHERE namespace = $1 AND (resource = $2 OR resource LIKE $3)";
        let like = format!("{}.%", resource.replace(['%', '_'], ""));
        let args: [Sql; 3] = [namespace.into(), resource.into(), like.as_str().into()];
        let rows = self.tx.query(sql, &args)?;
        let count = rows.first().map(|row| row.int(0)).transpose()?.unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

/// Whoever decides, and on whose behalf they are asked.
#[derive(Clone)]
pub struct Gate {
    pub governance: Arc<dyn Governance>,
    pub principal: Principal,
    pub seal: Seal,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("principal", &self.principal.name).finish_non_exhaustive()
    }
}

/// Records of what happened, and signs of life: there are many, and nobody wishes them.
const UNASKED: [&str; 2] = ["events", "leases.coordination.k8s.io"];

impl Gate {
    /// Asks about one change of one stored object. `object` may be completed.
    ///
    /// # Errors
    /// [`ApiError::Withheld`], or why it could not be asked.
    pub fn ask(
        &self,
        tx: &mut dyn Tx,
        key: &Key,
        event: Event,
        before: Option<&Value>,
        object: &mut Value,
        by: &By,
    ) -> Result<Vec<(String, Value)>, ApiError> {
        let Some(operation) = operation(event, before, object, by) else { return Ok(Vec::new()) };
        if UNASKED.contains(&key.resource.as_str()) {
            return Ok(Vec::new());
        }
        let sealed = key.resource == "secrets";
        let kept = sealed || operation == Operation::Delete;
        let opened = before.filter(|_| sealed).map(|before| self.seal.open(before.clone())).transpose()?;
        let old = opened.as_ref().or(before).unwrap_or(&Value::Null);
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let mut new = match operation {
            Operation::Delete => Value::Null,
            _ if sealed => self.seal.open(object.clone())?,
            _ => object.take(),
        };
        let mut change = Proposed {
            resource: &key.resource,
            kind: &kind,
            namespace: Some(key.namespace.as_str()).filter(|namespace| !namespace.is_empty()),
            name: &key.name,
            operation,
            principal: &self.principal,
            at: by.at,
            old,
            new: &mut new,
        };
        let answer = self.governance.admit(&mut Stored::new(tx), &mut change);
        if !kept {
            *object = new;
        }
        match answer {
            Ok(admitted) => Ok(admitted.also),
            Err(Denied::Failed(error)) => Err(error),
            Err(Denied::Refused(refusals)) => {
                Err(ApiError::Withheld { resource: key.resource.clone(), name: key.name.clone(), refusals })
            }
        }
    }
}

/// What is asked about; `None` for what follows from a change that was asked about before.
fn operation(event: Event, before: Option<&Value>, object: &Value, by: &By) -> Option<Operation> {
    let leaving = before.is_some_and(meta::is_terminating);
    match event {
        Event::Added => Some(Operation::Create),
        Event::Deleted => (!leaving).then_some(Operation::Delete),
        Event::Modified if !leaving && meta::is_terminating(object) => Some(Operation::Delete),
        // Owners that went are forgotten by the deletion itself.
        Event::Modified if by.because.is_some() => None,
        Event::Modified if by.subresource.is_some() => Some(Operation::UpdateStatus),
        Event::Modified => Some(Operation::Update),
    }
}

/// Writes what follows from a change, on the same account.
pub fn follow(tx: &mut dyn Tx, also: Vec<(String, Value)>, key: &Key, by: &By) -> Result<(), ApiError> {
    for (resource, mut object) in also {
        let itself = Key::new(&resource, meta::text(&object, "namespace"), meta::name(&object));
        let before = store::get(tx, &itself)?;
        let by = By {
            action: "update",
            subresource: Some("status"),
            because: Some(format!("{key} was changed")),
            gate: None,
            ..by.clone()
        };
        store::commit(tx, &itself, Event::Modified, before.as_ref(), &mut object, &by)?;
    }
    Ok(())
}

//! Get and list.

use bedplate_db::Tx;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::key::Key;
use crate::moment::Moment;
use crate::options::Query;
use crate::place::Place;
use crate::resource::Resource;
use crate::selectors::Selection;
use crate::sight::Sight;
use crate::snapshot::Snapshot;
use crate::store;

/// How many rows are read at a time, at most.
const PAGE: i64 = 1_000;

pub fn get(tx: &mut dyn Tx, resource: &Resource, namespace: Option<&str>, name: &str) -> Result<Value, ApiError> {
    let stored = store::get(tx, &Key::new(&resource.storage(), namespace, name))?;
    let not_found = || ApiError::NotFound { resource: resource.qualified(), name: name.to_owned() };
    stored.ok_or_else(not_found).and_then(|stored| resource.present(stored))
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct List {
    pub selection: Selection,
    limit: Option<usize>,
    moment: Moment,
}

/// Objects, and the metadata of their list.
pub struct Found {
    pub items: Vec<Value>,
    pub version: i64,
    pub metadata: Value,
}

impl List {
    pub fn read(query: &Query, resource: &Resource, sight: Sight) -> Result<Self, ApiError> {
        let limit = query.number("limit")?.filter(|limit| *limit > 0);
        Ok(Self {
            selection: selection(query, resource)?.seen_by(sight),
            limit: limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            moment: Moment::read(query)?,
        })
    }

    /// Everything that is selected and there now: what a watch begins with.
    pub fn to_watch(query: &Query, resource: &Resource, sight: Sight) -> Result<Self, ApiError> {
        let moment = Moment::Present { at_least: 0 };
        Ok(Self { selection: selection(query, resource)?.seen_by(sight), limit: None, moment })
    }

    /// The next part of the list. All parts show the objects as they were when the first was read.
    pub fn run(&self, tx: &mut dyn Tx, resource: &Resource, namespace: Option<&str>) -> Result<Found, ApiError> {
        let memory = store::memory(tx)?;
        let version = self.moment.version(memory)?;
        let snapshot = Snapshot {
            resource: resource.storage(),
            namespace: namespace.map(str::to_owned),
            version,
            is_present: version == memory.head,
        };
        let (items, more) = self.collect(tx, resource, &snapshot)?;
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        if let Some(last) = items.last().filter(|_| more) {
            let place = Place::after(version, last);
            let remaining = self.remaining(tx, &snapshot, &place, items.len())?;
            metadata["continue"] = place.with_remaining(remaining).to_token().into();
            if let Some(remaining) = remaining {
                metadata["remainingItemCount"] = remaining.into();
            }
        }
        Ok(Found { items, version, metadata })
    }

    /// How many objects come after `place`. They are counted once, for the first part; of a selection they are not, as in
    /// Kubernetes.
    fn remaining(
        &self,
        tx: &mut dyn Tx,
        snapshot: &Snapshot,
        place: &Place,
        listed: usize,
    ) -> Result<Option<i64>, ApiError> {
        match &self.moment {
            _ if !self.selection.is_everything() => Ok(None),
            Moment::Continued(from) => Ok(from.remaining().map(|before| before - listed as i64)),
            _ => snapshot.count(tx, place.key()).map(Some),
        }
    }

    /// Up to `limit` matching objects, and whether there are more.
    fn collect(
        &self,
        tx: &mut dyn Tx,
        resource: &Resource,
        snapshot: &Snapshot,
    ) -> Result<(Vec<Value>, bool), ApiError> {
        let limit = self.limit.unwrap_or(usize::MAX);
        // One more than asked for shows whether there are more.
        let size = i64::try_from(limit.saturating_add(1)).unwrap_or(PAGE).min(PAGE);
        let mut items = Vec::new();
        let mut place = match &self.moment {
            Moment::Continued(place) => place.clone(),
            _ => Place::after(snapshot.version, &Value::Null),
        };
        loop {
            let page = snapshot.page(tx, place.key(), size)?;
            let Some(last) = page.last() else { return Ok((items, false)) };
            place = Place::after(snapshot.version, last);
            for stored in page {
                let object = resource.present(stored)?;
                if !self.selection.matches(&object) {
                    continue;
                }
                if items.len() == limit {
                    return Ok((items, true));
                }
                items.push(object);
            }
        }
    }
}

fn selection(query: &Query, resource: &Resource) -> Result<Selection, ApiError> {
    let known: Vec<&str> = ["metadata.name", "metadata.namespace"]
        .into_iter()
        .chain(resource.selectable.iter().map(String::as_str))
        .collect();
    Selection::parse(query, &known)
}

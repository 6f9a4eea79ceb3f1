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
    let stored = store::parse(&text(tx, resource, namespace, name)?, &name)?;
    resource.present(stored)
}

/// As [`get`], as it is stored.
pub fn text(tx: &mut dyn Tx, resource: &Resource, namespace: Option<&str>, name: &str) -> Result<String, ApiError> {
    let not_found = || ApiError::NotFound { resource: resource.qualified(), name: name.to_owned() };
    store::text(tx, &Key::new(&resource.storage(), namespace, name))?.ok_or_else(not_found)
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct List {
    pub selection: Selection,
    limit: Option<usize>,
    moment: Moment,
}

/// A list that was read.
pub enum Listed {
    Found(Found),
    /// A list of whole objects as the client gets it.
    Text(String),
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
        let snapshot = self.snapshot(tx, resource, namespace)?;
        let (items, more) = self.collect(tx, resource, &snapshot)?;
        let last = items.last().filter(|_| more).map(|last| Place::after(snapshot.version, last));
        let metadata = self.metadata(tx, &snapshot, last, items.len())?;
        Ok(Found { items, version: snapshot.version, metadata })
    }

    /// As [`Self::run`], for a client that is shown whole objects: where these are what is stored, their text is passed on
    /// unread.
    pub fn whole(&self, tx: &mut dyn Tx, resource: &Resource, namespace: Option<&str>) -> Result<Listed, ApiError> {
        let snapshot = self.snapshot(tx, resource, namespace)?;
        if !(snapshot.is_present && resource.is_shown_as_stored() && self.selection.is_everything()) {
            return self.run(tx, resource, namespace).map(Listed::Found);
        }
        let (items, listed, last) = self.texts(tx, &snapshot)?;
        let metadata = self.metadata(tx, &snapshot, last, listed)?;
        let (kind, version) = (json!(format!("{}List", resource.kind)), json!(resource.api_version()));
        Ok(Listed::Text(format!(
            "{{\"kind\":{kind},\"apiVersion\":{version},\"metadata\":{metadata},\"items\":[{items}]}}"
        )))
    }

    fn snapshot(&self, tx: &mut dyn Tx, resource: &Resource, namespace: Option<&str>) -> Result<Snapshot, ApiError> {
        let memory = store::memory(tx)?;
        let (version, resource) = (self.moment.version(memory)?, resource.storage());
        let is_present = version == memory.head || !store::is_changed_after(tx, &resource, version)?;
        Ok(Snapshot { resource, namespace: namespace.map(str::to_owned), version, is_present })
    }

    /// The metadata of a list of so many objects, after the last of which, if that is given, there are more.
    fn metadata(
        &self,
        tx: &mut dyn Tx,
        snapshot: &Snapshot,
        last: Option<Place>,
        listed: usize,
    ) -> Result<Value, ApiError> {
        let mut metadata = json!({ "resourceVersion": snapshot.version.to_string() });
        if let Some(place) = last {
            let remaining = self.remaining(tx, snapshot, &place, listed)?;
            metadata["continue"] = place.with_remaining(remaining).to_token().into();
            if let Some(remaining) = remaining {
                metadata["remainingItemCount"] = remaining.into();
            }
        }
        Ok(metadata)
    }

    /// Up to `limit` objects as they are stored, with commas between them; how many; and the last of them if there are more.
    fn texts(&self, tx: &mut dyn Tx, snapshot: &Snapshot) -> Result<(String, usize, Option<Place>), ApiError> {
        let (limit, mut listed, mut items) = (self.limit.unwrap_or(usize::MAX), 0, String::new());
        let mut place = self.beginning(snapshot);
        loop {
            let size = i64::try_from((limit - listed).saturating_add(1)).unwrap_or(PAGE).min(PAGE);
            let namespace = snapshot.namespace.as_deref();
            let rows = store::page_of_texts(tx, &snapshot.resource, namespace, place.key(), size)?;
            for row in &rows {
                if listed == limit {
                    return Ok((items, listed, Some(place)));
                }
                if listed > 0 {
                    items.push(',');
                }
                items.push_str(row.text(0)?);
                listed += 1;
                place = Place::at(snapshot.version, row.text(1)?, row.text(2)?);
            }
            if (rows.len() as i64) < size {
                return Ok((items, listed, None));
            }
        }
    }

    fn beginning(&self, snapshot: &Snapshot) -> Place {
        match &self.moment {
            Moment::Continued(place) => place.clone(),
            _ => Place::at(snapshot.version, "", ""),
        }
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
        let mut place = self.beginning(snapshot);
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

//! Get and list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bedplate_db::Tx;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::key::Key;
use crate::meta;
use crate::options::Query;
use crate::resource::Resource;
use crate::selectors::Selection;
use crate::store;

/// How many rows are read at a time.
const PAGE: i64 = 500;

pub fn get(tx: &mut dyn Tx, resource: &Resource, namespace: Option<&str>, name: &str) -> Result<Value, ApiError> {
    let stored = store::get(tx, &Key::new(&resource.storage(), namespace, name))?;
    let not_found = || ApiError::NotFound { resource: resource.qualified(), name: name.to_owned() };
    stored.ok_or_else(not_found).and_then(|stored| resource.present(stored))
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct List {
    pub selection: Selection,
    pub limit: Option<u64>,
    from: Option<Place>,
}

/// Where a list goes on: after (namespace, name), in a list that was begun at `version`.
#[derive(Clone, Debug)]
struct Place {
    version: i64,
    namespace: String,
    name: String,
}

/// Objects, and the metadata of their list.
pub struct Found {
    pub items: Vec<Value>,
    pub version: i64,
    pub metadata: Value,
}

impl List {
    pub fn read(query: &Query, resource: &Resource) -> Result<Self, ApiError> {
        let known = [&["metadata.name", "metadata.namespace"], resource.selectable].concat();
        Ok(Self {
            selection: Selection::parse(query, &known)?,
            limit: query.number("limit")?.filter(|limit| *limit > 0),
            from: query.text("continue").map(Place::read).transpose()?,
        })
    }

    /// The next part of the list. Later parts show objects as they are by then, and keep the first part's version: a
    /// watch from it tells everything that changed since, so a reader that lists and watches misses nothing.
    pub fn run(
        &self,
        tx: &mut dyn Tx,
        resource: &Resource,
        namespace: Option<&str>,
        kept: i64,
    ) -> Result<Found, ApiError> {
        let head = store::head(tx)?;
        let version = self.from.as_ref().map_or(head, |place| place.version);
        if version < head - kept {
            return Err(ApiError::Expired(
                "The provided continue parameter is too old; list again from the start".to_owned(),
            ));
        }
        let (items, more) = self.collect(tx, resource, namespace)?;
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        if let Some(last) = items.last().filter(|_| more) {
            metadata["continue"] = Place::after(version, last).to_token().into();
        }
        Ok(Found { items, version, metadata })
    }

    /// Up to `limit` matching objects, and whether there are more.
    fn collect(
        &self,
        tx: &mut dyn Tx,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<(Vec<Value>, bool), ApiError> {
        let limit = self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut items = Vec::new();
        let mut after =
            self.from.as_ref().map_or_else(Default::default, |place| (place.namespace.clone(), place.name.clone()));
        loop {
            let page = store::page(tx, &resource.storage(), namespace, (&after.0, &after.1), PAGE)?;
            let Some(last) = page.last() else { return Ok((items, false)) };
            after = place_of(last);
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

fn place_of(object: &Value) -> (String, String) {
    (meta::text(object, "namespace").unwrap_or_default().to_owned(), meta::name(object).to_owned())
}

impl Place {
    fn after(version: i64, object: &Value) -> Self {
        let (namespace, name) = place_of(object);
        Self { version, namespace, name }
    }

    fn to_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.version, self.namespace, self.name]).to_string())
    }

    fn read(token: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::BadRequest("the continue token is not valid".to_owned());
        let json = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let (version, namespace, name) = serde_json::from_slice(&json).map_err(|_| invalid())?;
        Ok(Self { version, namespace, name })
    }
}

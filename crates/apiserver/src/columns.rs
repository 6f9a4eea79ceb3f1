//! What is particular about Datasets and what stands on them: taking away a column that is in use is warned of, and what is
//! deleted stands on nothing any more.

use bedplate_db::Tx;
use bedplate_lineage::{Bounds, Dependants, LineageError, Named};
use serde_json::Value;

use crate::error::ApiError;
use crate::key::Key;

/// The name datasets are stored under.
pub const RESOURCE: &str = "datasets.bedplate.dev";
/// So many dependants are named in one warning.
const NAMED: usize = 12;

/// A warning for every column that `new` has no more and something stands on; of a deletion (`new` is null) one for all.
pub fn warnings(tx: &mut dyn Tx, key: &Key, old: &Value, new: &Value) -> Result<Vec<String>, ApiError> {
    if new.is_null() {
        let found = dependants(tx, key, None)?;
        let told = told(&found);
        return Ok(told.map(|told| format!("dataset {} is used by {told}", key.name)).into_iter().collect());
    }
    let kept: Vec<&str> = columns(new).collect();
    let mut warnings = Vec::new();
    for column in columns(old).filter(|column| !kept.contains(column)) {
        if let Some(told) = told(&dependants(tx, key, Some(column))?) {
            warnings.push(format!("column {column} of dataset {} is used by {told}; they fail without it", key.name));
        }
    }
    Ok(warnings)
}

fn columns(dataset: &Value) -> impl Iterator<Item = &str> {
    dataset["spec"]["schema"].as_array().into_iter().flatten().filter_map(|column| column["name"].as_str())
}

fn dependants(tx: &mut dyn Tx, key: &Key, column: Option<&str>) -> Result<Dependants, ApiError> {
    match bedplate_lineage::impact(tx, &key.namespace, &key.name, column, Bounds::default()) {
        Ok(found) => Ok(found.dependants),
        // It was never ingested.
        Err(LineageError::UnknownColumn { .. }) => Ok(Dependants::default()),
        Err(error) => Err(ApiError::Internal(error.to_string())),
    }
}

fn told(found: &Dependants) -> Option<String> {
    let all: Vec<String> = found.all().map(|(sort, one)| format!("{sort} {}", one.name)).collect();
    let (first, rest) = all.split_at(all.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    (!first.is_empty()).then(|| format!("{}{more}", first.join(", ")))
}

/// What the lineage calls the kinds that stand on others.
const SORTS: [(&str, &str); 5] = [
    ("featureviews.bedplate.dev", "view"),
    ("trainingrecipes.bedplate.dev", "recipe"),
    ("models.bedplate.dev", "model"),
    ("endpoints.bedplate.dev", "endpoint"),
    ("monitors.bedplate.dev", "monitor"),
];

/// An object of this key is gone.
pub fn gone(tx: &mut dyn Tx, key: &Key) -> Result<(), ApiError> {
    let Some((_, sort)) = SORTS.into_iter().find(|(resource, _)| *resource == key.resource) else { return Ok(()) };
    let named = Named::new(sort, &key.namespace, &key.name);
    bedplate_lineage::retire(tx, &named).map_err(|error| ApiError::Internal(error.to_string()))
}

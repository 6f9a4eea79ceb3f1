//! The objects of a resource as they were at one version: what was changed after it is undone by the records of the
//! changes, each of which keeps the object from before.

use bedplate_db::{Tx, Value as Sql};
use serde_json::Value;

use crate::error::ApiError;
use crate::store;

/// Rows of the present that no later change touched, and of each object that one did, what it was before the first.
/// $1 resource, $2 namespace or '' for all, ($3, $4) the place to begin after, $5 version.
const PAST: &str = "
SELECT o.namespace AS namespace, o.name AS name, o.body AS body FROM api_objects o
 WHERE o.resource = $1 AND ($2 = '' OR o.namespace = $2) AND (o.namespace, o.name) > ($3, $4)
   AND NOT EXISTS (SELECT 1 FROM api_changes c
                    WHERE c.resource = o.resource AND c.namespace = o.namespace AND c.name = o.name AND c.version > $5)
UNION ALL
SELECT c.namespace, c.name, c.body_before FROM api_changes c
 WHERE c.resource = $1 AND ($2 = '' OR c.namespace = $2) AND (c.namespace, c.name) > ($3, $4)
   AND c.version > $5 AND c.body_before IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM api_changes e
                    WHERE e.resource = c.resource AND e.namespace = c.namespace AND e.name = c.name
                      AND e.version > $5 AND e.version < c.version)";

/// One state of a resource, in one namespace or in all.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The resource's storage name.
    pub resource: String,
    pub namespace: Option<String>,
    /// Must not lie before the floor of [`store::Memory`].
    pub version: i64,
    /// Nothing was changed after `version`.
    pub is_present: bool,
}

impl Snapshot {
    /// At most `limit` stored objects after (namespace, name), in that order.
    pub fn page(&self, tx: &mut dyn Tx, after: (&str, &str), limit: i64) -> Result<Vec<Value>, ApiError> {
        if self.is_present {
            return store::page(tx, &self.resource, self.namespace.as_deref(), after, limit);
        }
        let sql = format!("SELECT body FROM ({PAST}) AS past ORDER BY namespace, name LIMIT $6");
        let arguments: Vec<Sql> = self.arguments(after).into_iter().chain([limit.into()]).collect();
        let rows = tx.query(&sql, &arguments)?;
        rows.iter().map(|row| store::parse(row.text(0)?, &self.resource)).collect()
    }

    /// How many objects there are after (namespace, name).
    pub fn count(&self, tx: &mut dyn Tx, after: (&str, &str)) -> Result<i64, ApiError> {
        let rows = tx.query(&format!("SELECT COUNT(*) FROM ({PAST}) AS past"), &self.arguments(after))?;
        Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or_default())
    }

    fn arguments(&self, after: (&str, &str)) -> [Sql; 5] {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        [self.resource.as_str().into(), namespace.into(), after.0.into(), after.1.into(), self.version.into()]
    }
}

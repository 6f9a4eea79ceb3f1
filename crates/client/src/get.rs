//! `get`: objects as the server's table, or as they are.

use kube::Client;
use serde_json::Value;

use crate::error::ClientError;
use crate::request::{JSON, TABLE, get, query, send};
use crate::resource::Resource;
use crate::table::Table;

/// Which namespaces are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Namespace(String),
    All,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    pub resource: Resource,
    /// All of them when left out.
    pub name: Option<String>,
    pub scope: Scope,
    /// A label selector: `team=ops,tier!=test`.
    pub labels: Option<String>,
    /// A field selector: `metadata.name=flights`.
    pub fields: Option<String>,
}

impl Query {
    #[must_use]
    pub fn all(resource: Resource, scope: Scope) -> Self {
        Self { resource, name: None, scope, labels: None, fields: None }
    }

    #[must_use]
    pub fn one(resource: Resource, scope: Scope, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::all(resource, scope) }
    }

    fn path(&self) -> String {
        let selectors = query(&[("labelSelector", self.labels.as_deref()), ("fieldSelector", self.fields.as_deref())]);
        match &self.name {
            Some(name) => self.resource.object_path(&self.scope, name),
            None => format!("{}{selectors}", self.resource.path(&self.scope)),
        }
    }
}

/// The server's table of what was asked for (`Accept: …;as=Table`).
pub async fn table(client: &Client, query: &Query) -> Result<Table, ClientError> {
    send(client, get(&query.path(), TABLE)?).await
}

/// The object, or the `List` of objects, as the server keeps them.
pub async fn objects(client: &Client, query: &Query) -> Result<Value, ClientError> {
    send(client, get(&query.path(), JSON)?).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::tests::datasets;

    #[test]
    fn a_name_takes_the_place_of_selectors() {
        let mut query = Query::all(datasets(), Scope::All);
        query.labels = Some("team=ops".into());
        assert_eq!(query.path(), "/apis/bedplate.dev/v1alpha1/datasets?labelSelector=team%3Dops");
        query.name = Some("flights".into());
        query.scope = Scope::Namespace("demo".into());
        assert_eq!(query.path(), "/apis/bedplate.dev/v1alpha1/namespaces/demo/datasets/flights");
    }
}

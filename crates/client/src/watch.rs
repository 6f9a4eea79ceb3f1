//! `get -w`: the rows that change, as they change.

use futures::{AsyncBufReadExt, Stream, TryStreamExt};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ClientError;
use crate::get::{Query, Scope};
use crate::request::{TABLE, get, query as query_string, said};
use crate::table::Table;

/// One change of a watch, as a table of one row.
#[derive(Clone, Debug)]
pub struct Change {
    pub kind: ChangeKind,
    pub table: Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: ChangeKind,
    object: Value,
}

/// Changes after `resource_version`, until the server ends the watch. Bookmarks are left out.
pub async fn watch(
    client: &Client,
    query: &Query,
    resource_version: &str,
) -> Result<impl Stream<Item = Result<Change, ClientError>>, ClientError> {
    let request = get(&path(query, resource_version), TABLE)?;
    let what = said(&request);
    let reader = client.request_stream(request).await.map_err(|error| ClientError::of(&what, error))?;
    let lines = reader
        .lines()
        .map_err(move |error| ClientError::Unreachable { server: "the watch".into(), why: error.to_string() });
    Ok(lines.try_filter_map(|line| std::future::ready(change(&line))))
}

fn path(query: &Query, resource_version: &str) -> String {
    let by_name = query.name.as_ref().map(|name| format!("metadata.name={name}"));
    let fields = by_name.as_deref().or(query.fields.as_deref());
    let asked = query_string(&[
        ("watch", Some("true")),
        ("resourceVersion", Some(resource_version)),
        ("labelSelector", query.labels.as_deref()),
        ("fieldSelector", fields),
    ]);
    let scope: &Scope = &query.scope;
    format!("{}{asked}", query.resource.path(scope))
}

fn change(line: &str) -> Result<Option<Change>, ClientError> {
    let unreadable = |why: String| ClientError::Answer { what: "a watch".into(), why };
    if line.trim().is_empty() {
        return Ok(None);
    }
    let event: Event = serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
    match event.kind {
        ChangeKind::Bookmark => Ok(None),
        ChangeKind::Error => Err(refused(&event.object)),
        kind => {
            let table = Table::deserialize(&event.object).map_err(|error| unreadable(error.to_string()))?;
            Ok(Some(Change { kind, table }))
        }
    }
}

fn refused(status: &Value) -> ClientError {
    let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
    let message = status["message"].as_str().unwrap_or("the watch ended with an error").to_owned();
    ClientError::Refused { what: "a watch".into(), code, message, fix: None }
}

#[cfg(test)]
mod tests {
    use bedplate_types::{ErrorKind, Explained};

    use super::*;
    use crate::resource::tests::datasets;

    #[test]
    fn one_object_is_watched_by_its_name() {
        let query = Query::one(datasets(), Scope::Namespace("demo".into()), "flights");
        let path = path(&query, "12");
        assert!(
            path.ends_with("/datasets?watch=true&resourceVersion=12&fieldSelector=metadata.name%3Dflights"),
            "{path}"
        );
    }

    #[test]
    fn bookmarks_are_skipped_and_errors_are_errors() {
        assert!(change(r#"{"type":"BOOKMARK","object":{}}"#).unwrap().is_none());
        let gone = change(r#"{"type":"ERROR","object":{"code":410,"message":"too old"}}"#).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::Gone);
        let added = change(r#"{"type":"ADDED","object":{"rows":[{"cells":["flights"]}]}}"#).unwrap().unwrap();
        assert_eq!((added.kind, added.table.rows.len()), (ChangeKind::Added, 1));
        assert!(change("{").is_err());
    }
}

//! What stands on a dataset, or on one of its columns.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bedplate_lineage::{Bounds, Impact};
use bedplate_policy::Action;
use bedplate_types::{ErrorKind, Problem};
use serde::Deserialize;

use super::trace::{namespace_of, openlineage};
use super::{Facts, Failed, failed};

#[derive(Deserialize)]
pub struct Asked {
    namespace: String,
    dataset: String,
    column: Option<String>,
    depth: Option<usize>,
    #[serde(rename = "as")]
    form: Option<String>,
}

pub async fn impact(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Failed> {
    let who = facts.who(&headers)?;
    facts.may(&who, Action::Get, Some(&asked.namespace), "lineage")?;
    let what = format!("the impact of {}/{}", asked.namespace, asked.dataset);
    let usual = Bounds::default();
    let bounds = Bounds { depth: asked.depth.unwrap_or(usual.depth).min(usual.depth), ..usual };
    let found = facts
        .db
        .read(|tx| bedplate_lineage::impact(tx, &asked.namespace, &asked.dataset, asked.column.as_deref(), bounds));
    let found: Impact = found.map_err(|error| failed(&what)(&error))?;
    let may = |namespace: &str| facts.may(&who, Action::Get, Some(namespace), "lineage").is_ok();
    if !found.graph.nodes.iter().filter_map(|(node, _)| namespace_of(node)).all(may) {
        let why = "something in a namespace you may not see depends on it";
        return Err(Failed(Problem::new(ErrorKind::Denied, what, why).with_fix("ask an administrator")));
    }
    Ok(match asked.form.as_deref() {
        Some("dot") => ([(header::CONTENT_TYPE, "text/vnd.graphviz")], found.graph.to_dot()).into_response(),
        Some("openlineage") => Json(openlineage(&found.graph)).into_response(),
        None => Json(found).into_response(),
        Some(other) => {
            let why = format!("{other:?} is not a form of it; there are dot and openlineage");
            return Err(Failed(Problem::new(ErrorKind::Invalid, what, why)));
        }
    })
}

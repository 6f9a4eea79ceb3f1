//! `trace`: the lineage of a node, back to its sources or on to what was made of it.

use kube::Client;

use crate::error::ClientError;
use crate::request::{JSON, get, query, send_text};

/// Which way lineage is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From an effect to its causes: `trace`.
    Upstream,
    /// From a cause to its effects: `impact`.
    Downstream,
}

/// The graph around `node` (`prediction:ID`, `table:ns/name@3`, …) as the platform tells it:
/// `{"nodes": [{"node", "facts"}], "edges": [{"from", "to", "by", "at"}]}`
/// in JSON; in the form `dot` as Graphviz, in the form `openlineage` as a JSON array of events.
pub async fn trace(
    client: &Client,
    node: &str,
    direction: Direction,
    form: Option<&str>,
) -> Result<String, ClientError> {
    send_text(client, get(&path(node, direction, form), JSON)?).await
}

/// What stands on a dataset of a namespace or on one of its columns, as the platform tells it:
/// `{"dependants": {"features", "recipes", "models", "endpoints", "monitors"}, "graph"}` in JSON; in the form `dot` as Graphviz, in
/// the form `openlineage` as a JSON array of events.
pub async fn impact(
    client: &Client,
    namespace: &str,
    dataset: &str,
    column: Option<&str>,
    depth: Option<usize>,
    form: Option<&str>,
) -> Result<String, ClientError> {
    let depth = depth.map(|depth| depth.to_string());
    let asked = query(&[
        ("namespace", Some(namespace)),
        ("dataset", Some(dataset)),
        ("column", column),
        ("depth", depth.as_deref()),
        ("as", form),
    ]);
    send_text(client, get(&format!("/bedplate/v1/impact{asked}"), JSON)?).await
}

fn path(node: &str, direction: Direction, form: Option<&str>) -> String {
    let direction = (direction == Direction::Downstream).then_some("downstream");
    format!("/bedplate/v1/trace{}", query(&[("node", Some(node)), ("direction", direction), ("as", form)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_is_one_value_of_the_query() {
        assert_eq!(path("prediction:r/1", Direction::Upstream, None), "/bedplate/v1/trace?node=prediction%3Ar%2F1");
        assert!(path("x", Direction::Downstream, Some("dot")).ends_with("?node=x&direction=downstream&as=dot"));
    }
}

//! A part of the lineage graph as a tree.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{Result, Write};

use serde_json::Value;

/// The graph as a tree from where the walk began; what was told already is only named again. Columns are told where the walk
/// was one along columns, and lead on to what they are columns of.
pub fn tree(out: &mut dyn Write, graph: &Value, impact: bool) -> Result<()> {
    let turned = |(from, to)| if impact { (from, to) } else { (to, from) };
    let mut edges: Vec<(&str, &str)> = pairs(&graph["edges"]).map(turned).collect();
    let along_columns = graph["nodes"][0]["sort"] == "column" || graph["nodes"][0]["sort"] == "feature";
    if along_columns {
        let columns: Vec<(&str, &str)> = pairs(&graph["columns"]).map(turned).collect();
        let sources: BTreeSet<&str> = edges.iter().map(|edge| edge.0).collect();
        let ends: BTreeSet<&str> = columns.iter().map(|edge| edge.1).collect();
        let owners = ends.iter().filter_map(|column| Some((*column, owner(column)?)));
        edges.splice(0..0, columns.iter().copied().chain(owners.filter(|(_, owner)| sources.contains(owner))));
    }
    let targets: HashSet<_> = edges.iter().map(|edge| edge.1).collect();
    let roots = edges.iter().map(|edge| edge.0).filter(|node| !targets.contains(node));
    let mut told = HashSet::new();
    let places = places(graph);
    for root in roots.collect::<BTreeSet<_>>() {
        branch(out, (&edges, &places), root, 0, &mut told)?;
    }
    Ok(())
}

/// Where files and other sources lay when they were read.
fn places(graph: &Value) -> HashMap<&str, &str> {
    let nodes = graph["nodes"].as_array().into_iter().flatten();
    nodes.filter_map(|node| Some((node["id"].as_str()?, node["facts"]["path"].as_str()?))).collect()
}

/// Says on standard error when the walk was cut.
pub fn cut(graph: &Value) {
    if let Some(why) = graph["cut"].as_str() {
        eprintln!("warning: {why}");
    }
}

fn pairs(edges: &Value) -> impl Iterator<Item = (&str, &str)> {
    edges.as_array().into_iter().flatten().filter_map(|edge| Some((edge["from"].as_str()?, edge["to"].as_str()?)))
}

/// What a column is a column of.
fn owner(column: &str) -> Option<&str> {
    column.strip_prefix("column:")?.split_once('#').map(|(owner, _)| owner)
}

fn branch<'a>(
    out: &mut dyn Write,
    (edges, places): (&[(&'a str, &'a str)], &HashMap<&str, &str>),
    node: &'a str,
    depth: usize,
    told: &mut HashSet<&'a str>,
) -> Result<()> {
    let again = !told.insert(node);
    let mark = if again && edges.iter().any(|edge| edge.0 == node) { " (see above)" } else { "" };
    let place = places.get(node).map(|place| format!(" {place}")).unwrap_or_default();
    writeln!(out, "{}{node}{place}{mark}", "  ".repeat(depth))?;
    if again {
        return Ok(());
    }
    for (_, next) in edges.iter().filter(|edge| edge.0 == node) {
        branch(out, (edges, places), next, depth + 1, told)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(graph: &Value, impact: bool) -> String {
        let mut text = Vec::new();
        tree(&mut text, graph, impact).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_source_is_told_with_where_it_lay() {
        let graph = json!({
            "nodes": [{"id": "table:f/t@0", "sort": "table"}, {"id": "source:a", "facts": {"path": "s3://b/x.csv"}}],
            "edges": [{"from": "source:a", "to": "table:f/t@0"}],
        });
        assert_eq!(told(&graph, false), "table:f/t@0\n  source:a s3://b/x.csv\n");
    }

    #[test]
    fn a_walk_along_columns_goes_on_to_what_stands_on_their_owners() {
        let graph = json!({
            "nodes": [{"id": "column:table:f/t@0#x", "sort": "column"}],
            "edges": [{"from": "model:f/m@1", "to": "endpoint:f/e"}],
            "columns": [
                {"from": "column:table:f/t@0#x", "to": "feature:f/v@d#x"},
                {"from": "feature:f/v@d#x", "to": "column:model:f/m@1#v__x"},
            ],
        });
        let expected = "column:table:f/t@0#x\n  feature:f/v@d#x\n    column:model:f/m@1#v__x\n      model:f/m@1\n        endpoint:f/e\n";
        assert_eq!(told(&graph, true), expected);
        let mut coarse = graph;
        coarse["nodes"][0]["sort"] = json!("model");
        assert_eq!(told(&coarse, true), "model:f/m@1\n  endpoint:f/e\n", "else columns are for programs");
    }
}

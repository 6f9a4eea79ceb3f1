//! The graph as Graphviz reads it (<https://graphviz.org/doc/info/lang.html>).

use std::fmt::Write;

use crate::{Graph, Node};

impl Graph {
    /// Text for `dot -Tsvg`: causes on the left, effects on the right.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
        for (node, _) in &self.nodes {
            let _ = writeln!(text, "  {} [label={}];", quoted(&node.to_string()), quoted(&label(node)));
        }
        for edge in &self.edges {
            let (from, to) = (edge.from.to_string(), edge.to.to_string());
            let _ = writeln!(text, "  {} -> {} [tooltip={}];", quoted(&from), quoted(&to), quoted(&edge.by));
        }
        text.push_str("}\n");
        text
    }
}

fn label(node: &Node) -> String {
    match node {
        Node::Source(digest) | Node::Snapshot(digest) => format!("{}\n{}", node.sort(), digest.short()),
        other => other.to_string().replacen(':', "\n", 1),
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

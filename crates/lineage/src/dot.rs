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
        for edge in &self.columns {
            let (from, to) = (edge.from.to_string(), edge.to.to_string());
            let style = if edge.how.is_direct() { "solid" } else { "dashed" };
            let how = quoted(&edge.how.subtype().to_lowercase().replace('_', " "));
            let _ = writeln!(text, "  {} -> {} [label={how}, style={style}];", quoted(&from), quoted(&to));
        }
        text.push_str("}\n");
        text
    }
}

fn label(node: &Node) -> String {
    match node {
        Node::Source(digest) | Node::Snapshot(digest) => format!("{}\n{}", node.sort(), digest.short()),
        Node::Column { of, name } => format!("{name}\n{}", label(of)),
        Node::Feature { view, name, .. } => format!("feature\n{view}.{name}"),
        other => other.to_string().replacen(':', "\n", 1),
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

//! How far back a trace goes, and whether all of it ends in source files.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Walk {
    /// Every path back ends in a source file.
    pub complete: bool,
    /// Edges on the longest path.
    pub hops: usize,
    pub sources: BTreeSet<String>,
}

/// Follows every path of an acyclic graph back from `start`; an edge is (what came of it, what it came of).
pub fn walk(edges: &[(String, String)], start: &str) -> Walk {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::from([(start, 0)]);
    let mut open = vec![start];
    let mut walk = Walk { complete: true, ..Walk::default() };
    while let Some(node) = open.pop() {
        let depth = depths[node];
        let causes: Vec<_> = edges.iter().filter(|edge| edge.0 == node).map(|edge| edge.1.as_str()).collect();
        if causes.is_empty() {
            walk.hops = walk.hops.max(depth);
            walk.complete &= node.starts_with("source:");
            walk.sources.insert(node.to_owned());
        }
        for cause in causes {
            if depths.get(cause).is_none_or(|known| *known < depth + 1) {
                depths.insert(cause, depth + 1);
                open.push(cause);
            }
        }
    }
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(to, from)| ((*to).to_owned(), (*from).to_owned())).collect()
    }

    #[test]
    fn complete_means_every_path_ends_in_a_source() {
        let whole = edges(&[("p", "m"), ("m", "t"), ("t", "source:a"), ("m", "v"), ("v", "t")]);
        let found = walk(&whole, "p");
        assert_eq!((found.complete, found.hops, found.sources.len()), (true, 4, 1));
        let broken = edges(&[("p", "m"), ("m", "t")]);
        assert!(!walk(&broken, "p").complete);
    }
}

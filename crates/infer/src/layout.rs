//! From the file's nodes to the walk's: every tree in preorder, so that a walk only ever moves forward.
//!
//! The true child directly follows its parent and the false child stands behind the whole true side. A walk that only
//! moves forward ends, whatever the model says; what remains to check here is that each tree has one root, that no node
//! has two parents, and that none is out of reach.

use crate::InferError;
use crate::attributes::{Mode, RawNode, RawVote};
use crate::error::malformed;
use crate::forest::{Forest, Node, Op};

/// Lays out the trees in the order in which the file first names them.
pub(crate) fn lay_out(raw: &[RawNode], votes: &[RawVote], targets: usize) -> Result<Forest, InferError> {
    let roots = roots(raw)?;
    let ballots = Ballots::sorted(votes, raw.len());
    let mut forest = Forest::new(targets, ops(raw));
    for root in roots {
        lay_out_tree(&mut forest, raw, &ballots, root);
    }
    if forest.nodes.len() == raw.len() { Ok(forest) } else { Err(malformed("some nodes are out of reach")) }
}

/// The one node of each tree that is nobody's child.
fn roots(raw: &[RawNode]) -> Result<Vec<usize>, InferError> {
    let mut has_parent = vec![false; raw.len()];
    for child in raw.iter().filter_map(|node| node.children).flat_map(|(yes, no)| [yes, no]) {
        if std::mem::replace(&mut has_parent[child], true) {
            return Err(malformed(format!("node {child} has two parents")));
        }
    }
    let roots: Vec<usize> = (0..raw.len()).filter(|at| !has_parent[*at]).collect();
    let mut trees: Vec<i64> = roots.iter().map(|root| raw[*root].tree).collect();
    trees.sort_unstable();
    match trees.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(malformed(format!("tree {} has two roots", pair[0]))),
        None => Ok(roots),
    }
}

/// Which one test serves all inner nodes, so that the walk need not ask.
fn ops(raw: &[RawNode]) -> Option<Op> {
    let mut ops = raw.iter().filter_map(|node| test(node.mode)).map(|(op, _)| op);
    let first = ops.next().unwrap_or(Op::Below);
    ops.all(|op| op == first).then_some(first)
}

/// The test of a mode, and whether its children change places: above is not at most, and so on.
fn test(mode: Mode) -> Option<(Op, bool)> {
    Some(match mode {
        Mode::Leaf => return None,
        Mode::Below => (Op::Below, false),
        Mode::AtLeast => (Op::Below, true),
        Mode::AtMost => (Op::AtMost, false),
        Mode::Above => (Op::AtMost, true),
        Mode::Equal => (Op::Equal, false),
        Mode::Unequal => (Op::Equal, true),
    })
}

fn lay_out_tree(forest: &mut Forest, raw: &[RawNode], ballots: &Ballots<'_>, root: usize) {
    forest.roots.push(forest.next());
    let mut waiting = vec![(root, None)];
    while let Some((at, parent)) = waiting.pop() {
        let here = forest.next();
        if let Some(parent) = parent {
            forest.nodes[parent as usize].other = here;
        }
        match (raw[at].children, test(raw[at].mode)) {
            (Some((yes, no)), Some((op, swapped))) => {
                let (yes, no) = if swapped { (no, yes) } else { (yes, no) };
                forest.nodes.push(Node::split(&raw[at], op, swapped));
                waiting.push((no, Some(here)));
                waiting.push((yes, None));
            }
            _ => forest.push_leaf(ballots.of(at)),
        }
    }
}

/// The votes grouped by leaf, in the file's order within a leaf.
struct Ballots<'a> {
    votes: &'a [RawVote],
    order: Vec<u32>,
    starts: Vec<u32>,
}

impl<'a> Ballots<'a> {
    fn sorted(votes: &'a [RawVote], nodes: usize) -> Self {
        let mut order: Vec<u32> = (0..).take(votes.len()).collect();
        order.sort_by_key(|at| votes[*at as usize].node);
        let mut starts = vec![0; nodes + 1];
        for vote in votes {
            starts[vote.node + 1] += 1;
        }
        for at in 0..nodes {
            starts[at + 1] += starts[at];
        }
        Self { votes, order, starts }
    }

    fn of(&self, node: usize) -> impl Iterator<Item = RawVote> + '_ {
        let span = self.starts[node] as usize..self.starts[node + 1] as usize;
        self.order[span].iter().map(|at| self.votes[*at as usize])
    }
}

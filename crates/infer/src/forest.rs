//! The trees as they are walked: 12 bytes a node, forward only.

use crate::attributes::{RawNode, RawVote};

/// The test of an inner node; true goes to the next node, false to `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Below = 0,
    AtMost = 1,
    Equal = 2,
}

/// An inner node, or a leaf (`other` is 0, where no false child ever stands).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// The threshold; of a leaf, its weight when there is one target.
    value: f32,
    /// Feature, test and direction of NaN; of a leaf, 0, or its number when there are several targets.
    bits: u32,
    pub other: u32,
}

/// Trees walked in step.
const ABREAST: usize = 4;
const MISSING_BIT: u32 = 1 << 31;
const OP_SHIFT: u32 = 28;
const FEATURE_MASK: u32 = (1 << OP_SHIFT) - 1;

impl Node {
    pub fn split(raw: &RawNode, op: Op, swapped: bool) -> Self {
        let missing = if raw.missing_true != swapped { MISSING_BIT } else { 0 };
        Self { value: raw.threshold, bits: raw.feature | (op as u32) << OP_SHIFT | missing, other: 0 }
    }

    fn feature(self) -> usize {
        (self.bits & FEATURE_MASK) as usize
    }

    fn passes(self, op: Op, x: f32) -> bool {
        let holds = match op {
            Op::Below => x < self.value,
            Op::AtMost => x <= self.value,
            Op::Equal => x == self.value,
        };
        holds | (x.is_nan() & (self.bits & MISSING_BIT != 0))
    }

    fn op(self) -> Op {
        match (self.bits & !MISSING_BIT) >> OP_SHIFT {
            0 => Op::Below,
            1 => Op::AtMost,
            _ => Op::Equal,
        }
    }
}

/// All trees, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Forest {
    pub nodes: Vec<Node>,
    pub roots: Vec<u32>,
    /// The test all inner nodes share, if they do.
    op: Option<Op>,
    targets: usize,
    /// With several targets: where the votes of each leaf end.
    ends: Vec<u32>,
    votes: Vec<(u32, f32)>,
}

impl Forest {
    pub fn new(targets: usize, op: Option<Op>) -> Self {
        Self { nodes: Vec::new(), roots: Vec::new(), op, targets, ends: Vec::new(), votes: Vec::new() }
    }

    /// The index the next node gets; load has checked that it fits.
    pub fn next(&self) -> u32 {
        self.nodes.len() as u32
    }

    pub fn push_leaf(&mut self, votes: impl Iterator<Item = RawVote>) {
        if self.targets == 1 {
            let value = votes.map(|vote| vote.weight).sum();
            self.nodes.push(Node { value, bits: 0, other: 0 });
            return;
        }
        self.nodes.push(Node { value: 0.0, bits: self.ends.len() as u32, other: 0 });
        self.votes.extend(votes.map(|vote| (vote.target, vote.weight)));
        self.ends.push(self.votes.len() as u32);
    }

    /// Adds the leaves a row falls into to `scores`, one score a target, tree after tree.
    /// `row` must have all features, at least one, and `scores` all targets.
    pub fn add(&self, row: &[f32], scores: &mut [f32]) {
        match self.op {
            Some(Op::Below) => self.add_with(row, scores, |node, x| node.passes(Op::Below, x)),
            Some(Op::AtMost) => self.add_with(row, scores, |node, x| node.passes(Op::AtMost, x)),
            _ => self.add_with(row, scores, |node, x| node.passes(node.op(), x)),
        }
    }

    #[inline]
    fn add_with(&self, row: &[f32], scores: &mut [f32], passes: impl Fn(Node, f32) -> bool) {
        if let [score] = scores {
            self.add_values(row, score, &passes);
            return;
        }
        for root in &self.roots {
            let leaf = self.walk(*root, row, &passes);
            self.add_votes(leaf.bits as usize, scores);
        }
    }

    #[inline]
    fn add_values(&self, row: &[f32], score: &mut f32, passes: impl Fn(Node, f32) -> bool) {
        let (groups, rest) = self.roots.as_chunks::<ABREAST>();
        for roots in groups {
            for leaf in self.walk_abreast(*roots, row, &passes) {
                *score += leaf.value;
            }
        }
        for root in rest {
            *score += self.walk(*root, row, &passes).value;
        }
    }

    #[inline]
    fn walk(&self, root: u32, row: &[f32], passes: impl Fn(Node, f32) -> bool) -> Node {
        self.walk_abreast([root], row, passes)[0]
    }

    /// Walks several trees in step: while one waits for its node to come from memory the others go on, and which way a
    /// tree turns is a selection, not a jump the processor has to guess. Who has arrived stays.
    #[inline]
    fn walk_abreast<const N: usize>(
        &self,
        roots: [u32; N],
        row: &[f32],
        passes: impl Fn(Node, f32) -> bool,
    ) -> [Node; N] {
        let mut at = roots;
        loop {
            let nodes = at.map(|at| self.nodes[at as usize]);
            if nodes.iter().fold(0, |any, node| any | node.other) == 0 {
                return nodes;
            }
            for (at, node) in at.iter_mut().zip(nodes) {
                let next = if passes(node, row[node.feature()]) { *at + 1 } else { node.other };
                *at = if node.other == 0 { *at } else { next };
            }
        }
    }

    fn add_votes(&self, leaf: usize, scores: &mut [f32]) {
        let start = if leaf == 0 { 0 } else { self.ends[leaf - 1] as usize };
        for (target, weight) in &self.votes[start..self.ends[leaf] as usize] {
            scores[*target as usize] += weight;
        }
    }
}

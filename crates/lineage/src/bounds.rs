//! How far a walk goes.

/// A walk has so many nodes at most.
pub const MAX_NODES: usize = 10_000;
/// A walk is so many steps deep at most.
pub const MAX_DEPTH: usize = 100;

/// The limits of one walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub nodes: usize,
    /// Steps away from the nodes it begins at.
    pub depth: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { nodes: MAX_NODES, depth: MAX_DEPTH }
    }
}

impl Bounds {
    pub(crate) fn nodes_reached(self) -> String {
        format!("the walk was cut at {} nodes: the farthest are missing", self.nodes)
    }

    pub(crate) fn depth_reached(self) -> String {
        format!("the walk was cut {} steps away: there is more behind", self.depth)
    }
}

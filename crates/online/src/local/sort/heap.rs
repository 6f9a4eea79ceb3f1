//! Sorted runs read together.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use super::run::{Owned, Spilled, head};

/// The next row of every run, least first.
pub(super) struct Merged {
    heap: BinaryHeap<Reverse<Next>>,
    /// The row that was given last.
    last: Option<Owned>,
}

struct Next {
    /// What the row's key begins with.
    head: u128,
    row: Owned,
    from: Spilled,
}

impl Merged {
    pub(super) fn new(runs: Vec<Spilled>) -> io::Result<Self> {
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for from in runs {
            let mut next = Next { head: 0, row: Owned::default(), from };
            if next.step()? {
                heap.push(Reverse(next));
            }
        }
        Ok(Self { heap, last: None })
    }

    /// The next key's row.
    pub(super) fn next(&mut self) -> io::Result<Option<&Owned>> {
        while let Some(mut least) = self.heap.peek_mut() {
            let next = &mut least.0;
            let is_new = self.last.as_ref().is_none_or(|last| last.borrowed().key != next.row.borrowed().key);
            if is_new {
                std::mem::swap(self.last.get_or_insert_default(), &mut next.row);
            }
            if !next.step()? {
                PeekMut::pop(least);
            }
            if is_new {
                return Ok(self.last.as_ref());
            }
        }
        Ok(None)
    }
}

impl Next {
    /// Goes on to the run's next row; false at its end.
    fn step(&mut self) -> io::Result<bool> {
        let is_there = self.from.next(&mut self.row)?;
        self.head = head(self.row.borrowed().key);
        Ok(is_there)
    }
}

impl Ord for Next {
    /// By key; of rows with one key the one with the greatest value is the least.
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, theirs) = (self.row.borrowed(), other.row.borrowed());
        self.head.cmp(&other.head).then_with(|| (own.key, theirs.value).cmp(&(theirs.key, own.value)))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next {}

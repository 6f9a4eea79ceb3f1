//! Sorted runs read together.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io;

use super::run::{Owned, Spilled};

/// The next row of every run, least first.
pub(super) struct Merged {
    heap: BinaryHeap<Reverse<Next>>,
    last: Option<Next>,
}

struct Next {
    row: Owned,
    from: Spilled,
}

impl Merged {
    pub(super) fn new(runs: Vec<Spilled>) -> io::Result<Self> {
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for mut from in runs {
            let mut row = Owned::default();
            if from.next(&mut row)? {
                heap.push(Reverse(Next { row, from }));
            }
        }
        Ok(Self { heap, last: None })
    }

    /// The next key's row.
    pub(super) fn next(&mut self) -> io::Result<Option<&Owned>> {
        // The run of the last row goes on only now: the row was lent.
        if let Some(mut last) = self.last.take() {
            while let Some(mut same) = self.heap.peek_mut() {
                if same.0.row.borrowed().key != last.row.borrowed().key {
                    break;
                }
                let Next { row, from } = &mut same.0;
                if !from.next(row)? {
                    std::collections::binary_heap::PeekMut::pop(same);
                }
            }
            if last.from.next(&mut last.row)? {
                self.heap.push(Reverse(last));
            }
        }
        self.last = self.heap.pop().map(|next| next.0);
        Ok(self.last.as_ref().map(|next| &next.row))
    }
}

impl Ord for Next {
    /// By key; of rows with one key the one with the greatest value is the least.
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, theirs) = (self.row.borrowed(), other.row.borrowed());
        (own.key, theirs.value).cmp(&(theirs.key, own.value))
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

//! A view's latest rows on their way into memory, seen by nobody yet.

use std::hash::{BuildHasher, RandomState};

use super::table::{Key, Row, Table};
use crate::layout::ViewPrefix;

pub(crate) struct Filling {
    view: ViewPrefix,
    table: Table,
    /// Bytes it may have.
    limit: usize,
    is_whole: bool,
    hashers: (RandomState, RandomState),
    row: Vec<f64>,
}

impl Filling {
    pub(super) fn new(view: ViewPrefix, width: usize, limit: usize, hashers: (RandomState, RandomState)) -> Self {
        Self { view, table: Table::new(width), limit, is_whole: true, hashers, row: Vec::with_capacity(width) }
    }

    /// The latest row of an entity, which was not put before; as many as have place are kept.
    pub(crate) fn put(&mut self, entity: &[u8], time: i64, values: impl IntoIterator<Item = f64>) {
        let needs = Table::chunk_bytes(self.table.width());
        let has_place = !self.table.is_full() || self.table.bytes() + needs <= self.limit;
        self.row.clear();
        self.row.extend(values);
        // Rows of other columns are left to the store, which says what is wrong with them.
        if has_place && self.row.len() == self.table.width() {
            let key = Key(self.hashers.0.hash_one(entity), self.hashers.1.hash_one(entity));
            self.table.put(key, Row { time, values: &self.row });
        } else {
            self.lacks_one();
        }
    }

    /// Some entity that has rows is not in it.
    pub(crate) fn lacks_one(&mut self) {
        self.is_whole = false;
    }

    pub(super) fn into_parts(self) -> (ViewPrefix, Table, bool) {
        (self.view, self.table, self.is_whole)
    }
}

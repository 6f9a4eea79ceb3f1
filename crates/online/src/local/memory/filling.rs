//! A view's latest rows on their way into memory, seen by nobody yet.

use super::table::{Keys, Row, Table};
use crate::layout::ViewPrefix;

pub(crate) struct Filling {
    pub(super) view: ViewPrefix,
    /// Which filling of the view it is: another may have been begun since.
    pub(super) number: u64,
    pub(super) table: Table,
    /// Bytes it may have.
    limit: usize,
    pub(super) is_whole: bool,
    keys: Keys,
    row: Vec<f64>,
}

impl Filling {
    pub(super) fn new((view, number): (ViewPrefix, u64), width: usize, limit: usize, keys: Keys) -> Self {
        Self { view, number, table: Table::new(width), limit, is_whole: true, keys, row: Vec::with_capacity(width) }
    }

    /// The latest row of an entity, which was not put before; as many as have place are kept.
    pub(crate) fn put(&mut self, entity: &[u8], time: i64, values: impl IntoIterator<Item = f64>) {
        let needs = Table::chunk_bytes(self.table.width());
        let has_place = !self.table.is_full() || self.table.bytes() + needs <= self.limit;
        self.row.clear();
        self.row.extend(values);
        // Rows of other columns are left to the store, which says what is wrong with them.
        if has_place && self.row.len() == self.table.width() {
            self.table.put(self.keys.of(entity), Row { time, values: &self.row });
        } else {
            self.lacks_one();
        }
    }

    /// Some entity that has rows is not in it.
    pub(crate) fn lacks_one(&mut self) {
        self.is_whole = false;
    }
}

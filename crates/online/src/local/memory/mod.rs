//! The latest rows of views of `last` values, so that a request touches no disk.
//!
//! Bounded: when it is full the biggest view forgets what was written first and not read since. A view all of whose
//! entities are here [knows all](Knows::All): who is not here has no rows. Of any other view, an entity that is not here may
//! have rows on disk. A writer puts its rows here once they can be read from the store; a reader, and a view that is being
//! filled, may put here only what nobody wrote meanwhile ([`Ticket`]).

mod filling;
mod table;
mod times;

use std::cmp::Ordering;
use std::collections::HashMap;

use bedplate_features::tidy;
use parking_lot::{RwLock, RwLockReadGuard};

pub(crate) use filling::Filling;
pub(crate) use table::{Key, Row};
use table::{Keys, Table};

use crate::layout::ViewPrefix;
use crate::local::tickets::{Ticket, Tickets};

/// Entities written while their view is filled, beyond which it does not know all.
const MISSED: usize = 65_536;

pub(crate) struct Memory {
    limit: usize,
    views: RwLock<Views>,
    keys: Keys,
}

#[derive(Default)]
struct Views {
    views: HashMap<ViewPrefix, View>,
    bytes: usize,
    tickets: Tickets,
    /// How many fillings were begun.
    fillings: u64,
}

struct View {
    table: Table,
    knows: Knows,
}

enum Knows {
    /// Who is not here may have rows.
    Some,
    /// The same, because not all have place.
    Part,
    /// The same; these were written since this filling began.
    Filling { number: u64, missed: Vec<Vec<u8>> },
    /// Who is not here has none.
    All,
}

/// What is known of an entity.
pub(crate) enum Known<'a> {
    Row(Row<'a>),
    NoRows,
    /// Ask the store.
    Nothing,
}

/// A row just written.
pub(crate) struct Written<'a> {
    /// With its view's prefix.
    pub entity: &'a [u8],
    pub time: i64,
    pub values: &'a [Option<f64>],
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, views: RwLock::default(), keys: Keys::default() }
    }

    /// Reads many entities of a view at once.
    pub(crate) fn reader(&self) -> MemoryReader<'_> {
        MemoryReader { views: self.views.read(), memory: self }
    }

    pub(crate) fn ticket(&self) -> Ticket {
        self.views.read().tickets.now()
    }

    /// Keeps the latest row that a reader found of an entity, unless it was written since.
    pub(crate) fn keep(&self, ticket: Ticket, view: &ViewPrefix, entity: &[u8], row: Row<'_>) {
        let mut views = self.views.write();
        if views.tickets.holds(ticket, entity) {
            self.put(&mut views, view, entity, row);
        }
    }

    /// Rows that readers of the store can see now. Where the store alone can tell which of two rows of one time is the later
    /// one, `latest` asks it.
    pub(crate) fn wrote(
        &self,
        view: &ViewPrefix,
        rows: &[Written<'_>],
        latest: impl Fn(&[u8]) -> Option<(i64, Vec<f64>)>,
    ) {
        let (mut views, mut values) = (self.views.write(), Vec::new());
        views.tickets.wrote(rows.iter().map(|row| row.entity));
        for row in rows {
            let Some(known) = views.views.get_mut(view) else { return };
            known.miss(row.entity);
            values.clear();
            values.extend(row.values.iter().map(|value| value.and_then(tidy).unwrap_or(f64::NAN)));
            let (here, key) = (Row { time: row.time, values: &values }, self.keys.of(row.entity));
            match known.table.get(key).map(|known| known.time.cmp(&row.time)) {
                Some(Ordering::Greater) => {}
                Some(Ordering::Less) => known.table.put(key, here),
                Some(Ordering::Equal) => match latest(row.entity) {
                    Some((time, values)) => known.table.put(key, Row { time, values: &values }),
                    None => return views.remove(view),
                },
                None if matches!(known.knows, Knows::All) => self.put(&mut views, view, row.entity, here),
                None => {}
            }
        }
    }

    /// Begins to fill a view, whose rows have so many values; `None` when somebody else does, or it
    /// knows as much as there is place for.
    pub(crate) fn fill(&self, view: &ViewPrefix, width: usize) -> Option<Filling> {
        let mut views = self.views.write();
        if views.views.get(view).is_some_and(|known| !matches!(known.knows, Knows::Some)) {
            return None;
        }
        views.remove(view);
        views.fillings += 1;
        let number = views.fillings;
        let knows = Knows::Filling { number, missed: Vec::new() };
        views.views.insert(*view, View { table: Table::new(width), knows });
        Some(Filling::new((*view, number), width, self.limit, self.keys.clone()))
    }

    /// What was filled is there for readers. The caller keeps others from writing to the view, and `latest` reads what was
    /// written since the filling began; `None` where it cannot.
    pub(crate) fn filled(&self, filling: Filling, latest: impl Fn(&[u8]) -> Option<(i64, Vec<f64>)>) {
        let mut views = self.views.write();
        let Filling { view, number, mut table, is_whole, .. } = filling;
        let Some(missed) = views.views.get_mut(&view).and_then(|known| known.missed(number)) else { return };
        views.remove(&view);
        let mut knows_all = is_whole && views.make_room(&mut table, self.limit);
        for entity in missed {
            match latest(&entity) {
                Some((time, values)) => table.put(self.keys.of(&entity), Row { time, values: &values }),
                None => return,
            }
        }
        // What was missed may have needed a chunk more.
        knows_all &= views.make_room(&mut table, self.limit);
        views.bytes += table.bytes();
        views.views.insert(view, View { table, knows: if knows_all { Knows::All } else { Knows::Part } });
    }

    pub(crate) fn forget(&self, view: &ViewPrefix) {
        let mut views = self.views.write();
        views.tickets.wrote_all();
        views.remove(view);
    }

    fn put(&self, views: &mut Views, view: &ViewPrefix, entity: &[u8], row: Row<'_>) {
        let key = self.keys.of(entity);
        let known = views.views.entry(*view);
        let known = known.or_insert_with(|| View { table: Table::new(row.values.len()), knows: Knows::Some });
        if known.table.width() != row.values.len() {
            return;
        }
        let has_place = !known.table.is_full() || known.table.holds(key);
        let has_place = has_place || views.make_place(view, self.limit);
        let Some(known) = views.views.get_mut(view) else { return };
        if has_place {
            known.table.put(key, row);
        } else {
            known.knows = Knows::Part;
        }
    }
}

impl View {
    /// Notes what is written while the view is filled, whether or not a reader put it here meanwhile: what fills it is from
    /// before.
    fn miss(&mut self, entity: &[u8]) {
        match &mut self.knows {
            Knows::Filling { missed, .. } if missed.len() < MISSED => missed.push(entity.to_vec()),
            filling @ Knows::Filling { .. } => *filling = Knows::Some,
            _ => {}
        }
    }

    /// What was missed by this filling; `None` when it is not the one that goes on.
    fn missed(&mut self, filling: u64) -> Option<Vec<Vec<u8>>> {
        match &mut self.knows {
            Knows::Filling { number, missed } if *number == filling => Some(std::mem::take(missed)),
            _ => None,
        }
    }
}

impl Views {
    /// Sees to it that the view has place for one entity more; false where there is none.
    fn make_place(&mut self, view: &ViewPrefix, limit: usize) -> bool {
        loop {
            let Some(known) = self.views.get(view).filter(|known| known.table.is_full()) else { return true };
            let needs = Table::chunk_bytes(known.table.width());
            if self.bytes + needs <= limit {
                self.bytes += needs;
                return true;
            }
            if !self.forget_oldest() {
                return false;
            }
        }
    }

    /// Has the biggest view forget, which then does not know all any more.
    fn forget_oldest(&mut self) -> bool {
        let Some(biggest) = self.views.values_mut().max_by_key(|known| known.table.bytes()) else { return false };
        let before = biggest.table.bytes();
        if !biggest.table.forget_oldest() {
            return false;
        }
        biggest.knows = Knows::Part;
        self.bytes = self.bytes + biggest.table.bytes() - before;
        true
    }

    /// Sees to it that a table has room beside the others; false when it had to forget for that itself.
    fn make_room(&mut self, table: &mut Table, limit: usize) -> bool {
        let mut is_whole = true;
        while self.bytes + table.bytes() > limit {
            let others = self.views.values().map(|known| known.table.bytes()).max().unwrap_or(0);
            if others <= table.bytes() || !self.forget_oldest() {
                is_whole = false;
                if !table.forget_oldest() {
                    break;
                }
            }
        }
        is_whole
    }

    fn remove(&mut self, view: &ViewPrefix) {
        if let Some(gone) = self.views.remove(view) {
            self.bytes -= gone.table.bytes();
        }
    }
}

/// Nobody writes while it is there: it is short-lived.
pub(crate) struct MemoryReader<'a> {
    views: RwLockReadGuard<'a, Views>,
    memory: &'a Memory,
}

impl MemoryReader<'_> {
    pub(crate) fn key(&self, entity: &[u8]) -> Key {
        self.memory.keys.of(entity)
    }

    /// A view, if its rows have so many values.
    pub(crate) fn view(&self, view: &ViewPrefix, width: usize) -> Option<ViewReader<'_>> {
        self.views.views.get(view).filter(|known| known.table.width() == width).map(ViewReader)
    }

    /// The latest of all rows of an entity of a view whose rows have so many values.
    pub(crate) fn latest(&self, view: &ViewPrefix, entity: &[u8], width: usize) -> Known<'_> {
        self.view(view, width).map_or(Known::Nothing, |view| view.latest(self.key(entity)))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ViewReader<'a>(&'a View);

impl<'a> ViewReader<'a> {
    pub(crate) fn latest(self, entity: Key) -> Known<'a> {
        self.known(self.0.table.get(entity))
    }

    /// Of many at once; `None` is an entity without rows.
    pub(crate) fn latest_of(self, entities: &[Option<Key>]) -> impl Iterator<Item = Known<'a>> {
        let rows = self.0.table.get_all(entities);
        rows.into_iter().zip(entities).map(move |(row, entity)| match entity {
            Some(_) => self.known(row),
            None => Known::NoRows,
        })
    }

    fn known(self, row: Option<Row<'a>>) -> Known<'a> {
        match (row, &self.0.knows) {
            (Some(row), _) => Known::Row(row),
            (None, Knows::All) => Known::NoRows,
            (None, _) => Known::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: ViewPrefix = [1; 16];
    const OTHER: ViewPrefix = [2; 16];

    fn memory(chunks: usize) -> Memory {
        Memory::new(chunks * Table::chunk_bytes(1))
    }

    fn time(memory: &Memory, entity: &[u8]) -> Result<Option<i64>, &'static str> {
        match memory.reader().latest(&VIEW, entity, 1) {
            Known::Row(row) => Ok(Some(row.time)),
            Known::NoRows => Ok(None),
            Known::Nothing => Err("ask the store"),
        }
    }

    fn wrote(memory: &Memory, entity: &[u8], time: i64) {
        let written = [Written { entity, time, values: &[Some(0.0)] }];
        memory.wrote(&VIEW, &written, |_| Some((time, vec![9.0])));
    }

    fn keep(memory: &Memory, ticket: Ticket, view: &ViewPrefix, entity: &[u8], time: i64) {
        memory.keep(ticket, view, entity, Row { time, values: &[0.0] });
    }

    #[test]
    fn what_was_found_is_kept_unless_it_was_written_meanwhile() {
        let memory = memory(4);
        let ticket = memory.ticket();
        keep(&memory, ticket, &VIEW, b"e", 1);
        assert_eq!((time(&memory, b"e"), time(&memory, b"f")), (Ok(Some(1)), Err("ask the store")));
        wrote(&memory, b"f", 5);
        keep(&memory, ticket, &VIEW, b"f", 1);
        assert_eq!(time(&memory, b"f"), Err("ask the store"));
        memory.forget(&VIEW);
        keep(&memory, ticket, &VIEW, b"e", 1);
        assert_eq!(time(&memory, b"e"), Err("ask the store"));
    }

    #[test]
    fn a_later_row_takes_the_place_and_of_two_of_one_time_the_store_knows_which() {
        let memory = memory(4);
        keep(&memory, memory.ticket(), &VIEW, b"e", 5);
        wrote(&memory, b"e", 4);
        assert_eq!(time(&memory, b"e"), Ok(Some(5)));
        wrote(&memory, b"e", 6);
        assert_eq!(time(&memory, b"e"), Ok(Some(6)));
        wrote(&memory, b"e", 6);
        let reader = memory.reader();
        assert!(matches!(reader.latest(&VIEW, b"e", 1), Known::Row(row) if row.values == [9.0]));
        assert!(matches!(reader.latest(&VIEW, b"e", 2), Known::Nothing), "rows of another width are other rows");
    }

    fn fill(memory: &Memory, entities: impl Iterator<Item = u32>) {
        let mut filling = memory.fill(&VIEW, 1).unwrap();
        entities.for_each(|entity| filling.put(&entity.to_be_bytes(), 1, [0.0]));
        memory.filled(filling, |_| None);
    }

    #[test]
    fn a_filled_view_knows_who_has_no_rows() {
        let memory = memory(4);
        let mut filling = memory.fill(&VIEW, 1).unwrap();
        assert!(memory.fill(&VIEW, 1).is_none());
        wrote(&memory, b"e", 7);
        filling.put(b"e", 1, [0.0]);
        filling.put(b"f", 2, [0.0]);
        assert_eq!((time(&memory, b"e"), time(&memory, b"g")), (Err("ask the store"), Err("ask the store")));
        memory.filled(filling, |entity| (entity == b"e").then(|| (7, vec![0.0])));
        assert_eq!(
            (time(&memory, b"e"), time(&memory, b"f"), time(&memory, b"g")),
            (Ok(Some(7)), Ok(Some(2)), Ok(None))
        );
        wrote(&memory, b"g", 3);
        assert_eq!(time(&memory, b"g"), Ok(Some(3)));
        assert!(memory.fill(&VIEW, 1).is_none(), "it knows all");
    }

    #[test]
    fn what_a_reader_put_in_and_a_writer_replaced_while_it_is_filled_is_not_taken_back() {
        let memory = memory(4);
        let mut filling = memory.fill(&VIEW, 1).unwrap();
        keep(&memory, memory.ticket(), &VIEW, b"e", 1);
        filling.put(b"e", 1, [0.0]);
        wrote(&memory, b"e", 7);
        memory.filled(filling, |_| Some((7, vec![0.0])));
        assert_eq!(time(&memory, b"e"), Ok(Some(7)));
    }

    #[test]
    fn a_filling_that_was_overtaken_is_thrown_away() {
        let memory = memory(4);
        let mut early = memory.fill(&VIEW, 1).unwrap();
        early.put(b"e", 1, [0.0]);
        memory.forget(&VIEW);
        let mut late = memory.fill(&VIEW, 1).unwrap();
        late.put(b"e", 2, [0.0]);
        memory.filled(early, |_| None);
        assert_eq!(time(&memory, b"e"), Err("ask the store"));
        memory.filled(late, |_| None);
        assert_eq!(time(&memory, b"e"), Ok(Some(2)));
        let views = memory.views.read();
        assert_eq!(views.bytes, Table::chunk_bytes(1));
    }

    #[test]
    fn where_the_store_cannot_tell_nothing_is_known() {
        let memory = memory(4);
        keep(&memory, memory.ticket(), &VIEW, b"e", 5);
        memory.wrote(&VIEW, &[Written { entity: b"e", time: 5, values: &[Some(0.0)] }], |_| None);
        assert_eq!(time(&memory, b"e"), Err("ask the store"));
    }

    #[test]
    fn what_was_missed_and_cannot_be_read_is_not_taken_for_nothing() {
        let memory = memory(4);
        let filling = memory.fill(&VIEW, 1).unwrap();
        wrote(&memory, b"e", 7);
        memory.filled(filling, |_| None);
        assert_eq!(time(&memory, b"e"), Err("ask the store"));
        assert!(memory.fill(&VIEW, 1).is_some(), "it can be begun again");
    }

    #[test]
    fn it_stays_within_its_limit_and_a_view_that_forgot_does_not_know_all() {
        let memory = memory(2);
        fill(&memory, 0..6_000);
        assert_eq!(time(&memory, b"nobody"), Ok(None));
        keep(&memory, memory.ticket(), &OTHER, b"o", 1);
        let ask = Err("ask the store");
        assert_eq!((time(&memory, b"nobody"), time(&memory, &0_u32.to_be_bytes())), (ask, ask));
        assert_eq!(time(&memory, &5_999_u32.to_be_bytes()), Ok(Some(1)));
        let views = memory.views.read();
        assert!(views.bytes <= memory.limit && views.views[&OTHER].table.holds(memory.keys.of(b"o")));
        assert_eq!(views.bytes, views.views.values().map(|known| known.table.bytes()).sum::<usize>());
    }

    #[test]
    fn what_does_not_fit_is_filled_in_part() {
        let memory = memory(2);
        fill(&memory, 0..20_000);
        let there = |entity: u32| time(&memory, &entity.to_be_bytes()).is_ok();
        assert_eq!((time(&memory, b"nobody"), there(0)), (Err("ask the store"), true));
        assert_eq!((0..20_000).filter(|entity| there(*entity)).count(), 2 * 4096);
        assert!(memory.views.read().bytes <= memory.limit);
    }

    #[test]
    fn what_never_fits_is_not_kept() {
        let memory = memory(0);
        keep(&memory, memory.ticket(), &VIEW, b"e", 1);
        assert_eq!(time(&memory, b"e"), Err("ask the store"));
        let mut filling = memory.fill(&OTHER, 1).unwrap();
        filling.put(b"o", 1, [0.0]);
        memory.filled(filling, |_| None);
        for entity in [b"o", b"p"] {
            assert!(matches!(memory.reader().latest(&OTHER, entity, 1), Known::Nothing));
        }
        assert!(memory.fill(&OTHER, 1).is_none(), "there is still no place");
    }
}

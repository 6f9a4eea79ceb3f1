//! The rows of windows read lately, so that a window is not scanned again for each request.
//!
//! Bounded: what was read least lately is forgotten. A push in order of time is appended, any other push to a remembered
//! entity forgets it. Scans run without the lock, so each carries the [`Ticket`] it began with, taken before its view of the
//! store: it is kept only if nothing was written to its entity meanwhile. A row written in between is either not in the
//! scan, and then the writer appends it, or it is, and then the writer finds it there and forgets the entity.

use std::collections::HashMap;
use std::sync::Arc;

use bedplate_features::History;
use parking_lot::Mutex;

use crate::local::memory::Written;
use crate::local::tickets::{Ticket, Tickets};

/// Numbers remembered in each of two generations, those of tiles among them: 8 bytes each, so about 32 MiB in all, twice that
/// with what is appended.
const CELLS: usize = 2 * 1024 * 1024;
/// What an entity costs besides its rows.
const ENTITY_CELLS: usize = 32;

/// All rows of one entity known in `from..=until`.
#[derive(Clone)]
pub(crate) struct Tail {
    pub from: i64,
    pub until: i64,
    pub history: History,
    /// Rows beyond which it is forgotten: most have left the window by then.
    pub limit: usize,
}

#[derive(Default)]
pub(crate) struct Cache(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    tickets: Tickets,
    young: HashMap<Vec<u8>, Arc<Tail>>,
    old: HashMap<Vec<u8>, Arc<Tail>>,
    young_cells: usize,
}

impl Cache {
    pub(crate) fn ticket(&self) -> Ticket {
        self.0.lock().tickets.now()
    }

    /// The rows of an entity, if all of `start..=at` are remembered and have so many columns.
    pub(crate) fn get(&self, entity: &[u8], start: i64, at: i64, columns: usize) -> Option<Arc<Tail>> {
        let tail = self.0.lock().get(entity)?;
        (tail.from <= start && at <= tail.until && tail.history.columns() == columns).then_some(tail)
    }

    pub(crate) fn keep(&self, ticket: Ticket, entity: Vec<u8>, tail: Arc<Tail>) {
        let mut generations = self.0.lock();
        if generations.tickets.holds(ticket, &entity) {
            generations.remove(&entity);
            generations.insert(entity, tail);
        }
    }

    /// Rows that readers of the store can see now, in key order.
    pub(crate) fn wrote(&self, rows: &[Written<'_>]) {
        let mut generations = self.0.lock();
        generations.tickets.wrote(rows.iter().map(|row| row.entity));
        for row in rows {
            if generations.young.is_empty() && generations.old.is_empty() {
                break;
            }
            generations.append(row);
        }
    }

    pub(crate) fn clear(&self) {
        let mut generations = self.0.lock();
        generations.tickets.wrote_all();
        generations.forget_all();
    }
}

impl Generations {
    fn get(&mut self, entity: &[u8]) -> Option<Arc<Tail>> {
        if let Some(tail) = self.young.get(entity) {
            return Some(Arc::clone(tail));
        }
        let (entity, tail) = self.old.remove_entry(entity)?;
        self.insert(entity, Arc::clone(&tail));
        Some(tail)
    }

    fn insert(&mut self, entity: Vec<u8>, tail: Arc<Tail>) {
        self.young_cells += ENTITY_CELLS + tail.history.bytes() / size_of::<f64>();
        self.young.insert(entity, tail);
        if self.young_cells > CELLS {
            self.old = std::mem::take(&mut self.young);
            self.young_cells = 0;
        }
    }

    fn forget_all(&mut self) {
        self.young.clear();
        self.old.clear();
        self.young_cells = 0;
    }

    /// The cells stay counted until the generation turns: they bound, they do not measure.
    fn remove(&mut self, entity: &[u8]) {
        self.young.remove(entity);
        self.old.remove(entity);
    }

    fn append(&mut self, row: &Written<'_>) {
        let found = self.young.get_mut(row.entity).or_else(|| self.old.get_mut(row.entity));
        if let Some(tail) = found
            && (tail.from..=tail.until).contains(&row.time)
            && !append_in_order(tail, row)
        {
            self.remove(row.entity);
        }
    }
}

/// Whether the row could simply be added at the end. Rows of one time have an order of their own, which is not known here.
fn append_in_order(tail: &mut Arc<Tail>, row: &Written<'_>) -> bool {
    let history = &tail.history;
    let fits = history.len() < tail.limit && history.columns() == row.values.len();
    let in_order = history.all().times.last().is_none_or(|last| *last < row.time);
    if fits && in_order {
        Arc::make_mut(tail).history.push(row.time, row.values);
    }
    fits && in_order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(times: &[i64]) -> Arc<Tail> {
        let mut history = History::new(1);
        times.iter().for_each(|time| history.push(*time, &[Some(1.0)]));
        Arc::new(Tail { from: 0, until: 100, history, limit: 4 })
    }

    fn wrote(cache: &Cache, time: i64) {
        cache.wrote(&[Written { entity: b"e", time, values: &[Some(1.0)] }]);
    }

    fn remembered(cache: &Cache) -> Option<Vec<i64>> {
        cache.get(b"e", 0, 100, 1).map(|tail| tail.history.all().times.to_vec())
    }

    fn holding(times: &[i64]) -> Cache {
        let cache = Cache::default();
        cache.keep(cache.ticket(), b"e".to_vec(), tail(times));
        cache
    }

    #[test]
    fn appends_in_order_and_forgets_otherwise() {
        let cache = holding(&[1, 5]);
        wrote(&cache, 6);
        assert_eq!(remembered(&cache), Some(vec![1, 5, 6]));
        wrote(&cache, 101);
        wrote(&cache, -1);
        assert_eq!(remembered(&cache), Some(vec![1, 5, 6]));
        wrote(&cache, 6);
        assert_eq!(remembered(&cache), None);
        let cache = holding(&[1, 2, 3, 4]);
        wrote(&cache, 5);
        assert_eq!(remembered(&cache), None);
    }

    #[test]
    fn a_scan_begun_before_a_write_is_not_kept() {
        let cache = Cache::default();
        let ticket = cache.ticket();
        wrote(&cache, 3);
        cache.keep(ticket, b"e".to_vec(), tail(&[1]));
        assert_eq!(remembered(&cache), None);
    }

    #[test]
    fn answers_only_what_it_holds() {
        let cache = holding(&[1]);
        assert!(cache.get(b"e", -1, 50, 1).is_none());
        assert!(cache.get(b"e", 0, 101, 1).is_none());
        assert!(cache.get(b"e", 0, 50, 2).is_none());
        assert!(cache.get(b"e", 10, 50, 1).is_some());
        cache.clear();
        assert!(cache.get(b"e", 10, 50, 1).is_none());
    }

    #[test]
    fn what_tiles_take_counts() {
        use bedplate_features::{FeatureDef, ViewDefinition};
        let feature = FeatureDef {
            name: "kinds".into(),
            column: "x".into(),
            aggregate: bedplate_kinds::Aggregate::Distinct,
            window: Some("1d".parse().unwrap()),
            quantile: None,
        };
        let (name, timestamp, created) = ("v".to_owned(), Some("at".to_owned()), None);
        let (join_keys, features) = (Vec::new(), vec![feature]);
        let def = ViewDefinition { name, join_keys, timestamp, created, ttl: None, features };
        let counted = |mut history: History| {
            (0..400).for_each(|i| history.push(i, &[Some(i as f64)]));
            let cache = Cache::default();
            cache.keep(cache.ticket(), b"e".to_vec(), Arc::new(Tail { from: 0, until: 500, history, limit: 900 }));
            cache.0.lock().young_cells
        };
        let (plain, tiled) = (counted(History::new(1)), counted(History::tiled(&def)));
        assert_eq!(plain, ENTITY_CELLS + 800);
        assert!(tiled >= plain + 400, "{tiled}");
    }

    #[test]
    fn forgets_what_was_read_least_lately() {
        let cache = holding(&[1]);
        let many = CELLS / (ENTITY_CELLS + 2);
        for i in 0..3 * many {
            cache.keep(cache.ticket(), i.to_be_bytes().to_vec(), tail(&[1]));
            assert!(remembered(&cache).is_some(), "{i}");
        }
        assert!(cache.get(&0_usize.to_be_bytes(), 0, 1, 1).is_none());
        let generations = cache.0.lock();
        assert!(generations.young.len() + generations.old.len() <= 2 * many + 2);
    }
}

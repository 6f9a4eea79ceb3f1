//! The latest row of each entity of one view, in slots of one width.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashTable;

/// Slots are made and forgotten so many at once.
const CHUNK: u32 = 4096;
/// What the index takes for an entity, in bytes: a number and a tag, and room for growth.
const INDEXED: usize = 10;

/// An entity by the digest of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub u64, pub u64);

/// Makes the keys of one process: which entities would share one cannot be found out from outside.
#[derive(Clone, Default)]
pub(crate) struct Keys(RandomState, RandomState);

impl Keys {
    pub(crate) fn of(&self, entity: &[u8]) -> Key {
        Key(self.0.hash_one(entity), self.1.hash_one(entity))
    }
}

/// A row: when it became known, and its values, NaN where null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row<'a> {
    pub time: i64,
    pub values: &'a [f64],
}

pub(crate) struct Table {
    width: usize,
    /// Numbers of slots.
    index: HashTable<u32>,
    chunks: VecDeque<Chunk>,
    /// The number of the first chunk's first slot. Numbers go on, also beyond the last one there is.
    first: u32,
}

struct Chunk {
    keys: Vec<Key>,
    times: Vec<i64>,
    values: Vec<f64>,
    /// Read since it was written or looked at last.
    read: Box<[AtomicBool]>,
}

impl Chunk {
    fn new(width: usize) -> Self {
        let slots = CHUNK as usize;
        Self {
            keys: Vec::with_capacity(slots),
            times: Vec::with_capacity(slots),
            values: Vec::with_capacity(slots * width),
            read: (0..slots).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    fn row(&self, at: usize, width: usize) -> Row<'_> {
        Row { time: self.times[at], values: &self.values[at * width..][..width] }
    }
}

impl Table {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, index: HashTable::new(), chunks: VecDeque::new(), first: 0 }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * Self::chunk_bytes(self.width)
    }

    /// What one chunk more takes, with its share of the index.
    pub(crate) fn chunk_bytes(width: usize) -> usize {
        CHUNK as usize * (size_of::<Key>() + size_of::<i64>() + width * size_of::<f64>() + 1 + INDEXED)
    }

    /// Whether the next new entity needs a chunk more.
    pub(crate) fn is_full(&self) -> bool {
        self.chunks.back().is_none_or(|last| last.keys.len() == CHUNK as usize)
    }

    pub(crate) fn holds(&self, key: Key) -> bool {
        self.index.find(key.0, |slot| self.key(*slot) == key).is_some()
    }

    pub(crate) fn get(&self, key: Key) -> Option<Row<'_>> {
        let (chunk, at) = self.place(*self.index.find(key.0, |slot| self.key(*slot) == key)?);
        let chunk = &self.chunks[chunk];
        // Written only when it changes: readers on other cores share the line.
        if !chunk.read[at].load(Ordering::Relaxed) {
            chunk.read[at].store(true, Ordering::Relaxed);
        }
        Some(chunk.row(at, self.width))
    }

    /// Puts a row in place of the entity's, or beside the others.
    pub(crate) fn put(&mut self, key: Key, row: Row<'_>) {
        if let Some(slot) = self.index.find(key.0, |slot| self.key(*slot) == key) {
            let (chunk, at) = self.place(*slot);
            let (width, chunk) = (self.width, &mut self.chunks[chunk]);
            chunk.times[at] = row.time;
            chunk.values[at * width..][..width].copy_from_slice(row.values);
            return;
        }
        if self.is_full() {
            self.chunks.push_back(Chunk::new(self.width));
        }
        let last = self.chunks.len() - 1;
        let chunk = &mut self.chunks[last];
        let at = chunk.keys.len();
        chunk.keys.push(key);
        chunk.times.push(row.time);
        chunk.values.extend_from_slice(row.values);
        let slot = self.first.wrapping_add(last as u32 * CHUNK + at as u32);
        let (chunks, first) = (&self.chunks, self.first);
        self.index.insert_unique(key.0, slot, |slot| {
            let (chunk, at) = place(first, *slot);
            chunks[chunk].keys[at].0
        });
    }

    /// Forgets the oldest chunk, but for those of its rows that were read: at most half of them are kept. Returns whether
    /// there was one.
    pub(crate) fn forget_oldest(&mut self) -> bool {
        let Some(chunk) = self.chunks.pop_front() else { return false };
        let gone = self.first;
        self.first = self.first.wrapping_add(CHUNK);
        for (at, key) in chunk.keys.iter().enumerate() {
            let slot = gone.wrapping_add(at as u32);
            if let Ok(found) = self.index.find_entry(key.0, |found| *found == slot) {
                found.remove();
            }
        }
        let was_read = |at: &usize| chunk.read[*at].load(Ordering::Relaxed);
        for at in (0..chunk.keys.len()).filter(was_read).take(CHUNK as usize / 2) {
            self.put(chunk.keys[at], chunk.row(at, self.width));
        }
        true
    }

    fn key(&self, slot: u32) -> Key {
        let (chunk, at) = self.place(slot);
        self.chunks[chunk].keys[at]
    }

    fn place(&self, slot: u32) -> (usize, usize) {
        place(self.first, slot)
    }
}

fn place(first: u32, slot: u32) -> (usize, usize) {
    let at = slot.wrapping_sub(first);
    ((at / CHUNK) as usize, (at % CHUNK) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(i: u64) -> Key {
        // All in a few buckets, so that keys are told apart by more than their hash.
        Key(i % 7, i)
    }

    fn put(table: &mut Table, i: u64) {
        table.put(key(i), Row { time: i as i64, values: &[i as f64, f64::NAN] });
    }

    fn time(table: &Table, i: u64) -> Option<i64> {
        table.get(key(i)).map(|row| row.time)
    }

    #[test]
    fn a_row_is_replaced_in_its_place() {
        let mut table = Table::new(2);
        (0..100).for_each(|i| put(&mut table, i));
        table.put(key(3), Row { time: 77, values: &[0.5, 1.0] });
        assert_eq!((table.index.len(), table.get(key(3))), (100, Some(Row { time: 77, values: &[0.5, 1.0] })));
        assert_eq!((time(&table, 4), time(&table, 100)), (Some(4), None));
    }

    #[test]
    fn the_oldest_go_first_and_what_was_read_stays_longer() {
        let (mut table, chunk) = (Table::new(2), u64::from(CHUNK));
        // Numbers of slots go on beyond the last one.
        table.first = u32::MAX - CHUNK;
        (0..2 * chunk - 1).for_each(|i| put(&mut table, i));
        assert_eq!(time(&table, 5), Some(5));
        assert!(table.forget_oldest());
        assert_eq!((time(&table, 5), time(&table, 6), time(&table, chunk)), (Some(5), None, Some(chunk as i64)));
        assert_eq!((table.index.len(), table.bytes()), (CHUNK as usize, Table::chunk_bytes(2)));
        assert!(table.holds(key(5)) && table.is_full(), "what was read has the last slot");
        (0..chunk).for_each(|i| put(&mut table, 10 * chunk + i));
        assert_eq!((0..11 * chunk).filter(|i| time(&table, *i).is_some()).count(), table.index.len());
        while table.forget_oldest() {}
        assert_eq!((table.index.len(), time(&table, 5)), (0, None));
    }
}

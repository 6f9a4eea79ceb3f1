//! The latest row of each entity of one view, in slots of one width.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashTable;
use siphasher::sip128::SipHasher13;

use super::times::Times;

/// Slots are made and forgotten so many at once.
pub(super) const CHUNK: u32 = 4096;
/// What the index takes for an entity, in bytes: a number and a tag, and room for growth.
const INDEXED: usize = 10;

/// An entity by the digest of its key. Of a billion entities two have the same with a probability of 10^-11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64, u32);

impl Key {
    fn words(self) -> [u32; 3] {
        [self.0 as u32, (self.0 >> 32) as u32, self.1]
    }

    fn of_words([low, high, rest]: [u32; 3]) -> Self {
        Self(u64::from(low) | u64::from(high) << 32, rest)
    }
}

/// Makes the keys of one process: which entities would share one cannot be found out from outside.
#[derive(Clone)]
pub(crate) struct Keys(SipHasher13);

impl Keys {
    pub(crate) fn of(&self, entity: &[u8]) -> Key {
        let digest = self.0.hash(entity);
        Key(digest.h1, digest.h2 as u32)
    }
}

impl Default for Keys {
    fn default() -> Self {
        let random = RandomState::new();
        Self(SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1)))
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
    keys: Vec<[u32; 3]>,
    times: Times,
    /// Of each slot one after the other.
    values: Vec<f64>,
    /// A bit a slot: read since it was written or looked at last.
    read: Box<[AtomicU64]>,
}

const BITS: usize = u64::BITS as usize;

impl Chunk {
    fn new(width: usize) -> Self {
        let slots = CHUNK as usize;
        let read = (0..slots / BITS).map(|_| AtomicU64::new(0)).collect();
        let (keys, values) = (Vec::with_capacity(slots), Vec::with_capacity(slots * width));
        Self { keys, times: Times::default(), values, read }
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn key(&self, at: usize) -> Key {
        Key::of_words(self.keys[at])
    }

    fn row(&self, at: usize, width: usize) -> Row<'_> {
        Row { time: self.times.get(at), values: &self.values[at * width..][..width] }
    }

    fn push(&mut self, key: Key, row: Row<'_>) {
        self.times.put(self.len(), self.len(), row.time);
        self.keys.push(key.words());
        self.values.extend_from_slice(row.values);
    }

    fn replace(&mut self, at: usize, row: Row<'_>) {
        self.times.put(at, self.len(), row.time);
        let width = row.values.len();
        self.values[at * width..][..width].copy_from_slice(row.values);
    }

    fn was_read(&self, at: usize) -> bool {
        self.read[at / BITS].load(Ordering::Relaxed) & (1 << (at % BITS)) != 0
    }

    /// Written only when it changes: readers on other cores share the line.
    fn is_read(&self, at: usize) {
        if !self.was_read(at) {
            self.read[at / BITS].fetch_or(1 << (at % BITS), Ordering::Relaxed);
        }
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

    /// The most that one chunk more takes, with its share of the index.
    pub(crate) fn chunk_bytes(width: usize) -> usize {
        CHUNK as usize * (size_of::<[u32; 3]>() + (1 + width) * size_of::<u64>() + INDEXED) + CHUNK as usize / 8
    }

    /// Whether the next new entity needs a chunk more.
    pub(crate) fn is_full(&self) -> bool {
        self.chunks.back().is_none_or(|last| last.len() == CHUNK as usize)
    }

    pub(crate) fn holds(&self, key: Key) -> bool {
        self.find(key).is_some()
    }

    pub(crate) fn get(&self, key: Key) -> Option<Row<'_>> {
        self.find(key).map(|slot| self.read(slot))
    }

    /// Step by step for all, and nothing else within a step: the processor then waits for the memory of several at once.
    pub(crate) fn get_all(&self, keys: &[Option<Key>]) -> Vec<Option<Row<'_>>> {
        let likely = |key: &Option<Key>| key.and_then(|key| self.index.iter_hash(key.0).next().copied());
        let likely: Vec<Option<u32>> = keys.iter().map(likely).collect();
        let found = keys.iter().zip(likely).map(|(key, likely)| self.confirmed((*key)?, likely?));
        let found: Vec<Option<u32>> = found.collect();
        found.into_iter().map(|slot| slot.map(|slot| self.read(slot))).collect()
    }

    /// The slot of a key, which is likely this one.
    fn confirmed(&self, key: Key, likely: u32) -> Option<u32> {
        if self.key(likely) == key { Some(likely) } else { self.find(key) }
    }

    fn find(&self, key: Key) -> Option<u32> {
        self.index.find(key.0, |slot| self.key(*slot) == key).copied()
    }

    fn read(&self, slot: u32) -> Row<'_> {
        let (chunk, at) = self.place(slot);
        let chunk = &self.chunks[chunk];
        chunk.is_read(at);
        chunk.row(at, self.width)
    }

    /// Puts a row in place of the entity's, or beside the others.
    pub(crate) fn put(&mut self, key: Key, row: Row<'_>) {
        if let Some(slot) = self.find(key) {
            let (chunk, at) = self.place(slot);
            self.chunks[chunk].replace(at, row);
            return;
        }
        if self.is_full() {
            self.chunks.push_back(Chunk::new(self.width));
        }
        let last = self.chunks.len() - 1;
        let chunk = &mut self.chunks[last];
        let at = chunk.len();
        chunk.push(key, row);
        let slot = self.first.wrapping_add(last as u32 * CHUNK + at as u32);
        let (chunks, first) = (&self.chunks, self.first);
        self.index.insert_unique(key.0, slot, |slot| {
            let (chunk, at) = place(first, *slot);
            chunks[chunk].key(at).0
        });
    }

    /// Forgets the oldest chunk, but for those of its rows that were read: at most half of them are kept. Returns whether
    /// there was one.
    pub(crate) fn forget_oldest(&mut self) -> bool {
        let Some(chunk) = self.chunks.pop_front() else { return false };
        let gone = self.first;
        self.first = self.first.wrapping_add(CHUNK);
        let slots = chunk.len();
        for at in 0..slots {
            let key = chunk.key(at);
            let slot = gone.wrapping_add(at as u32);
            if let Ok(found) = self.index.find_entry(key.0, |found| *found == slot) {
                found.remove();
            }
        }
        for at in (0..slots).filter(|at| chunk.was_read(*at)).take(CHUNK as usize / 2) {
            self.put(chunk.key(at), chunk.row(at, self.width));
        }
        true
    }

    fn key(&self, slot: u32) -> Key {
        let (chunk, at) = self.place(slot);
        self.chunks[chunk].key(at)
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
        Key(i % 7, i as u32)
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
    fn many_are_found_as_each_by_itself_also_where_hashes_are_alike() {
        let mut table = Table::new(2);
        (0..50).for_each(|i| put(&mut table, i));
        let asked: Vec<_> = (0..80).rev().map(|i| (i % 9 > 0).then(|| key(i))).collect();
        let one_by_one: Vec<_> =
            asked.iter().map(|key| key.and_then(|key| table.get(key)).map(|row| row.time)).collect();
        assert_eq!(one_by_one.iter().flatten().count(), (0..50).filter(|i| i % 9 > 0).count());
        let at_once: Vec<_> = table.get_all(&asked).into_iter().map(|row| row.map(|row| row.time)).collect();
        assert_eq!(at_once, one_by_one);
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

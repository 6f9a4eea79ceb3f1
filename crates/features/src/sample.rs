//! Some entities of a view with a moment of each, where not all can be looked at.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use crate::row::SourceColumns;
use crate::{Brought, EntityKey, FeatureError, RowsReport, ViewDefinition};

/// A sample of so many entities, uniform over those that have rows, of rows that go by in any order and in any parts.
///
/// Each entity has a place that its key and the seed decide, and those of the lowest places are kept (bottom-k sampling). So
/// samples of parts merge, and what is in a sample of all is in the sample of every part that has it. Holds the keys of the
/// entities that are kept, and nothing of the others.
#[derive(Clone, Debug)]
pub struct EntitySample {
    seed: u64,
    size: usize,
    by_place: BTreeMap<u64, Drawn>,
    newest: Option<i64>,
    newest_brought: Option<i64>,
    rows: u64,
}

/// An entity of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub key: EntityKey,
    /// Its rows, as often as they came.
    pub rows: u64,
    /// When one of them became known: which one, the seed decides.
    pub moment: i64,
    /// What was drawn for that row: the least has it.
    lot: u64,
}

impl EntitySample {
    #[must_use]
    pub fn new(seed: u64, size: usize) -> Self {
        Self { seed, size, by_place: BTreeMap::new(), newest: None, newest_brought: None, rows: 0 }
    }

    /// Takes in rows of the view's source, those that are said to be brought; of the others only when they became known.
    ///
    /// # Errors
    /// When a column is missing or has a type that cannot be used.
    pub fn take(&mut self, def: &ViewDefinition, batch: &RecordBatch, brought: Brought) -> Result<(), FeatureError> {
        let columns = SourceColumns::new(def, batch)?;
        let (mut key, mut report) = (Vec::new(), RowsReport::default());
        for row in 0..batch.num_rows() {
            let Some(time) = columns.usable(row, &mut report) else { continue };
            self.newest = self.newest.max(Some(time));
            if brought.holds(time) && columns.keys().write(row, &mut key) {
                self.take_row(&key, time);
            }
        }
        Ok(())
    }

    /// Takes in one row, by its entity's bytes.
    pub fn take_row(&mut self, key: &[u8], time: i64) {
        self.rows += 1;
        self.newest = self.newest.max(Some(time));
        self.newest_brought = self.newest_brought.max(Some(time));
        let place = place(self.seed, key);
        let is_far =
            self.by_place.len() >= self.size && self.by_place.last_key_value().is_none_or(|(last, _)| *last < place);
        if !is_far {
            let lot = self::place(place, &time.to_be_bytes());
            self.put(place, Drawn { key: EntityKey::from_bytes(key), rows: 1, moment: time, lot });
        }
    }

    /// Takes in what another, of the same seed and size, took of the same view.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.newest = self.newest.max(other.newest);
        self.newest_brought = self.newest_brought.max(other.newest_brought);
        other.by_place.into_iter().for_each(|(place, drawn)| self.put(place, drawn));
    }

    fn put(&mut self, place: u64, next: Drawn) {
        match self.by_place.get_mut(&place) {
            None => drop(self.by_place.insert(place, next)),
            Some(kept) if kept.key == next.key => kept.add(next),
            // Two entities of one place: the lesser key has it.
            Some(kept) if next.key < kept.key => *kept = next,
            Some(_) => {}
        }
        while self.by_place.len() > self.size {
            self.by_place.pop_last();
        }
    }

    /// When the newest row became known; of a view without times it is the first moment there is.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// The same of rows that are said to be brought.
    #[must_use]
    pub fn newest_brought(&self) -> Option<i64> {
        self.newest_brought
    }

    /// How many rows were taken in.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// In the order of their places.
    pub fn drawn(&self) -> impl ExactSizeIterator<Item = &Drawn> {
        self.by_place.values()
    }

    /// Where an entity is in the order of [`EntitySample::drawn`], whichever sample of this seed it is of.
    #[must_use]
    pub fn place_of(&self, key: &EntityKey) -> u64 {
        place(self.seed, key.as_bytes())
    }

    #[must_use]
    pub fn get(&self, key: &EntityKey) -> Option<&Drawn> {
        self.by_place.get(&self.place_of(key)).filter(|drawn| drawn.key == *key)
    }
}

impl Drawn {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        if (other.lot, other.moment) < (self.lot, self.moment) {
            (self.lot, self.moment) = (other.lot, other.moment);
        }
    }
}

/// FNV-1a over the bytes, stirred by the finisher of `SplitMix64`: the same on every machine and for good.
pub(crate) fn place(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTITIES: u64 = 500;

    /// Rows of entities of unlike numbers of rows.
    fn rows() -> Vec<(Vec<u8>, i64)> {
        let of =
            |entity: u64| (0..=entity % 7).map(move |row| (entity.to_be_bytes().to_vec(), (row * 10 + entity) as i64));
        (0..ENTITIES).flat_map(of).collect()
    }

    fn sample(seed: u64, rows: &[(Vec<u8>, i64)]) -> EntitySample {
        let mut sample = EntitySample::new(seed, 40);
        rows.iter().for_each(|(key, time)| sample.take_row(key, *time));
        sample
    }

    fn told(sample: &EntitySample) -> Vec<(EntityKey, u64, i64)> {
        sample.drawn().map(|drawn| (drawn.key.clone(), drawn.rows, drawn.moment)).collect()
    }

    #[test]
    fn a_sample_depends_on_the_rows_and_the_seed_alone() {
        let rows = rows();
        let whole = sample(7, &rows);
        assert_eq!((whole.drawn().len(), whole.rows(), whole.newest()), (40, rows.len() as u64, Some(556)));
        let mut backwards = rows.clone();
        backwards.reverse();
        assert_eq!(told(&sample(7, &backwards)), told(&whole));
        let (one, other): (Vec<_>, Vec<_>) =
            rows.iter().cloned().partition(|(key, time)| (key[7] as i64 + time) % 3 == 0);
        let mut merged = sample(7, &one);
        merged.merge(sample(7, &other));
        assert_eq!(told(&merged), told(&whole));
        assert_ne!(told(&sample(8, &rows)), told(&whole));
    }

    #[test]
    fn every_entity_and_every_row_has_its_chance() {
        let rows = rows();
        let (mut entities, mut moments) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for seed in 0..200 {
            for (key, count, moment) in told(&sample(seed, &rows)) {
                let entity = u64::from_be_bytes(*key.as_bytes().first_chunk().unwrap());
                assert_eq!(count, entity % 7 + 1);
                entities.insert(entity);
                moments.insert((entity, moment));
            }
        }
        assert_eq!(entities.len() as u64, ENTITIES);
        assert!(moments.len() * 10 > rows.len() * 9, "{} of {}", moments.len(), rows.len());
    }

    #[test]
    fn all_are_taken_where_there_are_few() {
        let sample = sample(1, &rows()[..20]);
        assert!(sample.drawn().len() < 10);
        let first = sample.drawn().next().unwrap();
        assert_eq!(sample.get(&first.key), Some(first));
        assert_eq!(sample.get(&EntityKey::from_bytes(b"none")), None);
    }
}

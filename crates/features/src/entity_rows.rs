//! All rows of some entities, where those of all are too many to hold.

use std::collections::BTreeMap;

use crate::SourceRow;
use crate::sample::place;

/// Whole entities, drawn without regard to how many rows they have, as long as their rows are at most so many.
///
/// Each entity has a place that its key decides; those of the lowest places stay. So every row had the same chance, and what
/// stays does not depend on the order in which rows come.
#[derive(Clone, Debug)]
pub struct EntityRows {
    most: usize,
    by_place: BTreeMap<u64, Vec<SourceRow>>,
    held: usize,
    /// Entities of this place and higher ones are left out.
    below: Option<u64>,
}

impl EntityRows {
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, by_place: BTreeMap::new(), held: 0, below: None }
    }

    pub fn take(&mut self, row: SourceRow) {
        let place = place(0, row.key.as_bytes());
        if self.below.is_some_and(|below| place >= below) {
            return;
        }
        self.by_place.entry(place).or_default().push(row);
        self.held += 1;
        while self.held > self.most {
            let Some((last, rows)) = self.by_place.pop_last() else { break };
            self.held -= rows.len();
            self.below = Some(last);
        }
    }

    /// Whether no entity was left out.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.below.is_none()
    }

    /// Entity by entity.
    #[must_use]
    pub fn into_rows(self) -> Vec<SourceRow> {
        self.by_place.into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::EntityKey;

    fn row(entity: u32, time: i64) -> SourceRow {
        let key = EntityKey::from_bytes(&entity.to_be_bytes());
        SourceRow { key, time, created: None, id: None, values: vec![Some(f64::from(entity))] }
    }

    /// Of 60 entities with 1 to 7 rows each.
    fn rows() -> Vec<SourceRow> {
        (0..60).flat_map(|entity| (0..=i64::from(entity % 7)).map(move |time| row(entity, time))).collect()
    }

    fn kept(rows: impl Iterator<Item = SourceRow>, most: usize) -> (bool, BTreeMap<EntityKey, usize>) {
        let mut held = EntityRows::new(most);
        rows.for_each(|row| held.take(row));
        let is_all = held.is_all();
        let mut counts = BTreeMap::new();
        held.into_rows().into_iter().for_each(|row| *counts.entry(row.key).or_default() += 1);
        (is_all, counts)
    }

    #[test]
    fn entities_are_whole_or_not_there_and_the_order_does_not_matter() {
        let all = rows();
        let (is_all, counts) = kept(all.clone().into_iter(), 100);
        assert!(!is_all && counts.values().sum::<usize>() <= 100 && counts.len() > 10, "{counts:?}");
        for (key, count) in &counts {
            assert_eq!(*count, all.iter().filter(|row| row.key == *key).count());
        }
        assert_eq!(kept(all.clone().into_iter().rev(), 100).1, counts);
        let (is_all, counts) = kept(all.into_iter(), 10_000);
        assert_eq!((is_all, counts.len()), (true, 60));
    }

    #[test]
    fn one_that_is_too_large_by_itself_is_left_out() {
        let (is_all, counts) = kept((0..50).map(|time| row(1, time)), 20);
        assert_eq!((is_all, counts.len()), (false, 0));
    }
}

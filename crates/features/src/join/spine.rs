//! The label rows by entity: whose moments are asked about, and where each row's answer is put.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::ops::Range;

use arrow::array::RecordBatch;
use bedplate_kinds::JoinKey;
use foldhash::fast::RandomState;

use crate::key::KeyColumns;
use crate::moment::{Round, moments};
use crate::{EntityKey, FeatureError, ViewDefinition};

/// Label rows, ready to be asked about by any view with the same join keys. Costs about [`Spine::BYTES_A_ROW`] and the keys of
/// the entities.
#[derive(Debug)]
pub struct Spine {
    entities: Entities,
    /// For each entity where its moments begin, and at last where they end.
    starts: Vec<u32>,
    /// Microseconds since 1970, by entity, rising.
    moments: Vec<i64>,
    /// For each label row where its moment is in `moments`; [`NOWHERE`] when it is of no entity or no moment.
    places: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

/// What a spine depends on of a view: two views alike in this share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpineShape {
    join_keys: Vec<JoinKey>,
    is_timeless: bool,
}

impl SpineShape {
    #[must_use]
    pub fn of(def: &ViewDefinition) -> Self {
        Self { join_keys: def.join_keys.clone(), is_timeless: def.timestamp.is_none() }
    }
}

impl Spine {
    /// A moment, where the row's is, and where an entity's begin, if each row is of another.
    pub const BYTES_A_ROW: usize = 24;

    /// The label rows of `batch`, which has the join keys as columns (any string type, any width of whole number) and
    /// `time_column`, the moment each row asks about.
    ///
    /// # Errors
    /// When a column is missing or has a type that cannot be used, or there are 2^32 - 1 rows or more.
    pub fn new(shape: &SpineShape, batch: &RecordBatch, time_column: &str) -> Result<Self, FeatureError> {
        const LABELS: &str = "the label rows";
        let rows = batch.num_rows();
        if u32::try_from(rows).is_ok_and(|rows| rows < NOWHERE) {
            let keys = KeyColumns::new(LABELS, &shape.join_keys, batch)?;
            let times = moments(LABELS, batch, time_column, Round::Earlier)?;
            return Ok(Self::arrange(&keys, &times.iter().collect::<Vec<_>>(), shape.is_timeless));
        }
        Err(FeatureError::TooManyRows { of: LABELS.to_owned(), rows })
    }

    fn arrange(keys: &KeyColumns, times: &[Option<i64>], is_timeless: bool) -> Self {
        let mut entities = Entities::like(keys);
        let mut key = Vec::new();
        // What was always known is known at a moment that is missing, too.
        let moment_of = |time: Option<i64>| time.or(is_timeless.then_some(i64::MAX));
        let asked: Vec<(u32, i64)> = (0..times.len())
            .map(|row| match moment_of(times[row]) {
                Some(moment) => (entities.enter(keys, row, &mut key).unwrap_or(NOWHERE), moment),
                None => (NOWHERE, 0),
            })
            .collect();
        let starts = starts(&asked, entities.len());
        let (moments, places) = place(&asked, &starts);
        Self { entities: entities.settled(), starts, moments, places }
    }

    /// How many label rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.places.len()
    }

    /// How many different moments of entities can be asked about at most.
    pub(super) fn len(&self) -> usize {
        self.moments.len()
    }

    pub(super) fn entities(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        0..u32::try_from(self.entities()).expect("no more than there are rows, which are fewer than 2^32")
    }

    /// The entity of a source's row, if some label row asks about it. `key` is a place to work in.
    pub(super) fn entity(&self, keys: &KeyColumns, row: usize, key: &mut Vec<u8>) -> Option<u32> {
        self.entities.find(keys, row, key)
    }

    /// Gives each row of a source without nulls whose entity some label row asks about.
    pub(super) fn each_entity(&self, keys: &KeyColumns, rows: usize, mut give: impl FnMut(usize, u32)) {
        if let (Entities::Dense { first, entities }, Some(column)) = (&self.entities, keys.single_int()) {
            for (row, key) in column.values().iter().enumerate() {
                // What lies before the first is beyond the last as well.
                let at = usize::try_from(key.wrapping_sub(*first).cast_unsigned()).unwrap_or(usize::MAX);
                if let Some(entity) = entities.get(at).filter(|entity| **entity != NOWHERE) {
                    give(row, *entity);
                }
            }
            return;
        }
        let mut key = Vec::new();
        for row in 0..rows {
            if let Some(entity) = self.entity(keys, row, &mut key) {
                give(row, entity);
            }
        }
    }

    /// The first of the few moments after the first of `places` at which what became known at `time` is known; `None` when
    /// it is none of them.
    pub(super) fn next_knowing(&self, places: Range<u32>, time: i64) -> Option<u32> {
        const FEW: usize = 4;
        places.skip(1).take(FEW).find(|place| self.moment(*place) >= time)
    }

    /// Where an entity's moments are.
    pub(super) fn range(&self, entity: u32) -> Range<u32> {
        self.starts[entity as usize]..self.starts[entity as usize + 1]
    }

    pub(super) fn moment(&self, place: u32) -> i64 {
        self.moments[place as usize]
    }

    /// The first of an entity's moments at which what became known at `time` is known.
    pub(super) fn first_knowing(&self, entity: u32, time: i64) -> Option<u32> {
        let Range { start, end } = self.range(entity);
        let before = self.moments[start as usize..end as usize].partition_point(|moment| *moment < time);
        Some(start + before as u32).filter(|first| *first < end)
    }

    /// For each label row in its order where its moment is.
    pub(super) fn places(&self) -> impl ExactSizeIterator<Item = Option<u32>> {
        self.places.iter().map(|place| (*place != NOWHERE).then_some(*place))
    }
}

fn starts(asked: &[(u32, i64)], entities: usize) -> Vec<u32> {
    let mut starts = vec![0_u32; entities + 1];
    for (entity, _) in asked.iter().filter(|(entity, _)| *entity != NOWHERE) {
        starts[*entity as usize + 1] += 1;
    }
    for entity in 0..entities {
        starts[entity + 1] += starts[entity];
    }
    starts
}

/// Sorts the moments by counting: first all rows by moment, which label frames mostly are already, then by entity.
fn place(asked: &[(u32, i64)], starts: &[u32]) -> (Vec<i64>, Vec<u32>) {
    let rows = u32::try_from(asked.len()).expect("fewer than 2^32 - 1, which was looked at");
    let mut order: Vec<u32> = (0..rows).filter(|row| asked[*row as usize].0 != NOWHERE).collect();
    let moment = |row: &u32| asked[*row as usize].1;
    if !order.is_sorted_by_key(moment) {
        order.sort_by_key(moment);
    }
    let mut next = starts.to_vec();
    let mut moments = vec![0; order.len()];
    let mut places = vec![NOWHERE; asked.len()];
    for row in order {
        let (entity, moment) = asked[row as usize];
        let place = &mut next[entity as usize];
        moments[*place as usize] = moment;
        places[row as usize] = *place;
        *place += 1;
    }
    (moments, places)
}

/// The number of each entity that is asked about. One whole number as the key, the common case, needs no bytes.
#[derive(Debug)]
enum Entities {
    Keys(HashMap<EntityKey, u32, RandomState>),
    Ints(HashMap<i64, u32, RandomState>),
    /// Whole numbers that lie close together, from the first on; [`NOWHERE`] for one between them.
    Dense {
        first: i64,
        entities: Vec<u32>,
    },
}

impl Entities {
    fn like(keys: &KeyColumns) -> Self {
        match keys.single_int() {
            Some(_) => Self::Ints(HashMap::default()),
            None => Self::Keys(HashMap::default()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Ints(entities) => entities.len(),
            Self::Keys(entities) => entities.len(),
            Self::Dense { entities, .. } => entities.len(),
        }
    }

    /// The same once all entities are entered, in the form that is fastest to look into.
    fn settled(self) -> Self {
        let Self::Ints(ints) = &self else { return self };
        let (Some(first), Some(last)) = (ints.keys().min(), ints.keys().max()) else { return self };
        let span = usize::try_from(last.abs_diff(*first)).unwrap_or(usize::MAX);
        if span > 4 * ints.len() {
            return self;
        }
        let mut entities = vec![NOWHERE; span + 1];
        for (key, entity) in ints {
            entities[key.abs_diff(*first) as usize] = *entity;
        }
        Self::Dense { first: *first, entities }
    }

    fn enter(&mut self, keys: &KeyColumns, row: usize, key: &mut Vec<u8>) -> Option<u32> {
        if let Some(entity) = self.find(keys, row, key) {
            return Some(entity);
        }
        let entity = u32::try_from(self.len()).ok()?;
        match self {
            Self::Ints(entities) => entities.insert(keys.int(row)?, entity),
            Self::Keys(entities) => entities.insert(keys.key(row)?, entity),
            Self::Dense { .. } => return None,
        };
        Some(entity)
    }

    fn find(&self, keys: &KeyColumns, row: usize, key: &mut Vec<u8>) -> Option<u32> {
        match self {
            Self::Ints(entities) => entities.get(&keys.int(row)?).copied(),
            Self::Dense { first, entities } => {
                let at = keys.int(row)?.checked_sub(*first)?;
                entities.get(usize::try_from(at).ok()?).copied().filter(|entity| *entity != NOWHERE)
            }
            Self::Keys(entities) => keys.write(row, key).then(|| entities.get(key.as_slice()).copied()).flatten(),
        }
    }
}

/// A key is found by its bytes: they hash and compare alike.
impl Borrow<[u8]> for EntityKey {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
    use bedplate_kinds::ColumnType;

    use super::*;

    fn batch(keys: &[i64]) -> RecordBatch {
        let columns: [(&str, ArrayRef); 2] = [
            ("k", Arc::new(Int64Array::from(keys.to_vec()))),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![0; keys.len()]))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    /// Whether each of `asked` is an entity of the label rows of `keys`.
    fn known(keys: &[i64], asked: &[i64]) -> Vec<bool> {
        let join_keys = vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }];
        let shape = SpineShape { join_keys: join_keys.clone(), is_timeless: false };
        let spine = Spine::new(&shape, &batch(keys), "at").unwrap();
        let columns = KeyColumns::new("asked", &join_keys, &batch(asked)).unwrap();
        let entities: Vec<_> = (0..asked.len()).map(|row| spine.entity(&columns, row, &mut Vec::new())).collect();
        for (entity, key) in entities.iter().zip(asked) {
            let places = entity.map(|entity| spine.range(entity).len());
            assert_eq!(places.unwrap_or(0), keys.iter().filter(|asked| *asked == key).count(), "{key}");
        }
        entities.iter().map(Option::is_some).collect()
    }

    #[test]
    fn whole_numbers_are_found_whether_they_lie_close_together_or_not() {
        assert_eq!(known(&[5, -2, 7, 5], &[-3, -2, 0, 5, 6, 7, 8]), [false, true, false, true, false, true, false]);
        let ends = [i64::MIN, i64::MAX];
        assert_eq!(known(&ends, &[i64::MIN, -1, i64::MAX]), [true, false, true]);
        assert_eq!(known(&[-1, 0], &ends), [false, false]);
        assert_eq!(known(&[], &[0]), [false]);
    }
}

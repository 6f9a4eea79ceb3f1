//! Rows at the edge: those whose watermark is the highest that was read. A later load asks for them again, since others may
//! have come with the same value, and takes those that it had not.

use std::collections::HashMap;

use super::fingerprint::RowDigest;
use crate::delta::Watermark;

/// More rows at one value are not told apart, and a later load begins above them.
pub(super) const MOST_AT_EDGE: usize = 10_000;

pub(super) struct Edge {
    column: String,
    /// The value the last load ended at, and how often each row at it was read.
    low: Option<i64>,
    had: HashMap<String, usize>,
    /// The highest value so far, and the rows at it; none when they are too many.
    high: Option<i64>,
    at_high: Option<Vec<String>>,
}

impl Edge {
    pub fn new(column: &str, after: Option<&Watermark>) -> Self {
        let mut had = HashMap::new();
        let known = after.and_then(|mark| mark.edge.clone());
        known.iter().flatten().for_each(|row| *had.entry(row.clone()).or_default() += 1);
        let low = after.map(|mark| mark.value);
        let at_high = if after.is_some() { known } else { Some(Vec::new()) };
        Self { column: column.to_owned(), low, had, high: low, at_high }
    }

    /// Whether rows at the last load's highest value are to be asked for again.
    pub fn asks_again(after: &Watermark) -> bool {
        after.edge.is_some()
    }

    /// Whether the row is new. A row without a value is.
    pub fn is_new(&mut self, value: Option<i64>, row: &RowDigest) -> bool {
        let Some(value) = value else { return true };
        if Some(value) == self.low
            && let Some(times) = self.had.get_mut(&row.short()).filter(|times| **times > 0)
        {
            *times -= 1;
            return false;
        }
        self.rise(value, row);
        true
    }

    fn rise(&mut self, value: i64, row: &RowDigest) {
        if self.high.is_some_and(|high| high > value) {
            return;
        }
        if self.high != Some(value) {
            self.high = Some(value);
            self.at_high = Some(Vec::new());
        }
        if let Some(rows) = &mut self.at_high {
            rows.push(row.short());
            if rows.len() > MOST_AT_EDGE {
                self.at_high = None;
            }
        }
    }

    /// Where the next load begins.
    pub fn finish(self) -> Option<Watermark> {
        Some(Watermark { column: self.column, value: self.high?, edge: self.at_high })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A row of a table: its watermark and its content.
    type Row = (Option<i64>, u8);

    fn digest(row: &Row) -> RowDigest {
        RowDigest::of([Some(format!("{row:?}").as_bytes())].into_iter())
    }

    /// What a load takes of the table, and where it ends.
    fn load(table: &[Row], after: Option<&Watermark>) -> (Vec<Row>, Option<Watermark>) {
        let mut edge = Edge::new("w", after);
        let asked = |row: &&Row| match after {
            None => true,
            Some(mark) if Edge::asks_again(mark) => row.0.is_some_and(|value| value >= mark.value),
            Some(mark) => row.0.is_some_and(|value| value > mark.value),
        };
        let taken = table.iter().filter(asked).filter(|row| edge.is_new(row.0, &digest(row))).copied().collect();
        (taken, edge.finish())
    }

    proptest! {
        /// Rows come with values that never fall, in any number of loads: each is taken once.
        #[test]
        fn rows_with_equal_values_are_neither_lost_nor_doubled(
            steps in prop::collection::vec(prop::collection::vec((0_i64..2, 0_u8..3), 0..4), 1..6),
            turn in 0_usize..7,
        ) {
            let (mut table, mut had, mut mark, mut at): (Vec<Row>, Vec<Row>, _, _) = (Vec::new(), Vec::new(), None, 0);
            for step in steps {
                for (more, content) in step {
                    at += more;
                    table.push((Some(at), content));
                }
                let mut turned = table.clone();
                turned.rotate_left(if table.is_empty() { 0 } else { turn % table.len() });
                let (taken, next) = load(&turned, mark.as_ref());
                had.extend(taken);
                mark = next;
                let (mut have, mut want) = (had.clone(), table.clone());
                have.sort_unstable();
                want.sort_unstable();
                prop_assert_eq!(have, want);
                prop_assert_eq!(mark.as_ref().map(|mark| mark.value), table.iter().filter_map(|row| row.0).max());
            }
        }
    }

    #[test]
    fn too_many_rows_at_one_value_are_not_told_apart() {
        let table: Vec<Row> = (0..=MOST_AT_EDGE).map(|_| (Some(7), 0)).collect();
        let (taken, mark) = load(&table, None);
        let mark = mark.unwrap();
        assert_eq!((taken.len(), mark.value, &mark.edge), (table.len(), 7, &None));
        let (again, still) = load(&[table.as_slice(), &[(Some(8), 1)]].concat(), Some(&mark));
        assert_eq!(again, [(Some(8), 1)]);
        assert_eq!(still.unwrap().edge.map(|rows| rows.len()), Some(1));
        let (nothing, same) = load(&table, Some(&mark));
        assert_eq!((nothing.len(), same), (0, Some(mark)));
    }

    #[test]
    fn rows_without_a_value_are_read_once() {
        let table = [(None, 1), (Some(1), 1)];
        let (taken, mark) = load(&table, None);
        assert_eq!(taken.len(), 2);
        assert_eq!(load(&table, mark.as_ref()).0, []);
    }
}

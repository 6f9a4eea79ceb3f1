//! Rows of one entity and time in the order in which they count: by when they were created, where the view tells, then by
//! identity, which is the order of their keys.

use fjall::{Guard, UserKey, UserValue};

use crate::layout::{created_in, time_of};

/// The latest of an entity's rows, of which `rows` ends with the last by key. `prefix` is how long the entity's own part of a
/// key is.
///
/// Costs one row, and the others of its time where it tells when it was created.
pub(crate) fn latest(
    rows: impl DoubleEndedIterator<Item = Guard>,
    prefix: usize,
) -> fjall::Result<Option<(UserKey, UserValue)>> {
    let mut rows = rows.rev();
    let Some(last) = rows.next() else { return Ok(None) };
    let mut latest = last.into_inner()?;
    if created_in(&latest.1).is_none() {
        return Ok(Some(latest));
    }
    let time = time_of(&latest.0, prefix);
    for row in rows {
        let row = row.into_inner()?;
        if time_of(&row.0, prefix) != time {
            break;
        }
        // Of rows that were created together the one with the greater identity came first.
        if created_in(&row.1) > created_in(&latest.1) {
            latest = row;
        }
    }
    Ok(Some(latest))
}

/// Puts rows that come in the order of their keys into the order in which they count.
pub(crate) struct InOrder<F> {
    /// Of one time.
    held: Vec<(Option<i64>, Vec<Option<f64>>)>,
    time: i64,
    give: F,
}

impl<F: FnMut(i64, &[Option<f64>])> InOrder<F> {
    pub(crate) fn new(give: F) -> Self {
        Self { held: Vec::new(), time: i64::MIN, give }
    }

    pub(crate) fn push(&mut self, time: i64, created: Option<i64>, values: Vec<Option<f64>>) {
        if time != self.time {
            self.flush();
        }
        if created.is_none() {
            return (self.give)(time, &values);
        }
        self.time = time;
        self.held.push((created, values));
    }

    /// Gives what is held back.
    pub(crate) fn flush(&mut self) {
        self.held.sort_by_key(|(created, _)| *created);
        let time = self.time;
        self.held.drain(..).for_each(|(_, values)| (self.give)(time, &values));
    }
}

//! Reading many entities of several views at a moment, in one round trip.

use bedplate_features::{EntityKey, History, InvalidPacked};
use bedplate_types::Timestamp;
use redis::{Cmd, Pipeline, pipe};

use super::RemoteStore;
use super::link::Link;
use super::member::{Found, from, merged, parts, up_to};
use super::scripts::Script;
use crate::layout::unpacked;
use crate::{Dated, OnlineError, Question, Values};

/// Entities asked for in one call of the script, which nothing else comes between.
const AT_ONCE: usize = 256;

impl RemoteStore {
    pub(crate) fn read_all(&self, views: &[Question<'_>]) -> Result<Vec<Vec<Values>>, OnlineError> {
        let found = self.look_up(views, false)?;
        views.iter().zip(found).map(|(view, found)| View::of(view, false).each(found, |_, values| values)).collect()
    }

    pub(crate) fn read_all_dated(&self, views: &[Question<'_>]) -> Result<Vec<Dated>, OnlineError> {
        let found = self.look_up(views, true)?;
        let answers = views.iter().zip(found).map(|(view, found)| {
            let mut dated = Dated::new(view.definition.features.len(), view.asked.len());
            View::of(view, true).each(found, |newest, values| dated.push(newest, values))?;
            Ok(dated)
        });
        answers.collect()
    }

    /// What is found for each view, look-up by look-up.
    fn look_up(&self, views: &[Question<'_>], dated: bool) -> Result<Vec<std::vec::IntoIter<Found>>, OnlineError> {
        let asks = |view: &Question<'_>| -> Vec<Vec<LookUp>> {
            let each = view.asked.iter().filter_map(|(key, at)| key.as_ref().map(|key| (key, *at)));
            each.map(|(key, at)| look_ups(view, key, at, dated)).collect()
        };
        let asked: Vec<_> = views.iter().map(asks).collect();
        if asked.iter().all(Vec::is_empty) {
            return Ok(views.iter().map(|_| Vec::new().into_iter()).collect());
        }
        let mut answers = self.pool.with(|link| link.ask_all(&calls(link, views, &asked)))?.into_iter();
        let of_view = |asked: &Vec<Vec<LookUp>>| {
            let calls = asked.len().div_ceil(AT_ONCE);
            answers.by_ref().take(calls).flat_map(|found: Vec<Found>| found).collect::<Vec<_>>().into_iter()
        };
        Ok(asked.iter().map(of_view).collect())
    }
}

/// Rows of an entity between two bounds, or the latest of them.
struct LookUp {
    entity: Vec<u8>,
    from: Vec<u8>,
    to: Vec<u8>,
    latest: bool,
}

/// Of an entity: its window's rows, where the view has one; and its latest row, where that is told of or may be needed.
fn look_ups(view: &Question<'_>, key: &EntityKey, at: Timestamp, dated: bool) -> Vec<LookUp> {
    let look_up = |from, latest| LookUp { entity: key.as_bytes().to_vec(), from, to: up_to(at.micros()), latest };
    let window = view.definition.longest_window();
    let of_window = window.map(|window| {
        let start = at.micros().checked_sub(window.micros()).map_or(i64::MIN, |edge| edge.saturating_add(1));
        look_up(from(start), false)
    });
    let of_latest = needs_latest(view, dated).then(|| look_up(b"-".to_vec(), true));
    of_window.into_iter().chain(of_latest).collect()
}

fn needs_latest(view: &Question<'_>, dated: bool) -> bool {
    dated || view.definition.takes_last() || view.definition.longest_window().is_none()
}

fn calls(link: &Link, views: &[Question<'_>], asked: &[Vec<Vec<LookUp>>]) -> Pipeline {
    let mut calls = pipe();
    for (view, asked) in views.iter().zip(asked) {
        for piece in asked.chunks(AT_ONCE) {
            calls.add_command(call(link.call(Script::Read, view.view_id), piece));
        }
    }
    calls
}

fn call(mut call: Cmd, asked: &[Vec<LookUp>]) -> Cmd {
    for one in asked.iter().flatten() {
        call.arg(&one.entity).arg(&one.from).arg(&one.to).arg(u8::from(one.latest));
    }
    call
}

/// Makes answers of what was found.
struct View<'a> {
    asked: &'a Question<'a>,
    positions: Vec<usize>,
    columns: usize,
    has_window: bool,
    has_latest: bool,
}

impl<'a> View<'a> {
    fn of(asked: &'a Question<'a>, dated: bool) -> Self {
        let definition = asked.definition;
        Self {
            asked,
            positions: definition.positions(),
            columns: definition.columns().len(),
            has_window: definition.longest_window().is_some(),
            has_latest: needs_latest(asked, dated),
        }
    }

    /// Gives of each entity when its newest row became known, where that was asked for, and its values.
    fn each<T>(
        &self,
        mut found: std::vec::IntoIter<Found>,
        mut give: impl FnMut(Option<Timestamp>, Values) -> T,
    ) -> Result<Vec<T>, OnlineError> {
        let mut next = |is_asked: bool| is_asked.then(|| found.next()).flatten().unwrap_or_default();
        let one = |(key, at): &(Option<EntityKey>, Timestamp)| {
            let window = self.history(next(key.is_some() && self.has_window))?;
            let latest = self.history(last_of(next(key.is_some() && self.has_latest)))?;
            // The latest row of a window that holds any is the latest of all.
            let rows = if window.is_empty() { &latest } else { &window };
            let newest = latest.all().times.last().map(|time| Timestamp::from_micros(*time));
            Ok(give(newest, rows.values_of(self.asked.definition, &self.positions, *at)))
        };
        self.asked.asked.iter().map(one).collect()
    }

    fn history(&self, (rows, over): Found) -> Result<History, OnlineError> {
        let mut history = History::new(self.columns);
        for member in merged(rows, over) {
            let damaged = |source| OnlineError::CorruptRow { view: self.asked.view_id.to_owned(), source };
            let parts = parts(&member).ok_or_else(|| damaged(InvalidPacked(member.len())))?;
            let values = unpacked(self.asked.view_id, parts.packed, self.columns)?;
            history.push(parts.time, &values);
        }
        Ok(history)
    }
}

/// The later one of the latest rows.
fn last_of((rows, over): Found) -> Found {
    (merged(rows, over).pop().into_iter().collect(), Vec::new())
}

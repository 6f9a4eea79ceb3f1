//! What is served, as it goes by: a share of the rows of each view and hour, taken without waiting for anybody.

mod slot;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bedplate_sketches::{RowSample, mixed};
use bedplate_types::Timestamp;
use parking_lot::{Mutex, RwLock};

use self::slot::Slot;

/// Rows of a view that are looked at in a second at most; of a request with more, evenly spread over it.
pub const ROWS_A_SECOND: usize = 100;
/// Views, each version one, that are looked at at the same time.
pub const MOST_VIEWS: usize = 256;
/// Microseconds.
pub const HOUR: i64 = 3_600_000_000;

const SECOND: i64 = 1_000_000;

/// When the hour of a moment began.
#[must_use]
pub fn hour_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(HOUR) * HOUR
}

/// Clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Served(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    views: RwLock<HashMap<String, Arc<View>>>,
    seed: u64,
    /// Rows that were looked at: each has a lot of its own.
    drawn: AtomicU64,
}

#[derive(Debug)]
struct View {
    width: usize,
    /// Rows that were served and are in no count yet.
    passed: AtomicU64,
    /// The second in which no more are looked at.
    full: AtomicI64,
    slot: Mutex<Slot>,
}

/// What was served of a version of a view in an hour, by this process.
#[derive(Clone, Debug)]
pub struct ServedHour {
    /// As the online store calls the version.
    pub view: String,
    /// When it began, microseconds since 1970.
    pub hour: i64,
    /// Rows, looked at or not.
    pub served: u64,
    /// Of those that were looked at, each with a number for every feature of the view.
    pub sample: RowSample,
}

impl Served {
    /// `seed` decides which rows stay, and has to be another in every process.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Inner { views: RwLock::default(), seed, drawn: AtomicU64::new(0) }))
    }

    /// Tells of rows that are being served, whose number of the feature at `(row, feature)` is `value`.
    ///
    /// Costs a look into a map for most requests. Never waits: where another thread is at it, the rows are counted and
    /// not looked at.
    pub fn offer(
        &self,
        view: &str,
        (rows, width): (usize, usize),
        now: Timestamp,
        value: impl Fn(usize, usize) -> Option<f64>,
    ) {
        if rows == 0 {
            return;
        }
        let Some(view) = self.view(view, width) else { return };
        let second = now.micros().div_euclid(SECOND);
        let is_looked_at = view.full.load(Ordering::Relaxed) != second && view.width == width;
        let Some(mut slot) = is_looked_at.then(|| view.slot.try_lock()).flatten() else {
            view.passed.fetch_add(rows as u64, Ordering::Relaxed);
            return;
        };
        slot.turn(hour_of(now), &view.passed);
        slot.serve(rows as u64);
        let left = slot.left(second);
        for row in (0..rows).step_by(rows.div_ceil(left.max(1))).take(left) {
            slot.take(self.lot(), (0..width).map(|feature| value(row, feature).unwrap_or(f64::NAN)));
        }
        if slot.left(second) == 0 {
            view.full.store(second, Ordering::Relaxed);
        }
    }

    fn view(&self, name: &str, width: usize) -> Option<Arc<View>> {
        if let Some(view) = self.0.views.read().get(name) {
            return Some(view.clone());
        }
        let mut views = self.0.views.write();
        if views.len() >= MOST_VIEWS && !views.contains_key(name) {
            return None;
        }
        let new = || View {
            width,
            passed: AtomicU64::new(0),
            full: AtomicI64::new(i64::MIN),
            slot: Mutex::new(Slot::new(width)),
        };
        Some(views.entry(name.to_owned()).or_insert_with(|| Arc::new(new())).clone())
    }

    fn lot(&self) -> u64 {
        mixed(self.0.seed ^ mixed(self.0.drawn.fetch_add(1, Ordering::Relaxed)))
    }

    /// What has changed since it was last said to be kept, of every view: the hour that goes on, and those that ended.
    /// Forgets views that nobody asks for any more.
    #[must_use]
    pub fn changed(&self, now: Timestamp) -> Vec<ServedHour> {
        let views: Vec<_> = self.0.views.read().iter().map(|(name, view)| (name.clone(), view.clone())).collect();
        let (mut changed, mut idle) = (Vec::new(), Vec::new());
        for (name, view) in views {
            let mut slot = view.slot.lock();
            slot.turn(hour_of(now), &view.passed);
            if slot.is_idle() {
                idle.push(name);
                continue;
            }
            let of = |(hour, served, sample)| ServedHour { view: name.clone(), hour, served, sample };
            changed.extend(slot.changed().into_iter().map(of));
        }
        self.forget(&idle);
        changed
    }

    fn forget(&self, idle: &[String]) {
        if idle.is_empty() {
            return;
        }
        let mut views = self.0.views.write();
        for name in idle {
            // Somebody may be at it just now.
            if views
                .get(name)
                .is_some_and(|view| view.passed.load(Ordering::Relaxed) == 0 && view.slot.lock().is_idle())
            {
                views.remove(name);
            }
        }
    }

    /// These are kept now.
    pub fn kept(&self, hours: &[ServedHour]) {
        let views = self.0.views.read();
        for hour in hours {
            if let Some(view) = views.get(&hour.view) {
                view.slot.lock().kept(hour.hour, hour.served);
            }
        }
    }
}

#[cfg(test)]
mod tests;

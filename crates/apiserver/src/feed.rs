//! The newest changes, read from the database once for all watchers and kept for those that keep up.
//!
//! One task reads what is new after a write ([`Feed::tend`]) and wakes those who watch what was changed, and nobody else. A
//! watcher that has fallen behind what is kept here reads the changes table by itself.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bedplate_db::{Db, Tx};
use parking_lot::RwLock;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::error::ApiError;
use crate::store::{self, Change, Memory, StoredChange};
use crate::watch::in_background;

/// How much is kept at most: changes, and bytes of their objects.
const KEPT: usize = 4_096;
const KEPT_BYTES: usize = 8 << 20;
/// How many changes are read at a time.
const BATCH: i64 = 1_000;
/// What is written within this time of a reading is read together: many small frames would cost both sides more than the
/// wait.
const GATHERED: Duration = Duration::from_millis(4);
/// How soon a reading that failed is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// One change with what all watchers need of it.
pub struct Entry {
    pub stored: StoredChange,
    read: OnceLock<Change>,
    line: OnceLock<Arc<str>>,
}

impl Entry {
    fn new(stored: StoredChange) -> Self {
        Self { stored, read: OnceLock::new(), line: OnceLock::new() }
    }

    /// The event's line for a watcher that sees whole objects as they are stored; written once for all of them.
    pub fn line(&self, write: impl FnOnce(&StoredChange) -> String) -> Arc<str> {
        self.line.get_or_init(|| write(&self.stored).into()).clone()
    }

    /// The change for a watcher that looks into the object; read once for all of them.
    pub fn change(&self) -> Result<Change, ApiError> {
        if let Some(change) = self.read.get() {
            return Ok(change.clone());
        }
        let change = self.stored.read()?;
        Ok(self.read.get_or_init(|| change).clone())
    }
}

/// What is kept, and how far it reaches.
#[derive(Default)]
struct Kept {
    /// Changes after this version and up to `upto` are all here, but for those that were let go.
    after: i64,
    upto: i64,
    bytes: usize,
    entries: VecDeque<Arc<Entry>>,
    /// By resource, the newest change that was let go.
    gone: HashMap<String, i64>,
}

impl Kept {
    /// Whether all changes of a resource after `cursor` are here.
    fn reaches_back_to(&self, cursor: i64, resource: &str) -> bool {
        cursor >= self.after && self.gone.get(resource).is_none_or(|gone| cursor >= *gone)
    }

    fn shrink(&mut self) {
        while self.entries.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.stored.bytes();
            self.gone.insert(oldest.stored.resource.clone(), oldest.stored.version);
        }
    }
}

/// The shared end of the changes table.
#[derive(Default)]
pub struct Feed {
    kept: RwLock<Option<Kept>>,
    /// How many writes had been told when the last reading began; held by whoever reads.
    reading: Mutex<Option<u64>>,
    tended: OnceLock<()>,
    /// By resource, who waits for its changes.
    waiting: RwLock<HashMap<String, watch::Sender<()>>>,
}

/// What a watcher gets.
pub struct News {
    pub upto: i64,
    pub entries: Vec<Arc<Entry>>,
}

impl Feed {
    /// Has the feed read what is new each time `writes` counts on, from the first call until nobody counts any more.
    pub fn tend(self: &Arc<Self>, db: &Db, writes: &watch::Sender<u64>) {
        self.tended.get_or_init(|| drop(tokio::spawn(Arc::clone(self).pump(db.clone(), writes.subscribe()))));
    }

    async fn pump(self: Arc<Self>, db: Db, mut writes: watch::Receiver<u64>) {
        while writes.changed().await.is_ok() {
            let earliest = Instant::now() + GATHERED;
            let told = *writes.borrow_and_update();
            while let Err(error) = self.catch_up(&db, Some(told)).await {
                tracing::warn!(%error, "what was written could not be read for those who watch; trying again");
                tokio::time::sleep(AGAIN).await;
                if writes.has_changed().is_err() {
                    return;
                }
            }
            tokio::time::sleep_until(earliest).await;
        }
    }

    /// Is woken when a resource was changed.
    pub fn wait_for(&self, resource: &str) -> watch::Receiver<()> {
        if let Some(waiting) = self.waiting.read().get(resource) {
            return waiting.subscribe();
        }
        self.waiting.write().entry(resource.to_owned()).or_default().subscribe()
    }

    fn wake(&self, whom: impl Fn(&str) -> bool) {
        for (_, waiting) in self.waiting.read().iter().filter(|(resource, _)| whom(resource)) {
            waiting.send_replace(());
        }
    }

    /// Makes sure that everything is here that was committed before `writes` writes had been told; `None`: reads in any case.
    pub async fn catch_up(&self, db: &Db, writes: Option<u64>) -> Result<(), ApiError> {
        let mut reading = self.reading.lock().await;
        if writes.is_some() && *reading >= writes {
            return Ok(());
        }
        let mut is_full = true;
        while is_full {
            let after = self.kept.read().as_ref().map(|kept| kept.upto);
            let (memory, changes) = in_background(db, move |tx| read(tx, after)).await?;
            is_full = changes.len() as i64 == BATCH;
            self.keep(memory, changes);
        }
        *reading = writes.max(*reading);
        Ok(())
    }

    fn keep(&self, memory: Memory, changes: Vec<StoredChange>) {
        let changed: HashSet<String> = changes.iter().map(|change| change.resource.clone()).collect();
        let begins_anew = self.take_in(memory, changes);
        self.wake(|resource| begins_anew || changed.contains(resource));
    }

    /// Returns whether what was kept before could not be gone on from.
    fn take_in(&self, memory: Memory, changes: Vec<StoredChange>) -> bool {
        let mut kept = self.kept.write();
        let is_behind = kept.as_ref().is_some_and(|kept| is_behind(kept.upto, memory));
        let start = || Kept { after: memory.head, upto: memory.head, ..Kept::default() };
        if is_behind {
            *kept = None;
        }
        let kept = kept.get_or_insert_with(start);
        let reached = changes.last().filter(|_| changes.len() as i64 == BATCH).map(|last| last.version);
        kept.upto = reached.unwrap_or(memory.head).max(kept.upto);
        for stored in changes {
            kept.bytes += stored.bytes();
            kept.entries.push_back(Arc::new(Entry::new(stored)));
        }
        kept.shrink();
        is_behind
    }

    /// The changes of a resource after `cursor`; `None` when that is further back than what is kept.
    pub fn since(&self, cursor: i64, resource: &str, namespace: Option<&str>) -> Option<News> {
        let kept = self.kept.read();
        let kept = kept.as_ref().filter(|kept| kept.reaches_back_to(cursor, resource))?;
        let from = kept.entries.partition_point(|entry| entry.stored.version <= cursor);
        let asked = |entry: &&Arc<Entry>| {
            entry.stored.resource == resource && namespace.is_none_or(|namespace| entry.stored.namespace == namespace)
        };
        Some(News { upto: kept.upto.max(cursor), entries: kept.entries.range(from..).filter(asked).cloned().collect() })
    }
}

/// What is new after `after`; nothing when so much is new that watchers had better read for themselves.
fn read(tx: &mut dyn Tx, after: Option<i64>) -> Result<(Memory, Vec<StoredChange>), ApiError> {
    let memory = store::memory(tx)?;
    let after = after.filter(|after| !is_behind(*after, memory)).unwrap_or(memory.head);
    Ok((memory, store::all_changes(tx, after, BATCH)?))
}

fn is_behind(upto: i64, memory: Memory) -> bool {
    upto < memory.floor || memory.head - upto > KEPT as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Event;

    fn change(version: i64, resource: &str, bytes: usize) -> StoredChange {
        let (resource, namespace) = (resource.into(), "n".into());
        StoredChange { resource, namespace, version, event: Event::Added, before: None, object: "x".repeat(bytes) }
    }

    fn head(head: i64) -> Memory {
        Memory { floor: 0, head }
    }

    fn versions(feed: &Feed, cursor: i64, namespace: Option<&str>) -> Option<(i64, Vec<i64>)> {
        let news = feed.since(cursor, "a", namespace)?;
        Some((news.upto, news.entries.iter().map(|entry| entry.stored.version).collect()))
    }

    #[test]
    fn a_watcher_gets_what_is_after_its_cursor_and_its_own() {
        let feed = Feed::default();
        assert_eq!(versions(&feed, 0, None), None, "nothing was read yet");
        feed.keep(head(10), Vec::new());
        assert_eq!(versions(&feed, 9, None), None, "before what is kept");
        assert_eq!(versions(&feed, 10, None), Some((10, vec![])));
        feed.keep(head(13), vec![change(11, "a", 1), change(12, "b", 1), change(13, "a", 1)]);
        assert_eq!(versions(&feed, 10, None), Some((13, vec![11, 13])));
        assert_eq!(versions(&feed, 11, Some("n")), Some((13, vec![13])));
        assert_eq!(versions(&feed, 11, Some("other")), Some((13, vec![])));
        assert_eq!(versions(&feed, 20, None), Some((20, vec![])), "a cursor never goes back");
    }

    #[test]
    fn what_is_kept_is_bounded_by_number_and_bytes() {
        let feed = Feed::default();
        feed.keep(head(0), Vec::new());
        let many = KEPT as i64 + 10;
        feed.keep(head(20), (1..=20).map(|version| change(version, "a", 1)).collect());
        feed.keep(head(many), (21..=many).map(|version| change(version, "a", 1)).collect());
        assert_eq!(versions(&feed, 9, None), None);
        assert_eq!(versions(&feed, 10, None).map(|news| news.1.len()), Some(KEPT));
        feed.keep(head(many + 1), vec![change(many + 1, "a", KEPT_BYTES)]);
        assert_eq!(versions(&feed, many, None), Some((many + 1, vec![many + 1])));
        assert_eq!(versions(&feed, many - 1, None), None);
    }

    #[test]
    fn who_watches_what_is_at_rest_does_not_fall_behind() {
        let feed = Feed::default();
        feed.keep(head(0), Vec::new());
        feed.keep(head(2), vec![change(1, "a", 1), change(2, "b", 1)]);
        feed.keep(head(3), vec![change(3, "b", KEPT_BYTES)]);
        feed.keep(head(4), vec![change(4, "a", KEPT_BYTES)]);
        assert_eq!(versions(&feed, 1, None), Some((4, vec![4])), "its own last change was seen");
        assert_eq!(versions(&feed, 0, None), None, "its own last change was not");
    }

    #[test]
    fn those_are_woken_whose_resource_was_changed() {
        let feed = Feed::default();
        feed.keep(head(0), Vec::new());
        let (a, b) = (feed.wait_for("a"), feed.wait_for("b"));
        feed.keep(head(1), vec![change(1, "a", 1)]);
        assert_eq!((a.has_changed().unwrap(), b.has_changed().unwrap()), (true, false));
        feed.keep(Memory { floor: 5, head: 9 }, vec![]);
        assert!(b.has_changed().unwrap(), "what happened meanwhile is not known");
    }

    #[test]
    fn one_that_is_far_behind_begins_anew() {
        let feed = Feed::default();
        feed.keep(head(1), vec![]);
        feed.keep(head(2), vec![change(2, "a", 1)]);
        feed.keep(Memory { floor: 5, head: 9 }, vec![]);
        assert_eq!((versions(&feed, 2, None), versions(&feed, 9, None)), (None, Some((9, vec![]))));
    }

    #[test]
    fn a_full_batch_reaches_no_further_than_its_last_change() {
        let feed = Feed::default();
        feed.keep(head(0), Vec::new());
        feed.keep(head(4_000), (1..=BATCH).map(|version| change(version, "a", 1)).collect());
        assert_eq!(versions(&feed, BATCH, None), Some((BATCH, vec![])));
    }
}

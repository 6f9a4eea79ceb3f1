//! The newest changes, read from the database once for all watchers and kept for those that keep up.
//!
//! Whoever is woken first reads what is new for everybody; a watcher that has fallen behind what is kept here reads the
//! changes table by itself.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bedplate_db::{Db, Tx};
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::error::ApiError;
use crate::store::{self, Change, Memory, StoredChange};
use crate::watch::in_background;

/// How much is kept at most: changes, and bytes of their objects.
const KEPT: usize = 4_096;
const KEPT_BYTES: usize = 8 << 20;
/// How many changes are read at a time.
const BATCH: i64 = 1_000;

/// One change with what all watchers need of it.
pub struct Entry {
    pub resource: String,
    pub namespace: String,
    pub change: Change,
    bytes: usize,
    line: OnceLock<Arc<str>>,
}

impl Entry {
    /// The event's line for a watcher that sees whole objects as they are stored; written once for all of them.
    pub fn line(&self, write: impl FnOnce(&Change) -> String) -> Arc<str> {
        self.line.get_or_init(|| write(&self.change).into()).clone()
    }
}

/// What is kept, and how far it reaches.
#[derive(Default)]
struct Kept {
    /// Changes after this version and up to `upto` are all here.
    after: i64,
    upto: i64,
    bytes: usize,
    entries: VecDeque<Arc<Entry>>,
}

/// The shared end of the changes table.
#[derive(Default)]
pub struct Feed {
    kept: RwLock<Option<Kept>>,
    /// How many writes had been told when the last reading began; held by whoever reads.
    reading: Mutex<Option<u64>>,
}

/// What a watcher gets.
pub struct News {
    pub upto: i64,
    pub entries: Vec<Arc<Entry>>,
}

impl Feed {
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
        let mut kept = self.kept.write();
        let is_behind = kept.as_ref().is_some_and(|kept| is_behind(kept.upto, memory));
        let start = || Kept { after: memory.head, upto: memory.head, ..Kept::default() };
        if is_behind {
            *kept = None;
        }
        let kept = kept.get_or_insert_with(start);
        let reached = changes.last().filter(|_| changes.len() as i64 == BATCH).map(|last| last.change.version);
        kept.upto = reached.unwrap_or(memory.head).max(kept.upto);
        for StoredChange { resource, namespace, bytes, change } in changes {
            kept.bytes += bytes;
            kept.entries.push_back(Arc::new(Entry { resource, namespace, change, bytes, line: OnceLock::new() }));
        }
        while kept.entries.len() > KEPT || kept.bytes > KEPT_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.bytes;
            kept.after = oldest.change.version;
        }
    }

    /// The changes of a resource after `cursor`; `None` when that is further back than what is kept.
    pub fn since(&self, cursor: i64, resource: &str, namespace: Option<&str>) -> Option<News> {
        let kept = self.kept.read();
        let kept = kept.as_ref().filter(|kept| cursor >= kept.after)?;
        let from = kept.entries.partition_point(|entry| entry.change.version <= cursor);
        let asked = |entry: &&Arc<Entry>| {
            entry.resource == resource && namespace.is_none_or(|namespace| entry.namespace == namespace)
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
    use serde_json::json;

    use super::*;
    use crate::store::Event;

    fn change(version: i64, resource: &str, bytes: usize) -> StoredChange {
        let change = Change { version, event: Event::Added, before: None, object: json!({}) };
        StoredChange { resource: resource.into(), namespace: "n".into(), bytes, change }
    }

    fn head(head: i64) -> Memory {
        Memory { floor: 0, head }
    }

    fn versions(feed: &Feed, cursor: i64, namespace: Option<&str>) -> Option<(i64, Vec<i64>)> {
        let news = feed.since(cursor, "a", namespace)?;
        Some((news.upto, news.entries.iter().map(|entry| entry.change.version).collect()))
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

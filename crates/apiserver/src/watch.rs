//! Watches: the changes table, followed from a version, as a stream of JSON lines.
//!
//! A watcher holds a cursor and no buffer but the batch it is sending: a slow client slows only itself. It wakes on the
//! signal every write gives, and looks again by itself now and then. Before anything is sent the caller's right to it is
//! asked for again; who has lost it, or whose token is no longer good, is told so and cut off.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bedplate_db::{Db, Tx};
use bedplate_types::Clock;
use bytes::Bytes;
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::ApiError;
use crate::feed::{Feed, News};
use crate::guard::Guard;
use crate::meta;
use crate::options::Query;
use crate::read::List;
use crate::represent::View;
use crate::resource::Resource;
use crate::status;
use crate::store::{self, Change, Event, Memory};

const BATCH: i64 = 500;
/// How often an idle watcher looks by itself and, if it was asked to, sends a bookmark.
const PERIOD: Duration = Duration::from_secs(30);
/// How often the database is asked whether the watcher may still watch.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long a watch lasts when the client does not say.
const USUAL_SECONDS: u64 = 45 * 60;

/// A watch that a client asked for.
pub struct Watch {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    /// Says that the server is going away.
    pub closed: watch::Receiver<bool>,
    pub guard: Guard,
    pub resource: Arc<Resource>,
    pub namespace: Option<String>,
    pub list: List,
    pub view: View,
    pub feed: Arc<Feed>,
    /// Wakes when the resource was changed.
    pub changed: watch::Receiver<()>,
    pub options: Options,
}

/// How it is to begin and end.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The version it goes on from; without one it begins with everything there is.
    from: Option<i64>,
    bookmarks: bool,
    /// The end of the objects that were there already is marked by a bookmark.
    mark_initial_end: bool,
    timeout: Duration,
}

impl Options {
    pub fn read(query: &Query) -> Result<Self, ApiError> {
        let initial = query.flag("sendInitialEvents");
        let from = query.number("resourceVersion")?.filter(|version| *version > 0 && !initial);
        Ok(Self {
            from: from.map(|version| i64::try_from(version).unwrap_or(i64::MAX)),
            bookmarks: query.flag("allowWatchBookmarks"),
            mark_initial_end: initial,
            timeout: Duration::from_secs(query.number("timeoutSeconds")?.filter(|s| *s > 0).unwrap_or(USUAL_SECONDS)),
        })
    }
}

/// A watch under way.
struct Following {
    watch: Watch,
    /// Everything up to this version was sent; `None` before the first read.
    cursor: Option<i64>,
    first: bool,
    /// It was not the feed that woke it: nobody knows what was written.
    is_unsure: bool,
    ended: bool,
    /// There may be something to read.
    must_look: bool,
    deadline: Instant,
    /// The latest moment to look again.
    next_look: Instant,
    next_question: Instant,
}

impl Watch {
    /// The stream of the events' lines. It ends at the timeout, after an error event, and when the server goes.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
        let now = Instant::now();
        let deadline = now + self.options.timeout;
        let cursor = self.options.from;
        let following = Following {
            watch: self,
            cursor,
            first: true,
            is_unsure: true,
            ended: false,
            must_look: true,
            deadline,
            next_look: now + PERIOD,
            next_question: now + ASK_AGAIN,
        };
        futures::stream::unfold(following, |mut following| async {
            let lines = following.next().await?;
            Some((Ok(lines), following))
        })
    }
}

impl Following {
    /// The next lines to send; waits for them.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.ended || *self.watch.closed.borrow() {
                return None;
            }
            if let Err(error) = self.may_go_on().await {
                self.ended = true;
                return Some(error_line(&error).into());
            }
            if Instant::now() >= self.deadline {
                self.ended = true;
                return self.progress().map(Bytes::from);
            }
            if std::mem::take(&mut self.must_look) {
                let lines = self.look().await;
                // What was read may be newer than the answer to the question before it.
                if !lines.is_empty() && self.watch.guard.still().is_ok() {
                    return Some(lines.into());
                }
            }
            if let Some(bookmark) = self.wait().await {
                return Some(bookmark.into());
            }
        }
    }

    async fn may_go_on(&mut self) -> Result<(), ApiError> {
        if Instant::now() < self.next_question {
            return self.watch.guard.still();
        }
        self.watch.guard.ask_again().await?;
        self.next_question = Instant::now() + ASK_AGAIN;
        Ok(())
    }

    /// Waits for a change, the next question, the period or the end; the period may call for a bookmark.
    async fn wait(&mut self) -> Option<String> {
        if self.must_look {
            return None;
        }
        let until = self.deadline.min(self.next_look).min(self.next_question);
        tokio::select! {
            changed = self.watch.changed.changed() => {
                self.ended = changed.is_err();
                self.must_look = true;
                None
            }
            closed = self.watch.closed.changed() => {
                self.ended = closed.is_err();
                None
            }
            () = tokio::time::sleep_until(until) => {
                let now = Instant::now();
                // Even when there is nothing to tell it takes note of how far the others have come.
                self.must_look = true;
                if now < self.next_look {
                    return None;
                }
                self.next_look = now + PERIOD;
                self.is_unsure = true;
                if now < self.deadline { self.progress() } else { None }
            }
        }
    }

    /// The lines of what happened since the last look.
    async fn look(&mut self) -> String {
        let seen = match self.cursor {
            Some(cursor) => self.read_changes(cursor).await,
            None => self.read_everything().await,
        };
        seen.unwrap_or_else(|error| {
            self.ended = true;
            error_line(&error)
        })
    }

    async fn read_everything(&mut self) -> Result<String, ApiError> {
        let (list, resource, namespace) =
            (self.watch.list.clone(), self.watch.resource.clone(), self.watch.namespace.clone());
        let found = in_background(&self.watch.db, move |tx| list.run(tx, &resource, namespace.as_deref())).await?;
        self.cursor = Some(found.version);
        let mut lines = String::new();
        for object in found.items {
            lines += &self.event(Event::Added, object);
        }
        if self.watch.options.mark_initial_end {
            lines += &self.bookmark(true);
        }
        Ok(lines)
    }

    async fn read_changes(&mut self, cursor: i64) -> Result<String, ApiError> {
        if std::mem::take(&mut self.is_unsure) {
            self.watch.feed.catch_up(&self.watch.db, None).await?;
        }
        let news = self.watch.feed.since(cursor, &self.watch.resource.storage(), self.watch.namespace.as_deref());
        match news {
            Some(news) => self.read_news(news),
            None => self.read_table(cursor).await,
        }
    }

    fn read_news(&mut self, news: News) -> Result<String, ApiError> {
        let is_shared = self.watch.view.is_whole()
            && self.watch.list.selection.is_everything()
            && self.watch.resource.is_shown_as_stored();
        let mut lines = String::new();
        for entry in news.entries {
            if is_shared {
                lines += &entry.line(|stored| line(stored.event.as_str(), &stored.object));
            } else {
                lines += &self.change(entry.change()?)?.unwrap_or_default();
            }
        }
        self.cursor = Some(news.upto);
        Ok(lines)
    }

    /// For a watcher that is behind what the feed keeps.
    async fn read_table(&mut self, cursor: i64) -> Result<String, ApiError> {
        let (resource, namespace) = (self.watch.resource.storage(), self.watch.namespace.clone());
        let read = move |tx: &mut dyn Tx| {
            let Memory { floor, head } = store::memory(tx)?;
            if cursor < floor {
                return Err(ApiError::Expired(format!("too old resource version: {cursor} ({floor})")));
            }
            Ok((head, store::changes(tx, &resource, namespace.as_deref(), cursor, BATCH)?))
        };
        let (head, changes) = in_background(&self.watch.db, read).await?;
        let last = changes.last().map(|change| change.version);
        let is_full = changes.len() as i64 == BATCH;
        let mut lines = String::new();
        for change in changes {
            lines += &self.change(change)?.unwrap_or_default();
        }
        self.cursor = Some(last.filter(|_| is_full).unwrap_or(head.max(cursor)));
        self.must_look |= is_full;
        Ok(lines)
    }

    /// A change as this watcher sees it: an object that comes to be selected appears, one that ceases to be, goes.
    fn change(&mut self, change: Change) -> Result<Option<String>, ApiError> {
        let resource = &self.watch.resource;
        let object = resource.present(change.object)?;
        let selection = &self.watch.list.selection;
        let before = change.before.map(|before| resource.present(before)).transpose()?;
        let matched = before.as_ref().is_some_and(|before| selection.matches(before));
        let event = match (change.event, matched, selection.matches(&object)) {
            // Shown as it was when it was last to be seen.
            (Event::Deleted | Event::Modified, true, false) => {
                let version = object["metadata"]["resourceVersion"].clone();
                let Some(mut last) = before else { return Ok(None) };
                meta::set(&mut last, "resourceVersion", version);
                return Ok(Some(self.event(Event::Deleted, last)));
            }
            (Event::Deleted, true, _) => Event::Deleted,
            (Event::Added, _, true) | (Event::Modified, false, true) => Event::Added,
            (Event::Modified, true, true) => Event::Modified,
            _ => return Ok(None),
        };
        Ok(Some(self.event(event, object)))
    }

    fn event(&mut self, event: Event, object: Value) -> String {
        let first = std::mem::take(&mut self.first);
        let now = self.watch.clock.now();
        line(event.as_str(), &self.watch.view.event(&self.watch.resource, object, first, now))
    }

    /// How far this watch has come, when the client wants to know.
    fn progress(&self) -> Option<String> {
        (self.watch.options.bookmarks && self.cursor.is_some()).then(|| self.bookmark(false))
    }

    fn bookmark(&self, ends_initial: bool) -> String {
        let version = self.cursor.unwrap_or_default().to_string();
        let mut metadata = json!({ "resourceVersion": version, "creationTimestamp": null });
        if ends_initial {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        line("BOOKMARK", &self.watch.view.bookmark(&self.watch.resource, metadata))
    }
}

/// `object` is JSON.
fn line(event: &str, object: &dyn fmt::Display) -> String {
    format!("{{\"type\":\"{event}\",\"object\":{object}}}\n")
}

fn error_line(error: &ApiError) -> String {
    line("ERROR", &status::of(error))
}

/// Reads the database on a thread that may block.
pub async fn in_background<T, F>(db: &Db, read: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Tx) -> Result<T, ApiError> + Send + 'static,
{
    let db = db.clone();
    let task = tokio::task::spawn_blocking(move || db.read(read));
    task.await.map_err(|error| ApiError::Internal(error.to_string()))?
}

//! Pushing rows, markers, and forgetting views.

use std::collections::{BTreeMap, HashMap};

use bedplate_features::SourceRow;
use redis::{Cmd, cmd};

use super::RemoteStore;
use super::link::view_key;
use super::member::member;
use super::scripts::Script;
use crate::OnlineError;
use crate::layout::{check_length, row_key, view_prefix};

/// Rows that become visible together.
const CHUNK: usize = 8192;
/// Entities whose rows are removed at once.
const SWEPT: u32 = 1000;

impl RemoteStore {
    pub(crate) fn put(&self, view_id: &str, rows: &[SourceRow]) -> Result<u64, OnlineError> {
        let mut fresh = 0;
        for chunk in rows.chunks(CHUNK) {
            let grouped = Grouped::of(view_id, chunk)?;
            fresh += self.pool.with(|link| link.write::<u64>(grouped.added_to(link.call(Script::Put, view_id))))?;
        }
        Ok(fresh)
    }

    pub(crate) fn is_loaded(&self, view_id: &str, marker: &str) -> Result<bool, OnlineError> {
        let stored: Option<Vec<u8>> = self.hash_field(view_id, "loaded")?;
        Ok(stored.is_some_and(|stored| stored == marker.as_bytes()))
    }

    pub(crate) fn mark_loaded(&self, view_id: &str, marker: &str) -> Result<(), OnlineError> {
        let mut mark = cmd("HSET");
        mark.arg(view_key(view_id)).arg("loaded").arg(marker);
        self.pool.with(|link| link.write::<()>(mark.clone()))?;
        Ok(())
    }

    pub(crate) fn drop_view(&self, view_id: &str) -> Result<(), OnlineError> {
        self.pool.with(|link| link.write::<()>(link.call(Script::Drop, view_id)))?;
        self.sweep(view_id)
    }

    pub(crate) fn count(&self, view_id: &str) -> Result<u64, OnlineError> {
        self.fold(view_id)?;
        Ok(self.hash_field(view_id, "rows")?.unwrap_or(0))
    }

    /// Removes what nobody sees any more, piece by piece.
    pub(super) fn sweep(&self, view_id: &str) -> Result<(), OnlineError> {
        let swept = |link: &mut super::link::Link| {
            let mut call = link.call(Script::Sweep, view_id);
            link.ask::<u32>(call.arg(SWEPT))
        };
        while self.pool.with(swept)? > 0 {}
        Ok(())
    }

    pub(super) fn hash_field<T: redis::FromRedisValue>(
        &self,
        view_id: &str,
        field: &str,
    ) -> Result<Option<T>, OnlineError> {
        let mut get = cmd("HGET");
        get.arg(view_key(view_id)).arg(field);
        Ok(self.pool.with(|link| link.ask(&get))?)
    }
}

/// Rows by entity, of each time and identity the one that counts.
pub(super) struct Grouped(BTreeMap<Vec<u8>, Vec<Vec<u8>>>);

impl Grouped {
    pub(super) fn of<'a>(view_id: &str, rows: impl IntoIterator<Item = &'a SourceRow>) -> Result<Self, OnlineError> {
        let (mut counts, view) = (HashMap::new(), view_prefix(view_id));
        for row in rows {
            let (key, member) = (row_key(&view, row), member(row));
            check_length(view_id, key.len())?;
            let kept = counts.entry(key).or_insert_with(|| (row.key.as_bytes(), member.clone()));
            if kept.1 < member {
                kept.1 = member;
            }
        }
        let mut grouped = BTreeMap::<Vec<u8>, Vec<Vec<u8>>>::new();
        for (entity, member) in counts.into_values() {
            grouped.entry(entity.to_owned()).or_default().push(member);
        }
        Ok(Self(grouped))
    }

    pub(super) fn added_to(&self, mut call: Cmd) -> Cmd {
        for (entity, members) in &self.0 {
            call.arg(entity).arg(members.len());
            for member in members {
                call.arg(member);
            }
        }
        call
    }
}

//! Whole sources: brought piece by piece, seen all at once.

use bedplate_features::SourceRow;

use super::RemoteStore;
use super::scripts::Script;
use super::write::Grouped;
use crate::{LoadError, OnlineError};

/// Rows that are held and sent at once.
const PIECE: usize = 2048;
/// Rows or entities that are folded at once, so that others do not wait for long.
const FOLDED: u32 = 2000;
/// What [`Script::Show`] answers.
const LIES_OVER: i64 = -1;
const FOLD_FIRST: i64 = -2;

impl RemoteStore {
    pub(crate) fn try_load<E>(
        &self,
        view_id: &str,
        rows: impl IntoIterator<Item = Result<SourceRow, E>>,
    ) -> Result<u64, LoadError<E>> {
        let stage = self.begin(view_id)?;
        let shown = self.stage_all(view_id, &stage, rows).and_then(|()| Ok(self.show(view_id, &stage)?));
        if shown.is_err() {
            // Where that fails too, the next load of the view throws it away.
            let _ = self.cancel(view_id, &stage);
        }
        // What cannot be removed now is with the next load.
        let _ = self.sweep(view_id);
        shown
    }

    fn stage_all<E>(
        &self,
        view_id: &str,
        stage: &str,
        rows: impl IntoIterator<Item = Result<SourceRow, E>>,
    ) -> Result<(), LoadError<E>> {
        let mut piece = Vec::with_capacity(PIECE);
        for row in rows {
            piece.push(row.map_err(LoadError::Rows)?);
            if piece.len() == PIECE {
                self.stage(view_id, stage, &piece)?;
                piece.clear();
            }
        }
        Ok(self.stage(view_id, stage, &piece)?)
    }

    pub(super) fn begin(&self, view_id: &str) -> Result<String, OnlineError> {
        Ok(self.pool.with(|link| link.ask(&link.call(Script::Begin, view_id)))?)
    }

    pub(super) fn stage(&self, view_id: &str, stage: &str, rows: &[SourceRow]) -> Result<(), OnlineError> {
        let grouped = Grouped::of(view_id, rows)?;
        let staged = self.pool.with(|link| {
            let mut call = link.call(Script::Stage, view_id);
            call.arg(stage);
            link.ask::<()>(&grouped.added_to(call))
        });
        Ok(staged?)
    }

    /// Makes what was staged visible, and returns how many rows were new when all of it is where the others are, and on disk.
    fn show(&self, view_id: &str, stage: &str) -> Result<u64, OnlineError> {
        self.fold(view_id)?;
        loop {
            match self.show_once(view_id, stage)? {
                FOLD_FIRST => self.fold(view_id)?,
                LIES_OVER => return self.fold(view_id),
                fresh => return Ok(fresh.unsigned_abs()),
            };
        }
    }

    pub(super) fn show_once(&self, view_id: &str, stage: &str) -> Result<i64, OnlineError> {
        let shown = self.pool.with(|link| {
            let mut call = link.call(Script::Show, view_id);
            call.arg(stage);
            link.write(call)
        });
        Ok(shown?)
    }

    /// Folds a load that lies over the view's rows into them, if there is one; returns how many rows were new.
    pub(super) fn fold(&self, view_id: &str) -> Result<u64, OnlineError> {
        let mut all = 0;
        loop {
            let folded = self.pool.with(|link| {
                let mut call = link.call(Script::Fold, view_id);
                call.arg(FOLDED);
                link.write::<(u8, u64)>(call)
            });
            let (is_done, fresh) = folded?;
            all += fresh;
            if is_done == 1 {
                return Ok(all);
            }
        }
    }

    fn cancel(&self, view_id: &str, stage: &str) -> Result<(), OnlineError> {
        let cancelled = self.pool.with(|link| {
            let mut call = link.call(Script::Cancel, view_id);
            call.arg(stage);
            link.ask::<()>(&call)
        });
        Ok(cancelled?)
    }
}

#[cfg(test)]
mod tests {
    use bedplate_features::{EntityKey, FeatureDef, KeyValue, RowId, ViewDefinition};
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
    use bedplate_testkit::Redis;
    use bedplate_types::{Span, Timestamp};

    use super::*;
    use crate::{Connect, OnlineStore, Question, RedisAddress};

    fn entity(name: i64) -> EntityKey {
        EntityKey::from_values(&[join_key()], &[KeyValue::Int(name)]).unwrap().unwrap()
    }

    fn join_key() -> JoinKey {
        JoinKey { name: "k".into(), type_: ColumnType::Int64 }
    }

    /// Few entities, times and ids, so that rows meet.
    fn row(seed: u64, created: bool) -> SourceRow {
        let state =
            seed.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17).wrapping_mul(1_442_695_040_888_963_407);
        let pick = |at: u32, of: u64| ((state >> at) % of) as i64;
        SourceRow {
            key: entity(pick(3, 6)),
            time: pick(11, 12),
            created: created.then(|| pick(23, 4)),
            id: (pick(31, 3) > 0).then(|| RowId::Int(pick(37, 3))),
            values: vec![Some(pick(43, 5) as f64)],
        }
    }

    fn view(created: bool) -> ViewDefinition {
        let feature = |name: &str, aggregate, window: Option<i64>| FeatureDef {
            name: name.into(),
            column: "x".into(),
            aggregate,
            window: window.map(Span::from_micros),
            quantile: None,
        };
        ViewDefinition {
            name: "v".into(),
            join_keys: vec![join_key()],
            timestamp: Some("at".into()),
            created: created.then(|| "written".into()),
            ttl: None,
            features: vec![feature("last", Aggregate::Last, None), feature("sum", Aggregate::Sum, Some(4))],
        }
    }

    /// Equal to a store in a folder that was given the same rows one by one.
    fn check(store: &RemoteStore, same: &OnlineStore, created: bool, what: &str) {
        let view = view(created);
        let asked: Vec<_> =
            (0..7).flat_map(|name| (0..14).map(move |at| (Some(entity(name)), Timestamp::from_micros(at)))).collect();
        let question = [Question { definition: &view, view_id: "v", asked: &asked }];
        assert_eq!(store.read_all(&question).unwrap(), same.read_all(&question).unwrap(), "{what}");
        assert_eq!(store.read_all_dated(&question).unwrap(), same.read_all_dated(&question).unwrap(), "{what}");
    }

    /// Wherever the loader is killed, readers see none of its rows or all, and pushes in between count.
    #[test]
    fn a_load_is_seen_whole_while_it_lies_over_the_rows_and_is_folded_by_the_next() {
        let Some(server) = Redis::shared("a load that lies over rows in Redis") else { return };
        for created in [false, true] {
            let address = RedisAddress::parse(&server.database()).unwrap();
            let connect = || Connect { address: address.clone(), ca: None, owner: "tests".into(), may_lose: false };
            let store = RemoteStore::connect(connect()).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let same = OnlineStore::open(folder.path()).unwrap();
            let rows = |from, to| (from..to).map(|seed| row(seed, created)).collect::<Vec<_>>();
            let (pushed, loaded, later) = (rows(0, 60), rows(60, 160), rows(160, 200));
            store.put("v", &pushed).unwrap();
            same.put("v", &pushed).unwrap();
            let stage = store.begin("v").unwrap();
            store.stage("v", &stage, &loaded[..70]).unwrap();
            store.stage("v", &stage, &loaded[40..]).unwrap();
            check(&store, &same, created, "staged");
            assert_eq!(store.show_once("v", &stage).unwrap(), LIES_OVER);
            assert_eq!(store.show_once("v", &stage).unwrap(), LIES_OVER, "asked again");
            same.put("v", &loaded).unwrap();
            check(&store, &same, created, "lying over");
            store.put("v", &later).unwrap();
            same.put("v", &later).unwrap();
            check(&store, &same, created, "pushed meanwhile");
            // Another process, after this one was killed.
            let store = RemoteStore::connect(connect()).unwrap();
            let folded = store.pool.with(|link| {
                let mut call = link.call(Script::Fold, "v");
                call.arg(2);
                link.ask::<(u8, u64)>(&call)
            });
            assert_eq!(folded.unwrap().0, 0, "folded in part");
            check(&store, &same, created, "folded in part");
            let more = rows(200, 230);
            store.try_load("v", more.iter().cloned().map(Ok::<_, ()>)).unwrap();
            same.put("v", &more).unwrap();
            check(&store, &same, created, "folded");
            assert_eq!(store.count("v").unwrap(), same.count("v").unwrap());
        }
    }
}

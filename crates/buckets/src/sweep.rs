//! Removing what nobody needs: files without a row, files that were replaced, uploads nobody completed, and all that was in
//! buckets of namespaces that are gone.

use std::collections::HashSet;

use bedplate_db::{Db, Tx};
use bedplate_types::Timestamp;

use crate::{Blobs, Bucket, BucketError, bucket, object, upload};

/// How long a file is kept after its object was replaced or removed.
pub const GRACE: i64 = 3_600_000_000;
/// How long a file may be without a row: it is being written, or its writer was killed.
const UNNAMED: i64 = 24 * GRACE;
/// How old an upload in parts becomes.
pub const STALE: i64 = 7 * 24 * GRACE;
/// What one transaction removes.
const AT_ONCE: i64 = 500;

/// How much went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub buckets: usize,
    pub uploads: usize,
    pub files: usize,
}

/// `is_gone` says of buckets, which are looked up before it is asked, whether their namespace is gone. Blocks.
///
/// # Errors
/// [`BucketError`]; what was swept before stays so.
pub fn sweep(
    db: &Db,
    blobs: &Blobs,
    now: Timestamp,
    is_gone: impl FnOnce(&[Bucket]) -> HashSet<String>,
) -> Result<Swept, BucketError> {
    let mut swept = Swept::default();
    let buckets = db.read(bucket::all)?;
    let gone = is_gone(&buckets);
    for bucket in buckets.into_iter().filter(|bucket| gone.contains(&bucket.id)) {
        while db.write({
            let id = bucket.id.clone();
            move |tx| empty(tx, &id, now)
        })? {}
        db.write({
            let bucket = bucket.clone();
            move |tx| bucket::delete(tx, &bucket, now)
        })?;
        swept.buckets += 1;
    }
    swept.uploads = db.write(move |tx| give_up(tx, now))?;
    swept.files += retired(db, blobs, now)?;
    swept.files += unnamed(db, blobs, now)?;
    swept.files += blobs.sweep_unfinished(earlier(now, UNNAMED))?;
    Ok(swept)
}

/// Whether there may be more.
fn empty(tx: &mut dyn Tx, bucket: &str, now: Timestamp) -> Result<bool, BucketError> {
    let sql = "SELECT key FROM bucket_objects WHERE bucket = $1 ORDER BY key LIMIT $2";
    let rows = tx.query(sql, &[bucket.into(), AT_ONCE.into()])?;
    for row in &rows {
        object::remove(tx, bucket, row.text(0)?, now)?;
    }
    Ok(!rows.is_empty())
}

fn give_up(tx: &mut dyn Tx, now: Timestamp) -> Result<usize, BucketError> {
    let sql = "SELECT id FROM bucket_uploads WHERE started_at < $1 LIMIT $2";
    let rows = tx.query(sql, &[earlier(now, STALE).micros().into(), AT_ONCE.into()])?;
    for row in &rows {
        upload::forget(tx, row.text(0)?, now)?;
    }
    Ok(rows.len())
}

/// The files first: a row without a file is removed the next time, a file without a row a day later.
fn retired(db: &Db, blobs: &Blobs, now: Timestamp) -> Result<usize, BucketError> {
    let until = earlier(now, GRACE).micros();
    let mut removed = 0;
    loop {
        let sql = "SELECT id FROM bucket_blobs WHERE retired_at < $1 ORDER BY retired_at LIMIT $2";
        let rows = db.read(|tx| tx.query(sql, &[until.into(), AT_ONCE.into()]).map_err(BucketError::from))?;
        let ids: Vec<String> = rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Ok(removed);
        }
        ids.iter().try_for_each(|id| blobs.remove(id))?;
        removed += ids.len();
        db.write(move |tx| ids.iter().try_for_each(|id| forget_blob(tx, id)))?;
    }
}

fn forget_blob(tx: &mut dyn Tx, id: &str) -> Result<(), BucketError> {
    tx.execute("DELETE FROM bucket_blobs WHERE id = $1", &[id.into()])?;
    Ok(())
}

fn unnamed(db: &Db, blobs: &Blobs, now: Timestamp) -> Result<usize, BucketError> {
    let mut removed = 0;
    for id in blobs.old(earlier(now, UNNAMED))? {
        let sql = "SELECT 1 FROM bucket_blobs WHERE id = $1";
        if db.read(|tx| tx.query(sql, &[(&id).into()]).map_err(BucketError::from))?.is_empty() {
            blobs.remove(&id)?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn earlier(now: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_micros(now.micros().saturating_sub(by))
}

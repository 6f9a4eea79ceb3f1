//! Objects: what is known of one, put, replaced and removed within somebody's transaction.

use std::collections::BTreeMap;

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BucketError, bucket};

/// What its owner said of an object, kept as it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Headers of HTTP that it is answered with: `content-type`, `cache-control`, …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Words of its owner.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Digests that were checked when it was put, by algorithm, as they were given.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
}

/// A file of an object, in the order of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub blob: String,
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    pub size: u64,
    pub etag: String,
    pub modified_at: Timestamp,
    pub about: About,
    pub pieces: Vec<Piece>,
}

/// One to be put.
#[derive(Clone, Debug)]
pub struct NewObject {
    pub bucket: String,
    pub key: String,
    pub etag: String,
    pub about: About,
    pub pieces: Vec<Piece>,
}

/// What must be so for a write to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    #[default]
    None,
    /// There is no such object.
    Absent,
    /// There is one, and it has this entity tag.
    Is(String),
}

impl Condition {
    fn holds(&self, before: Option<&Object>) -> Result<(), BucketError> {
        match (self, before) {
            (Self::None, _) | (Self::Absent, None) => Ok(()),
            (Self::Is(etag), Some(object)) if object.etag == *etag => Ok(()),
            (Self::Is(_), None) => Err(BucketError::NoKey),
            _ => Err(BucketError::Condition),
        }
    }
}

pub(crate) const COLUMNS: &str = "key, size, etag, modified_at, about, pieces";

/// # Errors
/// [`BucketError::Stored`], [`BucketError::Db`].
pub fn get(tx: &mut dyn Tx, bucket: &str, key: &str) -> Result<Option<Object>, BucketError> {
    let sql = format!("SELECT {COLUMNS} FROM bucket_objects WHERE bucket = $1 AND key = $2");
    tx.query(&sql, &[bucket.into(), key.into()])?.first().map(object).transpose()
}

/// Stores it in place of the one that is there, if the condition holds; its files count from the commit. Returns what was
/// there.
///
/// # Errors
/// [`BucketError::NoBucket`] when the bucket went meanwhile, [`BucketError::Condition`], [`BucketError::NoKey`],
/// [`BucketError::Db`].
pub fn put(
    tx: &mut dyn Tx,
    new: &NewObject,
    condition: &Condition,
    now: Timestamp,
) -> Result<Option<Object>, BucketError> {
    bucket::hold(tx, &new.bucket)?;
    let before = get(tx, &new.bucket, &new.key)?;
    condition.holds(before.as_ref())?;
    if let Some(before) = &before {
        retire(tx, &before.pieces, now)?;
    }
    own(tx, &new.pieces)?;
    let size: u64 = new.pieces.iter().map(|piece| piece.size).sum();
    tx.execute(
        "INSERT INTO bucket_objects (bucket, key, size, etag, modified_at, about, pieces)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (bucket, key) DO UPDATE SET size = excluded.size, etag = excluded.etag,
             modified_at = excluded.modified_at, about = excluded.about, pieces = excluded.pieces",
        &[
            (&new.bucket).into(),
            (&new.key).into(),
            signed(size).into(),
            (&new.etag).into(),
            now.micros().into(),
            stored(&new.about, &new.key)?.into(),
            stored(&new.pieces, &new.key)?.into(),
        ],
    )?;
    Ok(before)
}

/// Returns what was there.
///
/// # Errors
/// [`BucketError::Stored`], [`BucketError::Db`].
pub fn remove(tx: &mut dyn Tx, bucket: &str, key: &str, now: Timestamp) -> Result<Option<Object>, BucketError> {
    let Some(object) = get(tx, bucket, key)? else { return Ok(None) };
    tx.execute("DELETE FROM bucket_objects WHERE bucket = $1 AND key = $2", &[bucket.into(), key.into()])?;
    retire(tx, &object.pieces, now)?;
    Ok(Some(object))
}

/// Files are kept because of their row here; parts of an upload have theirs already.
pub(crate) fn own(tx: &mut dyn Tx, pieces: &[Piece]) -> Result<(), BucketError> {
    for piece in pieces {
        tx.execute(
            "INSERT INTO bucket_blobs (id, retired_at) VALUES ($1, NULL)
             ON CONFLICT (id) DO UPDATE SET retired_at = NULL",
            &[(&piece.blob).into()],
        )?;
    }
    Ok(())
}

pub(crate) fn retire(tx: &mut dyn Tx, pieces: &[Piece], now: Timestamp) -> Result<(), BucketError> {
    for piece in pieces {
        let row = [(&piece.blob).into(), now.micros().into()];
        tx.execute("UPDATE bucket_blobs SET retired_at = $2 WHERE id = $1", &row)?;
    }
    Ok(())
}

pub(crate) fn stored<T: Serialize>(value: &T, key: &str) -> Result<String, BucketError> {
    serde_json::to_string(value).map_err(|source| BucketError::Stored { what: key.to_owned(), source })
}

pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str, key: &str) -> Result<T, BucketError> {
    serde_json::from_str(text).map_err(|source| BucketError::Stored { what: key.to_owned(), source })
}

pub(crate) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(size: i64) -> u64 {
    u64::try_from(size).unwrap_or_default()
}

pub(crate) fn object(row: &Row) -> Result<Object, BucketError> {
    let key = row.text(0)?.to_owned();
    Ok(Object {
        size: unsigned(row.int(1)?),
        etag: row.text(2)?.to_owned(),
        modified_at: Timestamp::from_micros(row.int(3)?),
        about: read(row.text(4)?, &key)?,
        pieces: read(row.text(5)?, &key)?,
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_about_what_is_there() {
        let there = |etag: &str| Object {
            key: "a".into(),
            size: 0,
            etag: etag.into(),
            modified_at: Timestamp::from_micros(0),
            about: About::default(),
            pieces: Vec::new(),
        };
        let check = |condition: Condition, before: Option<Object>| condition.holds(before.as_ref()).is_ok();
        assert!(check(Condition::None, None) && check(Condition::None, Some(there("x"))));
        assert!(check(Condition::Absent, None) && !check(Condition::Absent, Some(there("x"))));
        assert!(check(Condition::Is("x".into()), Some(there("x"))));
        assert!(!check(Condition::Is("x".into()), Some(there("y"))) && !check(Condition::Is("x".into()), None));
    }
}

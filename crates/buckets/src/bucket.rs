//! Buckets.

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;

use crate::BucketError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Of the namespace it belongs to: another namespace of the same name has another one.
    pub id: String,
    pub name: String,
    pub created_at: Timestamp,
}

/// # Errors
/// [`BucketError::BucketExists`], [`BucketError::Db`].
pub fn create(tx: &mut dyn Tx, bucket: &Bucket) -> Result<(), BucketError> {
    if find(tx, &bucket.id)?.is_some() {
        return Err(BucketError::BucketExists(bucket.name.clone()));
    }
    let row = [(&bucket.id).into(), (&bucket.name).into(), bucket.created_at.micros().into()];
    tx.execute("INSERT INTO buckets (id, name, created_at) VALUES ($1, $2, $3)", &row)?;
    Ok(())
}

/// # Errors
/// [`BucketError::Db`].
pub fn find(tx: &mut dyn Tx, id: &str) -> Result<Option<Bucket>, BucketError> {
    let rows = tx.query("SELECT id, name, created_at FROM buckets WHERE id = $1", &[id.into()])?;
    rows.first().map(bucket).transpose()
}

/// All there are, in the order of their names.
pub(crate) fn all(tx: &mut dyn Tx) -> Result<Vec<Bucket>, BucketError> {
    tx.query("SELECT id, name, created_at FROM buckets ORDER BY name, id", &[])?.iter().map(bucket).collect()
}

/// Whether nothing is in it. Uploads in progress do not count: they go with it.
///
/// # Errors
/// [`BucketError::Db`].
pub fn is_empty(tx: &mut dyn Tx, id: &str) -> Result<bool, BucketError> {
    Ok(tx.query("SELECT 1 FROM bucket_objects WHERE bucket = $1 LIMIT 1", &[id.into()])?.is_empty())
}

/// Removes an empty one, and the uploads into it.
///
/// # Errors
/// [`BucketError::NoBucket`], [`BucketError::NotEmpty`], [`BucketError::Db`].
pub fn delete(tx: &mut dyn Tx, bucket: &Bucket, now: Timestamp) -> Result<(), BucketError> {
    hold(tx, &bucket.id)?;
    if !is_empty(tx, &bucket.id)? {
        return Err(BucketError::NotEmpty(bucket.name.clone()));
    }
    let uploads = tx.query("SELECT id FROM bucket_uploads WHERE bucket = $1", &[(&bucket.id).into()])?;
    for row in &uploads {
        crate::upload::forget(tx, row.text(0)?, now)?;
    }
    tx.execute("DELETE FROM buckets WHERE id = $1", &[(&bucket.id).into()])?;
    Ok(())
}

/// Has whoever writes to it or removes it wait until this transaction is over: touching its row does.
pub(crate) fn hold(tx: &mut dyn Tx, id: &str) -> Result<(), BucketError> {
    match tx.execute("UPDATE buckets SET name = name WHERE id = $1", &[id.into()])? {
        0 => Err(BucketError::NoBucket(id.to_owned())),
        _ => Ok(()),
    }
}

fn bucket(row: &Row) -> Result<Bucket, BucketError> {
    let created_at = Timestamp::from_micros(row.int(2)?);
    Ok(Bucket { id: row.text(0)?.to_owned(), name: row.text(1)?.to_owned(), created_at })
}

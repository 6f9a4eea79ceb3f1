//! Uploads in parts: begun, filled with parts in any order, completed into one object or aborted.

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;

use crate::object::{own, read, retire, signed, stored, unsigned};
use crate::{About, BucketError, Condition, NewObject, Object, Piece, bucket};

/// All parts but the last have so many bytes.
const LEAST_PART: u64 = 5 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub id: String,
    pub bucket: String,
    pub key: String,
    pub started_at: Timestamp,
    pub about: About,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub number: i64,
    pub etag: String,
    pub modified_at: Timestamp,
    pub piece: Piece,
}

/// # Errors
/// [`BucketError::NoBucket`], [`BucketError::Db`].
pub fn begin(tx: &mut dyn Tx, upload: &Upload) -> Result<(), BucketError> {
    bucket::hold(tx, &upload.bucket)?;
    tx.execute(
        "INSERT INTO bucket_uploads (id, bucket, key, started_at, about) VALUES ($1, $2, $3, $4, $5)",
        &[
            (&upload.id).into(),
            (&upload.bucket).into(),
            (&upload.key).into(),
            upload.started_at.micros().into(),
            stored(&upload.about, &upload.key)?.into(),
        ],
    )?;
    Ok(())
}

const UPLOAD: &str = "SELECT id, bucket, key, started_at, about FROM bucket_uploads";

/// The upload of that id into that key, and no other.
///
/// # Errors
/// [`BucketError::NoUpload`], [`BucketError::Db`].
pub fn open(tx: &mut dyn Tx, bucket: &str, key: &str, id: &str) -> Result<Upload, BucketError> {
    let sql = format!("{UPLOAD} WHERE id = $1 AND bucket = $2 AND key = $3");
    let rows = tx.query(&sql, &[id.into(), bucket.into(), key.into()])?;
    rows.first().map_or(Err(BucketError::NoUpload), upload)
}

/// Those in progress behind `after` (a key and an id), in the order of their keys.
///
/// # Errors
/// [`BucketError::Db`].
pub fn uploads(tx: &mut dyn Tx, bucket: &str, after: (&str, &str), most: usize) -> Result<Vec<Upload>, BucketError> {
    let sql = format!("{UPLOAD} WHERE bucket = $1 AND (key > $2 OR (key = $2 AND id > $3)) ORDER BY key, id LIMIT $4");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.query(&sql, &[bucket.into(), after.0.into(), after.1.into(), most.into()])?.iter().map(upload).collect()
}

/// Stores a part in place of the one of that number.
///
/// # Errors
/// [`BucketError::NoUpload`], [`BucketError::Db`].
pub fn put_part(tx: &mut dyn Tx, upload: &str, part: &Part) -> Result<(), BucketError> {
    // Touching its row makes one that is completed or aborted meanwhile wait, or be seen.
    if tx.execute("UPDATE bucket_uploads SET key = key WHERE id = $1", &[upload.into()])? == 0 {
        return Err(BucketError::NoUpload);
    }
    let before = tx.query(
        "SELECT number, etag, modified_at, blob, size FROM bucket_parts WHERE upload = $1 AND number = $2",
        &[upload.into(), part.number.into()],
    )?;
    for row in &before {
        retire(tx, &[self::part(row)?.piece], part.modified_at)?;
    }
    own(tx, std::slice::from_ref(&part.piece))?;
    tx.execute(
        "INSERT INTO bucket_parts (upload, number, etag, modified_at, blob, size) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (upload, number) DO UPDATE SET etag = excluded.etag, modified_at = excluded.modified_at,
             blob = excluded.blob, size = excluded.size",
        &[
            upload.into(),
            part.number.into(),
            (&part.etag).into(),
            part.modified_at.micros().into(),
            (&part.piece.blob).into(),
            signed(part.piece.size).into(),
        ],
    )?;
    Ok(())
}

/// The parts behind this number, in order.
///
/// # Errors
/// [`BucketError::Db`].
pub fn parts(tx: &mut dyn Tx, upload: &str, after: i64, most: usize) -> Result<Vec<Part>, BucketError> {
    let sql = "SELECT number, etag, modified_at, blob, size FROM bucket_parts WHERE upload = $1 AND number > $2
               ORDER BY number LIMIT $3";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.query(sql, &[upload.into(), after.into(), most.into()])?.iter().map(part).collect()
}

/// Makes one object of the parts named, whose tags the client repeats; the others are thrown away. Returns what was there
/// before. `etag` is made of the tags of the parts.
///
/// # Errors
/// [`BucketError::NoPart`], [`BucketError::PartOrder`], [`BucketError::PartTooSmall`], and as [`crate::put`].
pub fn complete(
    tx: &mut dyn Tx,
    upload: &Upload,
    named: &[(i64, String)],
    condition: &Condition,
    etag: impl Fn(&[String]) -> String,
    now: Timestamp,
) -> Result<(Option<Object>, NewObject), BucketError> {
    let all = parts(tx, &upload.id, 0, usize::MAX)?;
    let chosen = choose(&all, named)?;
    let tags: Vec<String> = chosen.iter().map(|part| part.etag.clone()).collect();
    let new = NewObject {
        bucket: upload.bucket.clone(),
        key: upload.key.clone(),
        etag: etag(&tags),
        about: upload.about.clone(),
        pieces: chosen.into_iter().map(|part| part.piece.clone()).collect(),
    };
    // All are given up first; those of the object are taken back with it.
    forget(tx, &upload.id, now)?;
    let before = crate::put(tx, &new, condition, now)?;
    Ok((before, new))
}

fn choose<'a>(all: &'a [Part], named: &[(i64, String)]) -> Result<Vec<&'a Part>, BucketError> {
    if named.windows(2).any(|two| two[0].0 >= two[1].0) {
        return Err(BucketError::PartOrder);
    }
    let chosen = named.iter().map(|(number, etag)| {
        let part = all.binary_search_by_key(number, |part| part.number).ok().map(|at| &all[at]);
        part.filter(|part| part.etag == *etag).ok_or(BucketError::NoPart { number: *number })
    });
    let chosen: Vec<&Part> = chosen.collect::<Result<_, _>>()?;
    let all_but_last = chosen.len().saturating_sub(1);
    match chosen.iter().take(all_but_last).find(|part| part.piece.size < LEAST_PART) {
        Some(part) => Err(BucketError::PartTooSmall { number: part.number, size: part.piece.size, least: LEAST_PART }),
        None => Ok(chosen),
    }
}

/// Throws it and its parts away.
///
/// # Errors
/// [`BucketError::NoUpload`], [`BucketError::Db`].
pub fn abort(tx: &mut dyn Tx, bucket: &str, key: &str, id: &str, now: Timestamp) -> Result<(), BucketError> {
    let upload = open(tx, bucket, key, id)?;
    forget(tx, &upload.id, now)
}

pub(crate) fn forget(tx: &mut dyn Tx, id: &str, now: Timestamp) -> Result<(), BucketError> {
    if tx.execute("DELETE FROM bucket_uploads WHERE id = $1", &[id.into()])? == 0 {
        return Err(BucketError::NoUpload);
    }
    for part in parts(tx, id, 0, usize::MAX)? {
        retire(tx, &[part.piece], now)?;
    }
    tx.execute("DELETE FROM bucket_parts WHERE upload = $1", &[id.into()])?;
    Ok(())
}

fn upload(row: &Row) -> Result<Upload, BucketError> {
    let key = row.text(2)?.to_owned();
    Ok(Upload {
        id: row.text(0)?.to_owned(),
        bucket: row.text(1)?.to_owned(),
        started_at: Timestamp::from_micros(row.int(3)?),
        about: read(row.text(4)?, &key)?,
        key,
    })
}

fn part(row: &Row) -> Result<Part, BucketError> {
    Ok(Part {
        number: row.int(0)?,
        etag: row.text(1)?.to_owned(),
        modified_at: Timestamp::from_micros(row.int(2)?),
        piece: Piece { blob: row.text(3)?.to_owned(), size: unsigned(row.int(4)?) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_part(number: i64, size: u64) -> Part {
        let piece = Piece { blob: number.to_string(), size };
        Part { number, etag: format!("t{number}"), modified_at: Timestamp::from_micros(0), piece }
    }

    #[test]
    fn parts_are_chosen_in_order_by_the_tag_they_were_given() {
        let all = [a_part(1, LEAST_PART), a_part(2, 7), a_part(5, 3)];
        let check = |named: &[(i64, &str)]| {
            let named: Vec<_> = named.iter().map(|(number, etag)| (*number, (*etag).to_owned())).collect();
            choose(&all, &named).map(|parts| parts.iter().map(|part| part.number).collect::<Vec<_>>())
        };
        assert_eq!(check(&[(1, "t1"), (5, "t5")]).unwrap(), [1, 5]);
        assert_eq!(check(&[(5, "t5")]).unwrap(), [5]);
        assert!(matches!(check(&[(5, "t5"), (1, "t1")]), Err(BucketError::PartOrder)));
        assert!(matches!(check(&[(1, "t1"), (1, "t1")]), Err(BucketError::PartOrder)));
        assert!(matches!(check(&[(3, "t3")]), Err(BucketError::NoPart { number: 3 })));
        assert!(matches!(check(&[(1, "other")]), Err(BucketError::NoPart { number: 1 })));
        assert!(matches!(check(&[(2, "t2"), (5, "t5")]), Err(BucketError::PartTooSmall { number: 2, .. })));
    }
}

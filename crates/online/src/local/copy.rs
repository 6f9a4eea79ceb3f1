//! A copy of the whole store as one stream of bytes, and a store made of it.
//!
//! `bedplate online 1` and a line feed; then records: `r` (a row) or `m` (a marker), the lengths of key and value as
//! little-endian `u32`, key, value; rows in the order of their keys. `.` ends it.

use std::io::{self, Read, Write};
use std::path::Path;

use fjall::{Keyspace, PersistMode, Readable};

use crate::OnlineError;
use crate::error::Doing;
use crate::local::{LocalStore, open};

const HEAD: &[u8; 18] = b"bedplate online 1\n";
const ROW: u8 = b'r';
const MARKER: u8 = b'm';
const END: u8 = b'.';
/// Nothing longer is ever stored: a key is at most 65,535 bytes, a value a row of numbers.
const LONGEST: u32 = 64 << 20;

/// What all of it is about, in messages.
const ALL: &str = "*";

impl LocalStore {
    /// Writes every row and marker as they are when it begins, while others go on writing; what was acknowledged before is in
    /// it. Returns the number of rows.
    ///
    /// # Errors
    /// [`OnlineError::Copy`] when `out` fails; when the disk fails.
    pub(crate) fn copy(&self, out: &mut impl Write) -> Result<u64, OnlineError> {
        let snapshot = self.db.snapshot();
        out.write_all(HEAD).map_err(writing)?;
        let rows = write_all(&snapshot, &self.rows, ROW, out)?;
        write_all(&snapshot, &self.meta, MARKER, out)?;
        out.write_all(&[END]).map_err(writing)?;
        Ok(rows)
    }

    /// Makes the store in the empty folder `dir` of a copy; durable when it returns the number of rows. After an error throw
    /// the folder away.
    ///
    /// # Errors
    /// [`OnlineError::Copy`] when `from` is no copy, or is cut short; as [`LocalStore::open`].
    pub(crate) fn from_copy(dir: &Path, from: &mut impl Read) -> Result<u64, OnlineError> {
        let open::Opened { db, rows, meta, lock } = open::open(dir)?;
        let mut head = *HEAD;
        from.read_exact(&mut head).map_err(reading)?;
        if head != *HEAD {
            return Err(reading(io::Error::new(io::ErrorKind::InvalidData, "it does not begin as one")));
        }
        let mut count = 0;
        let mut ingestion = rows.start_ingestion().doing("restore rows", ALL)?;
        let mut markers = Vec::new();
        while let Some((letter, key, value)) = read_one(from).map_err(reading)? {
            if letter == MARKER {
                markers.push((key, value));
            } else if markers.is_empty() {
                ingestion.write(key, value).doing("restore rows", ALL)?;
                count += 1;
            } else {
                return Err(reading(io::Error::new(io::ErrorKind::InvalidData, "a row follows a marker")));
            }
        }
        ingestion.finish().doing("restore rows", ALL)?;
        for (key, value) in markers {
            meta.insert(key, value).doing("restore markers", ALL)?;
        }
        open::check_layout(dir, &meta)?;
        db.persist(PersistMode::SyncAll).doing("sync rows", ALL)?;
        drop((rows, meta, db, lock));
        Ok(count)
    }
}

fn write_all(
    snapshot: &impl Readable,
    keyspace: &Keyspace,
    letter: u8,
    out: &mut impl Write,
) -> Result<u64, OnlineError> {
    let mut count = 0;
    for found in snapshot.iter(keyspace) {
        let (key, value) = found.into_inner().doing("copy rows", ALL)?;
        write_one(out, letter, &key, &value).map_err(writing)?;
        count += 1;
    }
    Ok(count)
}

fn write_one(out: &mut impl Write, letter: u8, key: &[u8], value: &[u8]) -> io::Result<()> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other).map(u32::to_le_bytes);
    out.write_all(&[letter])?;
    out.write_all(&length(key)?)?;
    out.write_all(&length(value)?)?;
    out.write_all(key)?;
    out.write_all(value)
}

type Record = (u8, Vec<u8>, Vec<u8>);

/// The next record; none at the end, behind which nothing may follow.
fn read_one(from: &mut impl Read) -> io::Result<Option<Record>> {
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut letter = [0];
    from.read_exact(&mut letter)?;
    match letter[0] {
        END if from.read(&mut [0])? == 0 => return Ok(None),
        END => return Err(invalid("something follows its end")),
        ROW | MARKER => {}
        _ => return Err(invalid("it has a record of no known kind")),
    }
    let mut length = || -> io::Result<usize> {
        let mut bytes = [0; 4];
        from.read_exact(&mut bytes)?;
        let length = u32::from_le_bytes(bytes);
        if length > LONGEST { Err(invalid("it has a record that is too long")) } else { Ok(length as usize) }
    };
    let (mut key, mut value) = (vec![0; length()?], vec![0; length()?]);
    from.read_exact(&mut key)?;
    from.read_exact(&mut value)?;
    Ok(Some((letter[0], key, value)))
}

fn writing(source: io::Error) -> OnlineError {
    OnlineError::Copy { doing: "write", source }
}

fn reading(source: io::Error) -> OnlineError {
    OnlineError::Copy { doing: "read", source }
}

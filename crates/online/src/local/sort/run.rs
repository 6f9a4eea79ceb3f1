//! Rows in one piece of memory, and sorted ones in a file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use bedplate_features::SourceRow;

use super::Sorted;
use crate::layout::{write_key, write_value};

/// Bytes that are read ahead of a file.
const AHEAD: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Run {
    bytes: Vec<u8>,
    rows: Vec<Place>,
}

/// Where a row's key and value are, and what its key begins with: most are told apart by that.
#[derive(Clone, Copy)]
struct Place {
    head: u128,
    start: u32,
    key: u32,
    value: u32,
    entity: u32,
}

impl Run {
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row and returns the length of its key. What is held stays far below 4 GiB, and so do its places.
    pub(super) fn push(&mut self, row: &SourceRow) -> usize {
        let start = self.bytes.len();
        write_key(row, &mut self.bytes);
        let key = self.bytes.len() - start;
        write_value(row, &mut self.bytes);
        self.rows.push(Place {
            head: head(&self.bytes[start..start + key]),
            start: start as u32,
            key: key as u32,
            value: (self.bytes.len() - start - key) as u32,
            entity: row.key.as_bytes().len() as u32,
        });
        key
    }

    /// By key; of rows with one key the one with the greatest value comes first.
    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        self.rows.sort_unstable_by(|a, b| {
            let (a_row, b_row) = (at(bytes, a), at(bytes, b));
            a.head.cmp(&b.head).then_with(|| (a_row.key, b_row.value).cmp(&(b_row.key, a_row.value)))
        });
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }

    /// Of a sorted run, each key once.
    pub(super) fn each<E>(&self, mut take: impl FnMut(Sorted<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut last: Option<&[u8]> = None;
        for place in &self.rows {
            let row = at(&self.bytes, place);
            if last != Some(row.key) {
                take(row)?;
            }
            last = Some(row.key);
        }
        Ok(())
    }

    /// Writes a sorted run into a file of its own.
    pub(super) fn spill(&self, folder: &Path) -> io::Result<Spilled> {
        let mut file = BufWriter::with_capacity(AHEAD, tempfile::tempfile_in(folder)?);
        self.each(|row| -> io::Result<()> {
            let lengths = [row.key.len(), row.entity, row.value.len()];
            lengths.iter().try_for_each(|length| file.write_all(&(*length as u32).to_le_bytes()))?;
            file.write_all(row.key)?;
            file.write_all(row.value)
        })?;
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Spilled(BufReader::with_capacity(AHEAD, file)))
    }
}

/// The first sixteen bytes as a number that orders like them.
pub(super) fn head(key: &[u8]) -> u128 {
    let mut head = [0; 16];
    let length = key.len().min(head.len());
    head[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(head)
}

fn at<'a>(bytes: &'a [u8], place: &Place) -> Sorted<'a> {
    let row = &bytes[place.start as usize..][..(place.key + place.value) as usize];
    let (key, value) = row.split_at(place.key as usize);
    Sorted { key, entity: place.entity as usize, value }
}

pub(super) struct Spilled(BufReader<File>);

/// A row read back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Owned {
    key: Vec<u8>,
    entity: usize,
    value: Vec<u8>,
}

impl Owned {
    pub(super) fn borrowed(&self) -> Sorted<'_> {
        Sorted { key: &self.key, entity: self.entity, value: &self.value }
    }
}

impl Spilled {
    /// Reads the next row into `row`; false at the end.
    pub(super) fn next(&mut self, row: &mut Owned) -> io::Result<bool> {
        let mut lengths = [[0; 4]; 3];
        match self.0.read_exact(lengths.as_flattened_mut()) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        let [key, entity, value] = lengths.map(|length| u32::from_le_bytes(length) as usize);
        row.entity = entity;
        row.key.resize(key, 0);
        row.value.resize(value, 0);
        self.0.read_exact(&mut row.key)?;
        self.0.read_exact(&mut row.value)?;
        Ok(true)
    }
}

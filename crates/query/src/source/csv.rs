//! CSV: <https://www.rfc-editor.org/rfc/rfc4180>, with any delimiter and quote, and lines that end in CR, LF or both.
//!
//! Empty lines are no rows. A row with more or fewer fields than there are columns is rejected, and so is one whose fields do
//! not say what is declared; the reading goes on with the next. A quote that is never closed would swallow the rest of the
//! file: it ends the reading.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use ::csv::{ByteRecord, Reader, ReaderBuilder};
use bedplate_kinds::{CsvOptions, Format};
use bedplate_lake::read::Rows;
use bedplate_lake::schema::header_schema;
use bedplate_lake::source::Layout;

use super::pieces::{Lines, MOST_ROW_BYTES, Pieces, gathered};
use super::{Opened, Reading, SourceError, decompress};

/// Read after the file's end, as a row of its own; within a quote it is part of the last field instead.
const END: &[u8] = b"\x1eend of the file\x1e";
const TAIL: &[u8] = b"\r\n\x1eend of the file\x1e\n";
const BUFFER: usize = 64 * 1024;

pub(super) fn pieces<'a>(
    opened: &'a Opened,
    layout: Layout,
    reading: &'a Reading<'a>,
) -> Result<Pieces<'a>, SourceError> {
    let options = reading.spec.source.csv.clone().unwrap_or_default();
    let text = decompress::text(opened.file()?, layout.compression).map_err(SourceError::open(&opened.path))?;
    let feed = Rc::new(Feed::default());
    let reader =
        builder(layout.delimiter, &options).from_reader(Fed { text, tail: TAIL, feed: feed.clone(), first: Some(0) });
    let mut csv = Csv {
        opened,
        reader,
        feed,
        record: ByteRecord::new(),
        fields: reading.spec.schema.len(),
        columns: (0..reading.spec.schema.len()).map(|at| (at, at)).collect(),
        nulls: options.null_values.into_iter().map(String::into_bytes).collect(),
    };
    if options.header {
        csv.read_header(reading)?;
    }
    Ok(gathered(csv, reading.rows()))
}

fn builder(delimiter: u8, options: &CsvOptions) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(BUFFER);
    match options.quote.bytes().next() {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    builder
}

struct Csv<'a> {
    opened: &'a Opened,
    reader: Reader<Fed>,
    feed: Rc<Feed>,
    record: ByteRecord,
    /// A row has so many.
    fields: usize,
    /// Declared columns that the file has, each with the field it is in.
    columns: Vec<(usize, usize)>,
    nulls: Vec<Vec<u8>>,
}

impl Csv<'_> {
    fn read_header(&mut self, reading: &Reading<'_>) -> Result<(), SourceError> {
        if !self.read()? {
            return Err(self.broken("it is empty, without even a header".into()));
        }
        let names: Result<Vec<&str>, _> = self.record.iter().map(std::str::from_utf8).collect();
        let names = names.map_err(|_| self.broken("its header is not UTF-8".into()))?;
        let conform = self.opened.conform(&header_schema(names.into_iter(), reading.spec), reading.spec)?;
        self.fields = self.record.len();
        let there = conform.positions().iter().enumerate();
        self.columns = there.filter_map(|(column, field)| Some((column, (*field)?))).collect();
        Ok(())
    }

    /// Reads the next record; false when there is none.
    fn read(&mut self) -> Result<bool, SourceError> {
        self.feed.since.set(0);
        let read = self.reader.read_byte_record(&mut self.record);
        let more = read.map_err(|error| self.broken(error.to_string()))?;
        if !more || (self.record.len() == 1 && &self.record[0] == END) {
            return Ok(false);
        }
        if self.feed.ended.get() && self.is_open() {
            let why = "a quote is opened in the row that begins here, and never closed".to_owned();
            return Err(self.opened.broken(Format::Csv, Some(self.line(false)), why));
        }
        Ok(true)
    }

    /// The line the record begins at. The reader tells the line it has come to, and reads the LF of a CRLF later.
    fn line(&self, ended: bool) -> u64 {
        let within = self.record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        self.reader.position().line().saturating_sub(within + u64::from(ended && !self.feed.crlf.get()))
    }

    /// Whether the file ended within a quote.
    fn is_open(&self) -> bool {
        let last = self.record.iter().next_back().unwrap_or_default();
        last.strip_suffix(b"\n").is_some_and(|last| last.ends_with(END))
    }
}

impl Lines for Csv<'_> {
    fn next(&mut self, rows: &mut Rows) -> Result<bool, SourceError> {
        if !self.read()? {
            return Ok(false);
        }
        if self.record.len() == self.fields {
            for (column, field) in &self.columns {
                let field = &self.record[*field];
                if !self.nulls.iter().any(|null| null == field) {
                    rows.text(*column, field);
                }
            }
        } else {
            rows.refuse(format!("it has {} fields where there are {} columns", self.record.len(), self.fields));
        }
        rows.end(|| self.line(true));
        Ok(true)
    }

    fn broken(&self, why: String) -> SourceError {
        self.opened.broken(Format::Csv, Some(self.reader.position().line()), why)
    }
}

/// How far the text was read.
#[derive(Default)]
struct Feed {
    /// Bytes since the last row.
    since: Cell<usize>,
    /// Whether its first line ends in CR and LF.
    crlf: Cell<bool>,
    ended: Cell<bool>,
}

struct Fed {
    text: Box<dyn BufRead>,
    tail: &'static [u8],
    feed: Rc<Feed>,
    /// The last byte of the first line, as far as it was read; none beyond that line.
    first: Option<u8>,
}

impl Fed {
    fn look_for_crlf(&mut self, read: &[u8]) {
        let Some(before) = self.first else { return };
        match read.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                let last = at.checked_sub(1).map_or(before, |at| read[at]);
                self.feed.crlf.set(last == b'\r');
                self.first = None;
            }
            None => self.first = read.last().copied().or(self.first),
        }
    }
}

impl Read for Fed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut read = self.text.read(into)?;
        if read == 0 {
            if !self.feed.ended.replace(true) && !self.feed.crlf.get() {
                self.tail = &TAIL[1..];
            }
            read = self.tail.read(into)?;
        }
        self.look_for_crlf(&into[..read]);
        let since = self.feed.since.get() + read;
        self.feed.since.set(since);
        if since > MOST_ROW_BYTES {
            let most = MOST_ROW_BYTES >> 20;
            return Err(io::Error::other(format!("a row is longer than {most} MiB; is a quote left open before it?")));
        }
        Ok(read)
    }
}

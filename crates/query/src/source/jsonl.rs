//! JSON lines: one object a line, <https://jsonlines.org>. A key that is missing is null; one that is not declared rejects
//! the row, as does a line that is no object.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use bedplate_kinds::Format;
use bedplate_lake::read::Rows;
use bedplate_lake::source::Layout;
use serde_json::Value as Json;

use super::pieces::{Lines, MOST_ROW_BYTES, Pieces, gathered};
use super::{Opened, Reading, SourceError, decompress};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) fn pieces<'a>(
    opened: &'a Opened,
    layout: Layout,
    reading: &'a Reading<'a>,
) -> Result<Pieces<'a>, SourceError> {
    let text = decompress::text(opened.file()?, layout.compression).map_err(SourceError::open(&opened.path))?;
    let columns = reading.spec.schema.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
    Ok(gathered(JsonLines { opened, text, columns, line: 0, bytes: Vec::new() }, reading.rows()))
}

struct JsonLines<'a> {
    opened: &'a Opened,
    text: Box<dyn BufRead>,
    columns: HashMap<String, usize>,
    line: u64,
    bytes: Vec<u8>,
}

impl JsonLines<'_> {
    /// Reads the next line that is not blank; false when there is none.
    fn read(&mut self) -> Result<bool, SourceError> {
        loop {
            self.bytes.clear();
            self.line += 1;
            let most = MOST_ROW_BYTES as u64 + 1;
            let read = self.text.by_ref().take(most).read_until(b'\n', &mut self.bytes);
            let read = read.map_err(|error| self.broken(error.to_string()))?;
            if read > MOST_ROW_BYTES {
                return Err(self.broken(format!("it is longer than {} MiB", MOST_ROW_BYTES >> 20)));
            }
            if self.line == 1 && self.bytes.starts_with(BYTE_ORDER_MARK) {
                self.bytes.drain(..BYTE_ORDER_MARK.len());
            }
            if read == 0 || !self.bytes.trim_ascii().is_empty() {
                return Ok(read > 0);
            }
        }
    }

    fn take(&self, rows: &mut Rows) {
        match serde_json::from_slice::<Json>(&self.bytes) {
            Ok(Json::Object(row)) => {
                for (key, value) in &row {
                    match self.columns.get(key) {
                        Some(column) => rows.json(*column, value),
                        None => rows.refuse(format!("it has {key:?}, which is not declared")),
                    }
                }
            }
            Ok(_) => rows.refuse("it is no JSON object".into()),
            Err(error) => rows.refuse(format!("it is not JSON from character {} on", error.column())),
        }
    }
}

impl Lines for JsonLines<'_> {
    fn next(&mut self, rows: &mut Rows) -> Result<bool, SourceError> {
        if !self.read()? {
            return Ok(false);
        }
        if self.line == 1 && self.bytes.trim_ascii_start().starts_with(b"[") {
            return Err(self.broken("it is a JSON array; write each row as an object on a line of its own".into()));
        }
        self.take(rows);
        rows.end(|| self.line);
        Ok(true)
    }

    fn broken(&self, why: String) -> SourceError {
        self.opened.broken(Format::Jsonl, Some(self.line), why)
    }
}

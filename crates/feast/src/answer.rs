//! The answer to a read, as text. It is most of what a read costs, so it is written as it goes, column by column.

use std::fmt::Write as _;

use bedplate_types::Timestamp;
use serde_json::Value;

use crate::store::{Cell, Status};

/// What Feast gives the join keys as the moment they are from.
const EPOCH: &str = "1970-01-01T00:00:00Z";
/// About what one value takes, with its status and its moment.
const CELL_BYTES: usize = 52;

pub(crate) struct Answer<'a> {
    /// Those of the join keys, then those of the features: a list in JSON.
    pub names: &'a str,
    /// The join keys as they were sent, each with a value a row.
    pub sent: Vec<&'a [Value]>,
    /// The features, each with a cell a row.
    pub found: &'a [Vec<Cell>],
    pub rows: usize,
}

impl Answer<'_> {
    /// Feast's `GetOnlineFeaturesResponse` in JSON.
    pub(crate) fn text(&self) -> serde_json::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(256 + (self.sent.len() + self.found.len()) * (64 + self.rows * CELL_BYTES));
        out.extend_from_slice(b"{\"metadata\":{\"feature_names\":");
        out.extend_from_slice(self.names.as_bytes());
        out.extend_from_slice(b"},\"results\":[");
        let mut moments = Moments::new(self.rows);
        for (at, values) in self.sent.iter().enumerate() {
            comma(at, &mut out);
            self.key(values, &mut out)?;
        }
        for (at, cells) in self.found.iter().enumerate() {
            comma(self.sent.len() + at, &mut out);
            feature(cells, &mut moments, &mut out)?;
        }
        out.extend_from_slice(b"]}");
        Ok(out)
    }

    fn key(&self, values: &[Value], out: &mut Vec<u8>) -> serde_json::Result<()> {
        out.extend_from_slice(b"{\"values\":");
        serde_json::to_writer(&mut *out, values)?;
        list("statuses", 0..self.rows, out, |_, out| text(Status::Present.as_str(), out));
        list("event_timestamps", 0..self.rows, out, |_, out| text(EPOCH, out));
        out.push(b'}');
        Ok(())
    }
}

fn feature(cells: &[Cell], moments: &mut Moments, out: &mut Vec<u8>) -> serde_json::Result<()> {
    out.extend_from_slice(b"{\"values\":[");
    for (row, cell) in cells.iter().enumerate() {
        comma(row, out);
        number(cell.value, out)?;
    }
    out.push(b']');
    list("statuses", cells.iter(), out, |cell, out| text(cell.status.as_str(), out));
    list("event_timestamps", cells.iter().enumerate(), out, |(row, cell), out| {
        text(moments.text(row, cell.known), out)
    });
    out.push(b'}');
    Ok(())
}

/// JSON has no infinite numbers: Feast writes them as text.
fn number(value: Option<f64>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Some(f64::INFINITY) => text("Infinity", out),
        Some(f64::NEG_INFINITY) => text("-Infinity", out),
        value => serde_json::to_writer(out, &value)?,
    }
    Ok(())
}

fn list<T>(name: &str, values: impl Iterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b',');
    text(name, out);
    out.extend_from_slice(b":[");
    for (at, value) in values.enumerate() {
        comma(at, out);
        write(value, out);
    }
    out.push(b']');
}

/// Of text that needs no escapes.
fn text(plain: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(plain.as_bytes());
    out.push(b'"');
}

fn comma(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

/// Each row's moment as it was last written: features of one view share theirs.
struct Moments(Vec<(Option<Timestamp>, String)>);

impl Moments {
    fn new(rows: usize) -> Self {
        Self(vec![(None, EPOCH.to_owned()); rows])
    }

    fn text(&mut self, row: usize, known: Option<Timestamp>) -> &str {
        let (last, text) = &mut self.0[row];
        if *last != known {
            *last = known;
            text.clear();
            // Writing to a string does not fail.
            let _ = match known {
                Some(known) => write!(text, "{known}"),
                None => write!(text, "{EPOCH}"),
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cell(value: Option<f64>, status: Status, known: Option<i64>) -> Cell {
        Cell { value, status, known: known.map(Timestamp::from_micros) }
    }

    #[test]
    fn it_is_json_as_feast_writes_it() {
        let second = 1_000_000;
        let found = [
            vec![cell(Some(1.5), Status::Present, Some(second)), cell(None, Status::NotFound, None)],
            vec![cell(Some(f64::INFINITY), Status::Present, Some(2 * second)), cell(None, Status::Null, Some(0))],
        ];
        let sent = [json!("a \"b\""), json!(7)];
        let answer = Answer { names: r#"["k","x","y"]"#, sent: vec![&sent], found: &found, rows: 2 };
        let text: Value = serde_json::from_slice(&answer.text().unwrap()).unwrap();
        let moment = |second: u32| format!("1970-01-01T00:00:0{second}Z");
        let expect = json!({
            "metadata": { "feature_names": ["k", "x", "y"] },
            "results": [
                { "values": ["a \"b\"", 7], "statuses": ["PRESENT", "PRESENT"], "event_timestamps": [moment(0), moment(0)] },
                { "values": [1.5, null], "statuses": ["PRESENT", "NOT_FOUND"], "event_timestamps": [moment(1), moment(0)] },
                { "values": ["Infinity", null], "statuses": ["PRESENT", "NULL_VALUE"],
                  "event_timestamps": [moment(2), moment(0)] },
            ],
        });
        assert_eq!(text, expect);
    }

    #[test]
    fn without_rows_it_has_empty_columns() {
        let found = [vec![]];
        let answer = Answer { names: r#"["k","x"]"#, sent: vec![&[]], found: &found, rows: 0 };
        let text: Value = serde_json::from_slice(&answer.text().unwrap()).unwrap();
        let empty = json!({ "values": [], "statuses": [], "event_timestamps": [] });
        assert_eq!(text["results"], json!([empty, empty]));
    }
}

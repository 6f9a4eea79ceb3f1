//! Printing: data to a writer the caller chose, in the form the caller chose.

use std::io::{Result, Write};

use serde_json::Value;

use crate::apply::{Applied, Outcome};
use crate::delete::Deleted;
use crate::describe::Description;
use crate::events::Event;
use crate::table::Table;

/// How text may look. Whether there is a terminal and what `NO_COLOR` says is the caller's to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    pub color: bool,
}

impl Style {
    fn paint(self, text: &str, padded: &str) -> String {
        match code(text).filter(|_| self.color) {
            Some(code) => format!("\u{1b}[{code}m{padded}\u{1b}[0m"),
            None => padded.to_owned(),
        }
    }
}

/// The colour of a word that says a state.
fn code(word: &str) -> Option<u8> {
    match word {
        "Ready" | "Succeeded" | "True" | "created" | "passed" => Some(32),
        "Pending" | "Running" | "Unknown" | "configured" | "Warning" => Some(33),
        "Failed" | "False" | "deleted" => Some(31),
        _ => None,
    }
}

/// The shape of output of `get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

/// A table with its header; `with_namespace` adds the first column. Says nothing when there are no rows.
pub fn table(out: &mut dyn Write, table: &Table, wide: bool, with_namespace: bool, style: Style) -> Result<()> {
    let (header, rows) = table.texts(wide, with_namespace);
    if rows.is_empty() {
        return Ok(());
    }
    grid(out, Some(&header), &rows, style)
}

/// The rows alone: what `-w` prints after the first table. Columns are as wide as `header` at least.
pub fn table_rows(out: &mut dyn Write, table: &Table, wide: bool, with_namespace: bool, style: Style) -> Result<()> {
    let (_, rows) = table.texts(wide, with_namespace);
    grid(out, None, &rows, style)
}

/// Cells under a header, each column as wide as it must be.
pub fn grid(out: &mut dyn Write, header: Option<&[String]>, rows: &[Vec<String>], style: Style) -> Result<()> {
    let widths = widths(header, rows);
    if let Some(header) = header {
        line(out, header, &widths, Style::default())?;
    }
    rows.iter().try_for_each(|row| line(out, row, &widths, style))
}

fn widths(header: Option<&[String]>, rows: &[Vec<String>]) -> Vec<usize> {
    let columns = header.map_or_else(|| rows.first().map_or(0, Vec::len), <[String]>::len);
    let all = || header.into_iter().chain(rows.iter().map(Vec::as_slice));
    (0..columns)
        .map(|i| all().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect()
}

fn line(out: &mut dyn Write, cells: &[String], widths: &[usize], style: Style) -> Result<()> {
    let last = cells.len().saturating_sub(1);
    for (i, cell) in cells.iter().enumerate() {
        let width = if i == last { 0 } else { widths.get(i).copied().unwrap_or(0) };
        write!(out, "{}{}", style.paint(cell, &format!("{cell:width$}")), if i == last { "\n" } else { "   " })?;
    }
    Ok(())
}

pub fn json(out: &mut dyn Write, value: &Value) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

pub fn yaml(out: &mut dyn Write, value: &Value) -> Result<()> {
    write!(out, "{}", yaml_text(value)?)
}

fn yaml_text(value: &Value) -> Result<String> {
    let text = serde_saphyr::to_string(value).map_err(std::io::Error::other)?;
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

/// `dataset.bedplate.dev/flights`, one a line, for each row.
pub fn names(out: &mut dyn Write, table: &Table, qualified: &str) -> Result<()> {
    let mut named = table.rows.iter().filter_map(|row| row.object.metadata.name.as_ref());
    named.try_for_each(|name| writeln!(out, "{qualified}/{name}"))
}

pub fn applied(out: &mut dyn Write, applied: &[Applied], style: Style) -> Result<()> {
    applied.iter().try_for_each(|one| {
        let word = one.outcome.as_str();
        writeln!(out, "{} {}", one.object, style.paint(word, word))
    })
}

/// `3 created, 1 unchanged`
#[must_use]
pub fn summary(applied: &[Applied]) -> String {
    let count = |outcome| applied.iter().filter(|one| one.outcome == outcome).count();
    let told = [Outcome::Created, Outcome::Configured, Outcome::Unchanged].map(|outcome| (count(outcome), outcome));
    let said: Vec<String> =
        told.iter().filter(|(n, _)| *n > 0).map(|(n, outcome)| format!("{n} {}", outcome.as_str())).collect();
    said.join(", ")
}

pub fn deleted(out: &mut dyn Write, deleted: &[Deleted], style: Style) -> Result<()> {
    deleted.iter().try_for_each(|one| {
        let word = if one.existed { "deleted" } else { "was not there" };
        writeln!(out, "{} {}", one.object, style.paint(word, word))
    })
}

/// The whole description: heading, spec, status, conditions, events.
pub fn description(out: &mut dyn Write, told: &Description, style: Style) -> Result<()> {
    for (name, value) in &told.heading {
        writeln!(out, "{:<16}{value}", format!("{name}:"))?;
    }
    section(out, "Spec", &told.spec)?;
    section(out, "Status", &told.status)?;
    conditions(out, &told.conditions, style)?;
    events(out, &told.events, style)
}

fn section(out: &mut dyn Write, name: &str, value: &Value) -> Result<()> {
    if value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(());
    }
    writeln!(out, "{name}:")?;
    yaml_text(value)?.lines().try_for_each(|line| writeln!(out, "  {line}"))
}

fn conditions(out: &mut dyn Write, conditions: &[Value], style: Style) -> Result<()> {
    if conditions.is_empty() {
        return Ok(());
    }
    writeln!(out, "Conditions:")?;
    let fields = ["type", "status", "reason", "lastTransitionTime", "message"];
    let cell = |condition: &Value, field: &str| condition[field].as_str().unwrap_or_default().to_owned();
    let rows: Vec<Vec<String>> =
        conditions.iter().map(|one| indented(fields.iter().map(|field| cell(one, field)).collect())).collect();
    let header = indented(["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"].map(String::from).to_vec());
    grid(out, Some(&header), &rows, style)
}

fn events(out: &mut dyn Write, events: &[Event], style: Style) -> Result<()> {
    if events.is_empty() {
        return writeln!(out, "Events: <none>");
    }
    writeln!(out, "Events:")?;
    let row = |e: &Event| vec![e.kind.clone(), e.reason.clone(), e.at.clone(), e.count.to_string(), e.message.clone()];
    let rows: Vec<Vec<String>> = events.iter().map(|event| indented(row(event))).collect();
    let header = indented(["TYPE", "REASON", "LAST SEEN", "COUNT", "MESSAGE"].map(String::from).to_vec());
    grid(out, Some(&header), &rows, style)
}

fn indented(mut cells: Vec<String>) -> Vec<String> {
    if let Some(first) = cells.first_mut() {
        first.insert_str(0, "  ");
    }
    cells
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table::tests::datasets;

    fn printed(print: impl FnOnce(&mut dyn Write) -> Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let text = printed(|out| table(out, &datasets(), false, false, Style::default()));
        assert_eq!(text, "NAME      PHASE\nflights   Ready\nweather   <none>\n");
    }

    #[test]
    fn colour_never_changes_the_width() {
        let text = printed(|out| table(out, &datasets(), true, false, Style { color: true }));
        assert!(text.contains("flights   \u{1b}[32mReady \u{1b}[0m   ops"), "{text:?}");
    }

    #[test]
    fn names_are_qualified() {
        let text = printed(|out| names(out, &datasets(), "dataset.bedplate.dev"));
        assert_eq!(text, "dataset.bedplate.dev/flights\ndataset.bedplate.dev/weather\n");
    }

    #[test]
    fn yaml_comes_back_as_it_went() {
        let value =
            json!({ "a": "yes", "n": [1, 2.5, null], "o": { "empty": {}, "text": "two\nlines", "colon": "a: b" } });
        let text = printed(|out| yaml(out, &value));
        assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), value, "{text}");
    }

    #[test]
    fn a_description_tells_conditions_and_events() {
        let told = Description {
            heading: vec![("Name".into(), "flights".into())],
            spec: json!({ "owner": "ops" }),
            status: json!({}),
            conditions: vec![json!({ "type": "Ready", "status": "True", "reason": "Ingested", "message": "3 rows" })],
            events: Vec::new(),
        };
        let text = printed(|out| description(out, &told, Style::default()));
        assert!(text.starts_with("Name:           flights\nSpec:\n  owner: ops\nConditions:\n"), "{text}");
        assert!(text.contains("  Ready   True") && text.ends_with("Events: <none>\n"), "{text}");
    }

    #[test]
    fn a_summary_counts_what_happened() {
        let one = |outcome| Applied { object: "x".into(), namespace: None, outcome, warnings: Vec::new() };
        let done = [one(Outcome::Created), one(Outcome::Created), one(Outcome::Unchanged)];
        assert_eq!(summary(&done), "2 created, 1 unchanged");
    }
}

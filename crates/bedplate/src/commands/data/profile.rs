//! A profile as lines of a table.

use std::io::Write;

use bedplate_client::print;
use bedplate_types::Timestamp;
use serde_json::Value;

use super::text;

const HEADER: &[&str] = &["COLUMN", "TYPE", "MISSING", "DISTINCT", "MIN", "MEDIAN", "MEAN", "MAX", "COMMONEST"];
/// Characters of a text that are shown.
const SHOWN: usize = 32;

pub fn plain(out: &mut dyn Write, told: &Value) -> std::io::Result<()> {
    writeln!(out, "{} rows, of the table's version {}", told["rows"], told["version"])?;
    let rows = told["rows"].as_u64().unwrap_or_default();
    let columns = told["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    let header: Vec<String> = HEADER.iter().map(|name| (*name).to_owned()).collect();
    let lines: Vec<Vec<String>> = columns.iter().map(|column| line(column, rows)).collect();
    print::grid(out, Some(&header), &lines, print::Style::default())?;
    told["piiSuggestions"].as_array().into_iter().flatten().try_for_each(|one| {
        let [column, kind, evidence] = ["column", "kind", "evidence"].map(|name| text(&one[name]));
        writeln!(out, "{column} looks like {kind}: {evidence}")
    })
}

fn line(column: &Value, rows: u64) -> Vec<String> {
    let nulls = column["nulls"].as_u64().unwrap_or_default();
    let missing = if rows == 0 { String::new() } else { format!("{:.1}%", 100.0 * nulls as f64 / rows as f64) };
    let about = if column["distinctEstimated"] == true { "~" } else { "" };
    let start = [text(&column["name"]), text(&column["type"]), missing, format!("{about}{}", column["distinct"])];
    let values = &column["values"];
    let numbers = &values["numbers"];
    let is_time = column["type"] == "timestamp";
    let number = |value: &Value| value.as_f64().map(|number| figure(number, is_time)).unwrap_or_default();
    let median = numbers["quantiles"].as_array().into_iter().flatten().find(|quantile| quantile["at"] == 0.5);
    let end = [
        number(&numbers["min"]),
        median.map(|median| number(&median["value"])).unwrap_or_default(),
        number(&numbers["mean"]),
        number(&numbers["max"]),
        if values.is_null() { "not yours to read".to_owned() } else { commonest(values) },
    ];
    start.into_iter().chain(end).collect()
}

fn figure(number: f64, is_time: bool) -> String {
    if is_time {
        return Timestamp::from_micros(number as i64).to_string();
    }
    let shown = format!("{number:.4}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn commonest(values: &Value) -> String {
    if let Some(is_true) = values["booleans"].as_u64() {
        return format!("true ({is_true})");
    }
    let top = values["texts"]["top"].as_array().into_iter().flatten().take(3);
    let tell = |one: &Value| {
        let value: String =
            text(&one["value"]).chars().map(|c| if c.is_control() { '·' } else { c }).take(SHOWN).collect();
        format!("{value:?} ({})", one["count"])
    };
    top.map(tell).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(column: Value, expect: [&str; 9]) {
        assert_eq!(line(&column, 4), expect);
    }

    #[test]
    fn a_column_is_one_line() {
        let numbers = json!({ "min": -1.5, "mean": 2.0, "max": 9.0, "quantiles": [{ "at": 0.5, "value": 1.25 }] });
        check(
            json!({ "name": "a", "type": "float64", "nulls": 1, "distinct": 3, "values": { "numbers": numbers } }),
            ["a", "float64", "25.0%", "3", "-1.5", "1.25", "2", "9", ""],
        );
        let times = json!({ "min": 1e15, "mean": 1e15, "max": 1e15, "quantiles": [] });
        let at = "2001-09-09T01:46:40Z";
        check(
            json!({ "name": "t", "type": "timestamp", "nulls": 0, "distinct": 1, "values": { "numbers": times } }),
            ["t", "timestamp", "0.0%", "1", at, "", at, at, ""],
        );
        let texts = json!({ "top": [{ "value": "x\ny", "count": 2 }, { "value": "z", "count": 1 }] });
        check(
            json!({ "name": "w", "type": "string", "nulls": 0, "distinct": 9, "distinctEstimated": true,
                "values": { "texts": texts } }),
            ["w", "string", "0.0%", "~9", "", "", "", "", "\"x·y\" (2), \"z\" (1)"],
        );
        check(
            json!({ "name": "s", "type": "string", "nulls": 0, "distinct": 2 }),
            ["s", "string", "0.0%", "2", "", "", "", "", "not yours to read"],
        );
    }
}

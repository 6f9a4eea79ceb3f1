//! Statistics of features as a person reads them.

use std::io::{Result, Write};

use bedplate_client::print;
use serde_json::Value;

use super::text;

const HEADER: &[&str] =
    &["FEATURE", "ROWS", "MISSING", "DISTINCT", "MIN", "P5", "MEDIAN", "P95", "MAX", "MEAN", "STD", "HISTOGRAM"];

pub fn plain(out: &mut dyn Write, told: &Value) -> Result<()> {
    writeln!(out, "{}: {}", text(&told["view"]), about(told))?;
    let features = told["features"].as_array().map(Vec::as_slice).unwrap_or_default();
    let header: Vec<String> = HEADER.iter().map(|name| (*name).to_owned()).collect();
    if !features.is_empty() {
        let lines: Vec<Vec<String>> = features.iter().map(line).collect();
        print::grid(out, Some(&header), &lines, print::Style::default())?;
    }
    if features.iter().any(|feature| feature["sampled"] == true) && told["of"] == "offline" {
        writeln!(out, "~ of some entities: the others have more rows than are held for windows")?;
    }
    hidden(out, told)
}

pub fn hidden(out: &mut dyn Write, told: &Value) -> Result<()> {
    match told["hidden"].as_array().map_or(0, Vec::len) {
        0 => Ok(()),
        hidden => writeln!(out, "{hidden} features are made of columns that you may not read"),
    }
}

/// Which rows it is of.
pub fn about(side: &Value) -> String {
    let rows = side["rows"].as_u64().unwrap_or_default();
    match side["of"].as_str() {
        Some("served") if rows == 0 => format!("nothing was served {}", span(&side["from"], &side["to"])).trim().into(),
        Some("served") => {
            format!(
                "{} rows served {}, of which {rows} were looked at",
                side["served"],
                span(&side["from"], &side["to"])
            )
        }
        Some("trainingSet") => format!(
            "{rows} rows of the training set of {} {}",
            text(&side["recipe"]),
            span(&side["window"]["from"], &side["window"]["to"])
        ),
        _ => {
            let between = span(&side["window"]["from"], &side["window"]["to"]);
            let newest = match side["newest"].as_str() {
                Some(newest) if rows == 0 => format!("; the newest row became known at {newest}"),
                _ => String::new(),
            };
            format!("{rows} rows of the source {between}{newest}")
        }
    }
}

fn span(from: &Value, to: &Value) -> String {
    match (from.as_str(), to.as_str()) {
        (Some(from), Some(to)) => format!("from {from} to {to}"),
        (Some(from), None) => format!("since {from}"),
        (None, Some(to)) => format!("before {to}"),
        (None, None) => "of all time".into(),
    }
}

fn line(feature: &Value) -> Vec<String> {
    let rows = feature["rows"].as_u64().unwrap_or_default();
    let nulls = feature["nulls"].as_u64().unwrap_or_default();
    let about = if feature["distinctEstimated"] == true { "~" } else { "" };
    let part = if feature["sampled"] == true { "~" } else { "" };
    let numbers = &feature["values"]["numbers"];
    let quantile = |at: f64| {
        let found = numbers["quantiles"].as_array().into_iter().flatten().find(|one| one["at"] == at);
        found.map(|one| figure(&one["value"])).unwrap_or_default()
    };
    vec![
        text(&feature["name"]),
        format!("{part}{rows}"),
        if rows == 0 { String::new() } else { format!("{:.1}%", 100.0 * nulls as f64 / rows as f64) },
        format!("{about}{}", feature["distinct"]),
        figure(&numbers["min"]),
        quantile(0.05),
        quantile(0.5),
        quantile(0.95),
        figure(&numbers["max"]),
        figure(&numbers["mean"]),
        figure(&numbers["std"]),
        bars(&numbers["histogram"]["counts"]),
    ]
}

/// Six digits that count, large and small numbers by their power of ten.
pub fn figure(value: &Value) -> String {
    let Some(number) = value.as_f64() else { return String::new() };
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{number:.3e}");
    }
    let decimals = if size >= 1_000.0 { 1 } else { 4 };
    let shown = format!("{number:.decimals$}");
    if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.').to_owned() } else { shown }
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const WIDEST: usize = 20;

/// A bar for each stretch of values, as high as it has many.
fn bars(counts: &Value) -> String {
    let counts: Vec<u64> = counts.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let together = counts.len().div_ceil(WIDEST).max(1);
    let counts: Vec<u64> = counts.chunks(together).map(|some| some.iter().sum()).collect();
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let bar = |count: &u64| match count {
        0 => ' ',
        count => BARS[usize::try_from((count * 7).div_ceil(most)).unwrap_or(7).min(7)],
    };
    counts.iter().map(bar).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(told: &Value, expect: &[&str]) {
        assert_eq!(super::super::lines(plain, told), expect);
    }

    #[test]
    fn a_feature_is_a_line() {
        let numbers = json!({ "min": -1.5, "mean": 2.0, "max": 9.0, "std": 0.125, "quantiles": [{ "at": 0.05, "value": -1.0 },
            { "at": 0.5, "value": 1.25 }, { "at": 0.95, "value": 8.0 }], "histogram": { "counts": [1, 0, 8] } });
        let feature = json!({ "name": "wind", "rows": 8, "nulls": 2, "distinct": 5, "sampled": true,
            "values": { "numbers": numbers } });
        let told = json!({ "view": "weather", "of": "offline", "rows": 8, "features": [feature], "hidden": ["fee"],
            "window": { "from": "2013-01-01T00:00:00Z" } });
        check(
            &told,
            &[
                "weather: 8 rows of the source since 2013-01-01T00:00:00Z",
                "FEATURE ROWS MISSING DISTINCT MIN P5 MEDIAN P95 MAX MEAN STD HISTOGRAM",
                "wind ~8 25.0% 5 -1.5 -1 1.25 8 9 2 0.125 ▂ █",
                "~ of some entities: the others have more rows than are held for windows",
                "1 features are made of columns that you may not read",
            ],
        );
    }

    #[test]
    fn where_there_is_nothing_it_says_what_there_is() {
        let mut told = json!({ "view": "weather", "of": "offline", "rows": 0, "newest": "2013-07-01T04:00:00Z",
            "features": [], "window": { "from": "2026-01-01T00:00:00Z" } });
        check(
            &told,
            &[
                "weather: 0 rows of the source since 2026-01-01T00:00:00Z; the newest row became known at 2013-07-01T04:00:00Z",
            ],
        );
        told["of"] = "served".into();
        check(&told, &["weather: nothing was served of all time"]);
    }

    #[test]
    fn figures_have_the_digits_that_count() {
        let of = |number: f64| figure(&json!(number));
        assert_eq!(
            [of(0.0), of(1e-9), of(1234.56), of(3.5e20), of(-0.5)],
            ["0", "1.000e-9", "1234.6", "3.500e20", "-0.5"]
        );
        assert_eq!(figure(&Value::Null), "");
    }
}

//! Features that were compared, as a person reads it.

use std::io::{Result, Write};

use bedplate_client::print;
use serde_json::Value;

use super::text;
use super::told::{about, figure, hidden};

const HEADER: &[&str] = &["FEATURE", "VERDICT", "WASSERSTEIN", "JENSEN-SHANNON", "PSI", "MISSING", "ROWS"];

pub fn plain(out: &mut dyn Write, told: &Value) -> Result<()> {
    writeln!(out, "{}: {}", text(&told["view"]), summary(told))?;
    writeln!(out, "  {}", about(&told["current"]))?;
    writeln!(out, "  against {}", about(&told["reference"]))?;
    let features = told["features"].as_array().map(Vec::as_slice).unwrap_or_default();
    let header: Vec<String> = HEADER.iter().map(|name| (*name).to_owned()).collect();
    let lines: Vec<Vec<String>> = features.iter().map(line).collect();
    if !lines.is_empty() {
        print::grid(out, Some(&header), &lines, print::Style::default())?;
    }
    let one_sided: Vec<String> = told["notCompared"].as_array().into_iter().flatten().map(text).collect();
    if !one_sided.is_empty() {
        writeln!(out, "not in the training set: {}", one_sided.join(", "))?;
    }
    hidden(out, told)
}

fn summary(told: &Value) -> String {
    let features = || told["features"].as_array().into_iter().flatten();
    let with = |verdict: &str| features().filter(|one| one["verdict"] == verdict).count();
    let (all, different, too_few) = (features().count(), with("Different"), with("TooFew"));
    let least = &told["least"];
    match told["result"].as_str() {
        Some("Different") => {
            let named = features().filter(|one| one["verdict"] == "Different").map(|one| text(&one["feature"]));
            format!("{different} of {all} features differ: {}", named.collect::<Vec<_>>().join(", "))
        }
        Some("Alike") if too_few > 0 => {
            format!("{} of {all} features are alike; of {too_few} there are too few values to say", all - too_few)
        }
        Some("Alike") => format!("all {all} features are alike"),
        _ => {
            let served = told["current"]["of"] == "served";
            let what = if served { "too little was served to say" } else { "there is too little to say" };
            format!("{what}: a verdict takes {least} rows on either side (--least)")
        }
    }
}

fn line(feature: &Value) -> Vec<String> {
    let verdict = match (feature["verdict"].as_str(), feature["because"].as_str()) {
        (Some("Different"), Some("missing")) => "different: missing",
        (Some("Different"), _) => "DIFFERENT",
        (Some("Alike"), _) => "alike",
        _ => "too few",
    };
    let distances = &feature["distances"];
    let share = |name: &str| distances[name].as_f64().map(|share| format!("{:.1}%", 100.0 * share));
    let missing = share("missingShareReference").zip(share("missingShareCurrent"));
    vec![
        text(&feature["feature"]),
        verdict.to_uppercase(),
        figure(&distances["wasserstein"]),
        figure(&distances["jensenShannon"]),
        figure(&distances["psi"]),
        missing.map(|(before, now)| format!("{before} → {now}")).unwrap_or_default(),
        format!("{} → {}", feature["referenceRows"], feature["currentRows"]),
    ]
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
    fn what_differs_is_named_with_how_far_it_is() {
        let distances = json!({ "wasserstein": 1.5, "jensenShannon": 0.4, "psi": 2.25, "missingShareReference": 0.0,
            "missingShareCurrent": 0.125 });
        let told = json!({ "view": "weather", "result": "Different", "least": 500,
            "current": { "of": "served", "served": 900, "rows": 600, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T02:00:00Z" },
            "reference": { "of": "trainingSet", "recipe": "late", "rows": 7000, "window": {} },
            "features": [
                { "feature": "wind", "verdict": "Different", "because": "distribution", "distances": distances,
                  "referenceRows": 7000, "currentRows": 600 },
                { "feature": "rain", "verdict": "TooFew", "referenceRows": 7000, "currentRows": 600 },
            ], "notCompared": ["snow"], "hidden": [] });
        check(
            &told,
            &[
                "weather: 1 of 2 features differ: wind",
                "900 rows served from 2026-01-01T00:00:00Z to 2026-01-01T02:00:00Z, of which 600 were looked at",
                "against 7000 rows of the training set of late of all time",
                "FEATURE VERDICT WASSERSTEIN JENSEN-SHANNON PSI MISSING ROWS",
                "wind DIFFERENT 1.5 0.4 2.25 0.0% → 12.5% 7000 → 600",
                "rain TOO FEW 7000 → 600",
                "not in the training set: snow",
            ],
        );
    }

    #[test]
    fn too_little_is_no_verdict() {
        let told = json!({ "view": "weather", "result": "TooFew", "least": 500, "current": { "of": "served", "rows": 0 },
            "reference": { "of": "offline", "rows": 7, "window": {} }, "features": [], "hidden": [] });
        check(
            &told,
            &[
                "weather: too little was served to say: a verdict takes 500 rows on either side (--least)",
                "nothing was served of all time",
                "against 7 rows of the source of all time",
            ],
        );
    }
}

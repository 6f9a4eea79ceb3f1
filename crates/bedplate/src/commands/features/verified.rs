//! What verifying a view came to, as a person reads it.

use std::io::{Result, Write};

use bedplate_types::Timestamp;
use serde_json::Value;

use super::text;

pub fn plain(out: &mut dyn Write, told: &Value) -> Result<()> {
    let count = |name: &str| told[name].as_u64().unwrap_or_default();
    let (view, entities, values) = (text(&told["view"]), count("entities"), count("values"));
    let (expected, different) = (count("expected"), count("different"));
    if different == 0 {
        writeln!(out, "{view}: online = offline for {} values of {entities} entities", values - expected)?;
    } else {
        writeln!(out, "{view}: {different} of {values} values of {entities} entities differ")?;
    }
    let mut say = |words: String| writeln!(out, "  {words}");
    match count("missingEntities") {
        0 => {}
        missing => say(format!("{missing} entities of the source are not online"))?,
    }
    match expected {
        0 => {}
        expected => say(format!("{expected} values differ by rows that were pushed, or are still to be: no fault"))?,
    }
    match count("leftOut") {
        0 => {}
        left => say(format!("{left} entities of the sample were left out: too many rows, or pushed to all the time"))?,
    }
    if told["stale"] == true {
        say("the source has changed since the view was loaded".into())?;
    }
    freshness(told, &mut say)?;
    for example in told["examples"].as_array().into_iter().flatten() {
        say(self::example(example))?;
    }
    match count("hiddenExamples") {
        0 => Ok(()),
        hidden => say(format!("{hidden} examples are made of columns that you may not read")),
    }
}

fn freshness(told: &Value, say: &mut impl FnMut(String) -> Result<()>) -> Result<()> {
    let Some(online) = moment(&told["newestOnline"]) else { return Ok(()) };
    let behind = moment(&told["newestSource"]).map_or(0, |source| source.micros_since(online));
    let behind = if behind > 0 { format!(", {} behind its source", span(behind)) } else { String::new() };
    let age = moment(&told["at"]).map_or(0, |now| now.micros_since(online));
    let ttl = told["ttl"].as_str().map(|ttl| format!(", of a TTL of {ttl}")).unwrap_or_default();
    let over = if told["expired"] == true { ": no value is served any more" } else { "" };
    say(format!("newest row online {online}{behind}, {} old{ttl}{over}", span(age)))
}

fn example(example: &Value) -> String {
    let entity = example["entity"].as_object().into_iter().flatten();
    let entity = entity.map(|(key, value)| format!("{key}={}", text(value))).collect::<Vec<_>>().join(" ");
    let side = |value: &str, known: &str| {
        let known = example[known].as_str().map(|known| format!(" (known {known})")).unwrap_or_default();
        let value = if example[value].is_null() { "nothing".into() } else { text(&example[value]) };
        format!("{value}{known}")
    };
    let why = match example["cause"].as_str().unwrap_or_default() {
        "missing" => "no row is online",
        "behind" => "newer rows of the source are not online",
        "notInSource" => "a row is online that the source does not have",
        _ => "a row is another",
    };
    format!(
        "{entity} {} at {}: online {}, offline {}; {why}",
        text(&example["feature"]),
        text(&example["at"]),
        side("online", "onlineKnown"),
        side("offline", "offlineKnown"),
    )
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// In the largest unit of which there is a whole one.
fn span(micros: i64) -> String {
    let seconds = micros.max(0) / 1_000_000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(told: &Value, expect: &str) {
        let mut out = Vec::new();
        plain(&mut out, told).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn what_is_equal_is_one_line_and_how_new_it_is() {
        let mut told = json!({ "view": "weather", "entities": 3, "values": 72, "equal": 72, "at": "2013-07-02T04:00:00Z",
            "newestOnline": "2013-07-01T04:00:00Z", "newestSource": "2013-07-01T05:30:00Z", "ttl": "3h", "expired": true });
        check(
            &told,
            "weather: online = offline for 72 values of 3 entities\n  \
             newest row online 2013-07-01T04:00:00Z, 1h behind its source, 1d old, of a TTL of 3h: no value is served any more\n",
        );
        told["newestOnline"] = Value::Null;
        told["expected"] = 2.into();
        told["stale"] = true.into();
        check(
            &told,
            "weather: online = offline for 70 values of 3 entities\n  \
             2 values differ by rows that were pushed, or are still to be: no fault\n  \
             the source has changed since the view was loaded\n",
        );
    }

    #[test]
    fn what_differs_is_told_with_both_sides() {
        let example = json!({ "entity": { "carrier": "UA", "year": 2013 }, "feature": "mean_7d", "at": "2013-07-01T04:00:00Z",
            "online": 1.5, "offline": null, "onlineKnown": "2013-07-01T03:00:00Z", "offlineKnown": null,
            "cause": "notInSource" });
        let told = json!({ "view": "carriers", "entities": 16, "values": 96, "equal": 94, "different": 2,
            "missingEntities": 1, "leftOut": 1, "examples": [example], "hiddenExamples": 1 });
        check(
            &told,
            "carriers: 2 of 96 values of 16 entities differ\n  \
             1 entities of the source are not online\n  \
             1 entities of the sample were left out: too many rows, or pushed to all the time\n  \
             carrier=UA year=2013 mean_7d at 2013-07-01T04:00:00Z: online 1.5 (known 2013-07-01T03:00:00Z), \
             offline nothing; a row is online that the source does not have\n  \
             1 examples are made of columns that you may not read\n",
        );
    }
}

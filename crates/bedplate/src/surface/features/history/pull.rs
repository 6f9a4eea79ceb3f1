//! The rows of a data source, as a statement over the dataset of its name.

use std::collections::BTreeSet;

use bedplate_feast::Pull;

/// What counts the rows of an entity from the latest on. No dataset can have a column of this name.
const PLACE: &str = "\"its place\"";

/// `columns` are the source's, where no features are named.
pub fn sql(pull: &Pull, columns: Vec<String>) -> String {
    let named = pull.join_keys.iter().chain(&pull.features).chain([&pull.timestamp]).chain(&pull.created);
    let mut seen = BTreeSet::new();
    let wanted: Vec<String> =
        named.chain(&columns).filter(|name| seen.insert(name.as_str())).map(|name| quoted(name)).collect();
    let wanted = wanted.join(", ");
    let (from, within) = (quoted(&pull.source), within(pull));
    if !pull.only_latest || pull.join_keys.is_empty() {
        return ["SELECT ", &wanted, " FROM ", &from, &within].concat();
    }
    let keys = pull.join_keys.iter().map(|key| quoted(key)).collect::<Vec<_>>().join(", ");
    let latest = [Some(&pull.timestamp), pull.created.as_ref()];
    let latest = latest.into_iter().flatten().map(|column| format!("{} DESC NULLS LAST", quoted(column)));
    let latest = latest.collect::<Vec<_>>().join(", ");
    let place = format!("row_number() OVER (PARTITION BY {keys} ORDER BY {latest}) AS {PLACE}");
    let placed = ["SELECT ", &wanted, ", ", &place, " FROM ", &from, &within].concat();
    ["SELECT ", &wanted, " FROM (", &placed, ") WHERE ", PLACE, " = 1"].concat()
}

fn within(pull: &Pull) -> String {
    let edge = |sign: &str, micros: i64| format!("{} {sign} to_timestamp_micros({micros})", quoted(&pull.timestamp));
    let from = pull.from.map(|from| edge(">=", from.micros()));
    let until = pull.until.map(|until| edge("<=", until.micros()));
    let edges: Vec<String> = from.into_iter().chain(until).collect();
    if edges.is_empty() { String::new() } else { format!(" WHERE {}", edges.join(" AND ")) }
}

/// A name as SQL has it in quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use bedplate_types::Timestamp;

    use super::*;

    fn pull(only_latest: bool) -> Pull {
        Pull {
            source: "trips".into(),
            join_keys: vec!["driver_id".into()],
            features: vec!["rating".into()],
            timestamp: "at".into(),
            created: None,
            from: Some(Timestamp::from_micros(1)),
            until: Some(Timestamp::from_micros(2)),
            only_latest,
        }
    }

    #[test]
    fn a_range_of_rows_is_a_statement_in_which_every_name_is_quoted() {
        let expect = "SELECT \"driver_id\", \"rating\", \"at\" FROM \"trips\" \
             WHERE \"at\" >= to_timestamp_micros(1) AND \"at\" <= to_timestamp_micros(2)";
        assert_eq!(sql(&pull(false), Vec::new()), expect);
        let odd = Pull { source: "a\" WHERE 1=1 --".into(), from: None, until: None, ..pull(false) };
        assert!(sql(&odd, Vec::new()).ends_with(" FROM \"a\"\" WHERE 1=1 --\""));
        let all = Pull { features: Vec::new(), ..pull(false) };
        let text = sql(&all, vec!["at".into(), "trips".into()]);
        assert!(text.starts_with("SELECT \"driver_id\", \"at\", \"trips\" FROM"), "{text}");
    }

    #[test]
    fn the_latest_of_each_entity_is_its_first_from_behind() {
        let made = Pull { created: Some("made".into()), ..pull(true) };
        let text = sql(&made, Vec::new());
        assert!(text.contains("PARTITION BY \"driver_id\" ORDER BY \"at\" DESC NULLS LAST, \"made\" DESC NULLS LAST"));
        assert!(text.ends_with("WHERE \"its place\" = 1"));
    }
}

//! The small use case: what stands on what, who asked, and what it cost.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::Value;

use crate::run::{Said, bedplate, quickstart, said, up};
use crate::small;

fn ask(home: &Path, arguments: &[&str]) -> Said {
    said(&mut bedplate(home, arguments))
}

#[track_caller]
fn ok(home: &Path, arguments: &[&str]) -> String {
    let said = ask(home, arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said.out
}

#[track_caller]
fn json(home: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(home, &[arguments, &["-o", "json"]].concat())).unwrap()
}

/// One run for all: it is the long part.
#[test]
fn what_stands_on_a_column_and_what_it_cost_is_told() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    let summary = said(&mut quickstart(home.path(), &["--from", folder.path().to_str().unwrap()])).json();
    let home = home.path();
    let server = up(home, &["--source-root", folder.path().to_str().unwrap()]);
    impact(home);
    traced(home, summary["trace"]["prediction"].as_str().unwrap());
    costs(home, &summary);
    served(home, &summary);
    console(home, &server.said());
    rights(home);
    prices(home);
    recorded(home);
    column_taken_away(home, folder.path());
    drop(server);
}

/// `sort name` of everything that depends, with `~` where it is not direct.
fn dependants(home: &Path, what: &str) -> Vec<String> {
    let told = json(home, &["impact", what, "-n", "flights"]);
    assert_eq!(told["graph"]["truncated"], false);
    let mut all = Vec::new();
    for sort in ["features", "recipes", "models", "endpoints", "monitors"] {
        for one in told["dependants"][sort].as_array().unwrap() {
            assert_eq!(one["namespace"], "flights");
            let mark = if one["direct"] == true { "" } else { "~" };
            all.push(format!("{mark}{} {}", sort.trim_end_matches('s'), one["name"].as_str().unwrap()));
        }
    }
    all
}

const REST: [&str; 4] = ["recipe late-arrival", "model late-arrival@1", "endpoint late-arrival", "monitor december"];

fn impact(home: &Path) {
    let with = |features: &[&str], mark: &str| -> Vec<String> {
        let features = features.iter().map(|feature| (*feature).to_owned());
        features.chain(REST.iter().map(|rest| format!("{mark}{rest}"))).collect()
    };
    assert_eq!(dependants(home, "flights.arr_delay"), with(&["feature aircraft-history.last_arr_delay"], ""));
    assert_eq!(dependants(home, "weather.temp"), with(&["feature weather.temp"], ""));
    let departures = [
        "~feature aircraft-history.last_arr_delay",
        "feature carrier-departures.dep_delay_mean_7d",
        "feature carrier-departures.dep_delay_std_7d",
        "feature origin-departures.dep_delay_mean_3h",
        "feature origin-departures.dep_delay_p90_3h",
        "feature origin-departures.departures_3h",
    ];
    assert_eq!(dependants(home, "flights.dep_delay"), with(&departures, ""));
    assert_eq!(dependants(home, "airports.tz"), with(&["~feature aircraft-history.last_arr_delay"], "~"));
    for unused in ["flights.year", "weather.wind_dir", "airlines", "planes.model"] {
        assert!(dependants(home, unused).is_empty(), "{unused}");
    }
    let told = ok(home, &["impact", "flights.arr_delay", "-n", "flights"]);
    assert!(told.starts_with("feature   aircraft-history.last_arr_delay\nrecipe    late-arrival\n"), "{told}");
    for step in [
        "column:table:flights/flights@0#arr_delay\n",
        "  feature:flights/aircraft-history@sha256:",
        "endpoint:flights/late-arrival",
    ] {
        assert!(told.contains(step), "{step} is not in {told}");
    }
    assert_eq!(ok(home, &["impact", "flights.year", "-n", "flights"]), "nothing stands on flights.year\n");
    assert!(ok(home, &["impact", "weather", "-n", "flights", "-o", "dot"]).contains("style=dashed"));
    let events = ok(home, &["impact", "weather.temp", "-n", "flights", "-o", "openlineage"]);
    assert!(events.contains("columnLineage") && events.contains("weather__temp"), "{events}");
    let cut = ask(home, &["impact", "weather.temp", "-n", "flights", "--depth", "1"]);
    assert!(cut.code == Some(0) && cut.err.contains("cut 1 steps away"), "{cut:?}");
    let unknown = ask(home, &["impact", "flights.nothing", "-n", "flights"]);
    assert!(unknown.code == Some(5) && unknown.err.contains("nothing"), "{unknown:?}");
}

fn traced(home: &Path, prediction: &str) {
    let input = "column:model:flights/late-arrival@1#aircraft-history__last_arr_delay";
    let back = ok(home, &["trace", input]);
    for step in
        ["feature:flights/aircraft-history@", "column:table:flights/flights@0#arr_delay", "column:source:sha256:"]
    {
        assert!(back.contains(step), "{step} is not in {back}");
    }
    assert!(!back.contains("#temp"), "{back}");
    let told = json(home, &["trace", prediction]);
    let record = &told["nodes"][0]["facts"];
    assert_eq!(record["principal"], "workload:flights/replay-july", "{record}");
    assert!(record["viewVersions"]["weather"].as_str().unwrap().starts_with("sha256:"), "{record}");
    assert!(told["columns"].as_array().unwrap().len() > 60, "{}", told["columns"]);
    assert!(told["edges"].as_array().unwrap().len() > 10);
    let events: Value = serde_json::from_str(&ok(home, &["trace", prediction, "-o", "openlineage"])).unwrap();
    let outputs: Vec<&Value> =
        events.as_array().unwrap().iter().flat_map(|event| event["outputs"].as_array().unwrap()).collect();
    let view = outputs.iter().find(|output| output["name"] == "view/aircraft-history").unwrap();
    let fields = &view["facets"]["columnLineage"]["fields"]["last_arr_delay"]["inputFields"];
    assert!(fields.to_string().contains("arr_delay"), "{fields}");
    let dot = ok(home, &["trace", prediction, "-o", "dot"]);
    assert!(dot.starts_with("digraph") && !dot.contains("column:"), "columns would hide the rest: {dot}");
}

/// The total in millionths.
fn micros(text: &Value) -> i64 {
    text.as_str().unwrap().replacen('.', "", 1).parse().unwrap()
}

fn costs(home: &Path, summary: &Value) {
    let whole = json(home, &["costs", "--by", ""]);
    let total = micros(&whole["totals"][0]["cost"]);
    assert!(total > 0 && whole["unpriced"].as_array().unwrap().is_empty(), "{whole}");
    assert_eq!((micros(&summary["cost"]["total"]), &summary["cost"]["currency"]), (total, &"EUR".into()));
    for by in
        ["namespace", "team", "subject", "resource", "day", "month", "team,resource,day", "subject,month,namespace"]
    {
        let told = json(home, &["costs", "--by", by]);
        let lines = told["lines"].as_array().unwrap();
        assert_eq!(lines.iter().map(|line| micros(&line["cost"])).sum::<i64>(), total, "{by}");
        assert_eq!(
            lines.iter().map(|line| micros(&line["rounded"])).sum::<i64>(),
            micros(&told["totals"][0]["rounded"]),
            "{by}"
        );
    }
    let told = json(home, &["costs", "-n", "flights", "--by", "resource,team"]);
    let resources: Vec<_> =
        told["lines"].as_array().unwrap().iter().map(|line| line["resource"].as_str().unwrap()).collect();
    assert_eq!(resources, ["cpu_seconds", "ingested_gigabytes", "predictions", "stored_gigabytes"]);
    assert!(told["lines"].as_array().unwrap().iter().all(|line| line["team"] == "flight-operations"), "{told}");
    let predictions = &told["lines"][2];
    assert_eq!((&predictions["amount"], &predictions["cost"]), (&"300.000000".into(), &"0.000300".into()));
    let subjects = json(home, &["costs", "--by", "subject"])["lines"].to_string();
    for step in [
        "dataset:flights/weather",
        "materialize:flights/route",
        "assemble:flights/late-arrival",
        "recipe:flights/late-arrival",
        "workload:flights/late-arrival-",
        "workload:flights/replay-july",
        "model:flights/late-arrival",
        "endpoint:flights/late-arrival",
        "watch:flights/december",
    ] {
        assert!(subjects.contains(step), "{step} is not in {subjects}");
    }
    assert!(ok(home, &["costs", "--from", "1999-01-01", "--to", "2000-01-01", "-o", "wide"]).starts_with("RESOURCE"));
    assert!(ok(home, &["costs", "-o", "wide"]).contains("TOTAL"));
    assert!(ok(home, &["costs", "--verify"]).starts_with("verified "));
    let wrong = ask(home, &["costs", "--by", "planet"]);
    assert!(wrong.code == Some(3) && wrong.err.contains("namespace, team"), "{wrong:?}");
}

/// What predictions took their features from counts as served, and it outlived the quickstart.
fn served(home: &Path, summary: &Value) {
    let told = json(home, &["features", "stats", "weather", "-n", "flights", "--served"]);
    assert_eq!((&told["of"], &told["served"]), (&Value::from("served"), &summary["serving"]["predictions"]), "{told}");
    assert!(told["rows"].as_u64() > Some(0) && told["features"][0]["values"]["numbers"]["max"].is_number(), "{told}");
}

/// The overview of the console has the same total.
fn console(home: &Path, said: &str) {
    let link = said.lines().find_map(|line| line.trim().strip_prefix("console")).unwrap().trim();
    let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let arrived = get(host, &format!("/{path}"), "");
    let cookie = arrived.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let page = get(host, "/", cookie.split(';').next().unwrap());
    let total = json(home, &["costs"])["totals"][0]["cost"].as_str().unwrap().to_owned();
    assert!(page.contains(&format!("{total} EUR")), "{total} is not in {page}");
}

fn get(host: &str, path: &str, cookie: &str) -> String {
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// A namespace's viewer sees what it cost, and nothing else.
fn rights(home: &Path) {
    let binding = home.join("viewers.yaml");
    let text = "apiVersion: bedplate.dev/v1alpha1\nkind: RoleBinding\nmetadata: {name: viewers, namespace: flights}\n\
                spec: {role: viewer, subjects: [{kind: Group, name: viewers}]}\n";
    std::fs::write(&binding, text).unwrap();
    ok(home, &["apply", "-f", binding.to_str().unwrap()]);
    for (name, group, of_flights) in [("ana", "viewers", 0), ("eve", "others", 4)] {
        let hers = tempfile::tempdir().unwrap();
        let file = hers.path().join("kubeconfig");
        ok(home, &["token", "create", name, "-g", group, "-n", "flights", "--kubeconfig", file.to_str().unwrap()]);
        for (arguments, code) in [
            (&["costs", "-n", "flights"][..], of_flights),
            (&["impact", "weather.temp"], of_flights),
            (&["costs"], 4),
            (&["costs", "-n", "default"], 4),
            (&["costs", "--verify"], 4),
            (&["costs", "--reverse", "x", "--reason", "y"], 4),
        ] {
            let said = ask(hers.path(), arguments);
            assert_eq!(said.code, Some(code), "{name} {arguments:?}: {said:?}");
        }
    }
}

fn prices(home: &Path) {
    let sheet = json(home, &["get", "pricesheet", "standard", "-n", "bedplate-system"]);
    assert_eq!(
        (&sheet["spec"]["prices"]["cpu_seconds"], &sheet["status"]["phase"]),
        (&"0.000014".into(), &"Ready".into())
    );
    let file = home.join("sheet.yaml");
    let text = "apiVersion: bedplate.dev/v1alpha1\nkind: PriceSheet\nmetadata: {name: other, namespace: bedplate-system}\n\
                spec: {currency: USD, prices: {cpu_seconds: \"1\"}}\n";
    std::fs::write(&file, text).unwrap();
    let refused = ask(home, &["apply", "-f", file.to_str().unwrap()]);
    assert!(refused.code == Some(3) && refused.err.contains("standard"), "{refused:?}");
}

fn recorded(home: &Path) {
    let log = json(home, &["audit", "log", "--actor", "system:controllers", "--action", "ingest", "--since", "1d"]);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 5, "{log}");
    let one =
        json(home, &["audit", "log", "--object", "datasets/flights/weather", "--action", "ingest", "--limit", "1"]);
    assert_eq!(one["entries"].as_array().unwrap().len(), 1, "{one}");
    let page = json(home, &["audit", "log", "--action", "ingest", "--limit", "2"]);
    let next = page["next"].as_u64().unwrap().to_string();
    let rest = json(home, &["audit", "log", "--action", "ingest", "--from", &next]);
    assert_eq!((page["entries"].as_array().unwrap().len(), rest["entries"].as_array().unwrap().len()), (2, 3));
    assert!(ok(home, &["audit", "log", "--actor", "user:admin", "-o", "wide"]).contains("resourceVersion"));
    assert!(json(home, &["audit", "log", "--since", "2999-01-01T00:00:00Z"])["entries"].as_array().unwrap().is_empty());
}

/// Last, since the dataset does not fit its source any more.
fn column_taken_away(home: &Path, folder: &Path) {
    small::change(folder, "10-datasets.yaml", "  - {name: arr_delay,", "  - {name: arr_delayed,");
    let said = ask(home, &["apply", "-f", folder.join("10-datasets.yaml").to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let warning = said.err.lines().find(|line| line.starts_with("warning: ")).unwrap_or_default();
    for named in [
        "column arr_delay",
        "aircraft-history.last_arr_delay",
        "recipe late-arrival",
        "model late-arrival@1",
        "endpoint late-arrival",
        "monitor december",
    ] {
        assert!(warning.contains(named), "{named} is not in {said:?}");
    }
    assert_eq!(said.err.matches("warning: ").count(), 1, "{said:?}");
}

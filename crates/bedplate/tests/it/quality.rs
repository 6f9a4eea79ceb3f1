//! Data quality on a running platform: a refused ingest stops what reads the data, and rows leave the quarantine once.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bedplate_testkit::Server;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use crate::run::{Said, bedplate, said, up};

const HOUR: i64 = 3_600_000_000;
const LIMIT: Duration = Duration::from_secs(30);

const MANIFESTS: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: bedplate.dev/v1alpha1
kind: ExpectationSuite
metadata: {name: weather, namespace: demo}
spec:
  expectations:
  - {name: enough, severity: block, check: {rowCount: {min: 3}}}
  - {name: possible, check: {between: {column: speed, min: 0, max: 200}}}
  - {name: calm-at-night, severity: warn, check: {satisfies: {sql: speed < 50 OR extract(hour FROM seen) > 0}}}
  - {name: as-usual, severity: warn, check: {anomaly: {of: enough}}}
  - {name: as-before, severity: warn, check: {drift: {column: speed, psi: 0.2}}}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: weather, namespace: demo}
spec:
  owner: meteo
  source: {path: weather.parquet}
  schema: [{name: site, type: string}, {name: speed, type: float64}, {name: seen, type: timestamp}]
  suite: weather
---
apiVersion: bedplate.dev/v1alpha1
kind: Entity
metadata: {name: site, namespace: demo}
spec: {joinKeys: [{name: site, type: string}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {name: wind, namespace: demo}
spec:
  owner: meteo
  entity: site
  timestampColumn: seen
  source: {datasets: [weather], sql: 'SELECT site, speed, seen FROM weather'}
  features: [{name: speed}]
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureService
metadata: {name: wind, namespace: demo}
spec: {views: [{view: wind}]}
";

struct Site {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
}

impl Site {
    /// Five rows, of which 1 and 3 are impossible.
    fn new() -> Self {
        let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let speeds = [3.5, 1048.0, 7.0, -1.0, 60.0];
        let times = (0..5).map(|hour| Some((hour + 1) * HOUR)).collect::<TimestampMicrosecondArray>();
        let batch = RecordBatch::try_from_iter([
            ("site", Arc::new(StringArray::from(vec!["EWR"; 5])) as ArrayRef),
            ("speed", Arc::new(Float64Array::from(speeds.to_vec()))),
            ("seen", Arc::new(times.with_timezone("UTC"))),
        ]);
        let (file, batch) = (File::create(folder.path().join("weather.parquet")).unwrap(), batch.unwrap());
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        fs::write(folder.path().join("all.yaml"), MANIFESTS).unwrap();
        Self { folder, home }
    }

    fn up(&self) -> Server {
        up(self.home.path(), &["--source-root", self.folder.path().to_str().unwrap()])
    }

    fn apply(&self, from: &str, to: &str) {
        let file = self.folder.path().join("all.yaml");
        fs::write(&file, MANIFESTS.replace(from, to)).unwrap();
        self.ok(&["apply", "-f", file.to_str().unwrap()]);
    }

    fn ask(&self, arguments: &[&str]) -> Said {
        said(&mut bedplate(self.home.path(), arguments))
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let said = self.ask(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        said.out
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["-o", "json"]].concat())).unwrap()
    }

    fn status(&self, kind: &str, name: &str) -> Value {
        self.json(&["get", kind, name, "-n", "demo"])["status"].clone()
    }

    /// Waits until the status is as wanted.
    #[track_caller]
    fn until(&self, kind: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let status = self.status(kind, name);
            if wanted(&status) {
                return status;
            }
            assert!(started.elapsed() < LIMIT, "{kind} {name} came to {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn ready(&self) {
        for (kind, name) in [("dataset", "weather"), ("featureview", "wind"), ("featureservice", "wind")] {
            self.until(kind, name, |status| status["phase"] == "Ready");
        }
    }
}

fn condition(status: &Value) -> &Value {
    status["conditions"].as_array().unwrap().iter().find(|condition| condition["type"] == "Ready").unwrap()
}

#[test]
fn a_refused_ingest_stops_what_reads_the_data_until_one_passes() {
    let site = Site::new();
    let server = site.up();
    site.apply("", "");
    site.ready();
    site.apply("min: 3", "min: 300");
    let status = site.until("dataset", "weather", |status| status["phase"] == "Failed");
    assert_eq!((&status["rows"], &status["version"]), (&3.into(), &0.into()), "the last good version stays");
    let told = condition(&status)["message"].as_str().unwrap();
    assert!(
        told.contains("enough (5 rows, expected at least 300)") && told.contains("bedplate data history"),
        "{told}"
    );
    for (kind, words) in [("featureview", "dataset weather"), ("featureservice", "feature view wind has stopped")] {
        let open = site.until(kind, "wind", |status| condition(status)["reason"] == "CircuitOpen");
        let told = condition(&open)["message"].as_str().unwrap();
        for word in [words, "dataset weather failed", "enough", "bedplate data history weather -n demo"] {
            assert!(told.contains(word), "{word} is not in {told}");
        }
    }
    let history = site.json(&["data", "history", "weather", "-n", "demo"]);
    let ingests = history["ingests"].as_array().unwrap();
    assert_eq!(ingests.iter().map(|ingest| ingest["version"].clone()).collect::<Vec<_>>(), [Value::Null, 0.into()]);
    let plain = site.ok(&["data", "history", "weather", "-n", "demo"]);
    assert!(plain.contains("refused") && plain.contains("enough (block)"), "{plain}");
    // Asleep and awake again, it does not judge the same inputs once more.
    drop(server);
    let server = site.up();
    site.until("featureview", "wind", |status| condition(status)["reason"] == "CircuitOpen");
    assert_eq!(site.json(&["data", "history", "weather", "-n", "demo"])["ingests"].as_array().unwrap().len(), 2);

    site.apply("min: 3", "min: 4");
    site.ready();
    let observed = site.ok(&["data", "history", "weather", "-n", "demo", "-e", "enough"]);
    assert!(observed.contains("5 rows, expected at least 4") && observed.contains("at least 300"), "{observed}");
    drop(server);
}

#[test]
fn rows_are_released_and_discarded_by_who_may() {
    let site = Site::new();
    let server = site.up();
    site.apply("", "");
    site.ready();
    let shown = site.ok(&["data", "quarantine", "weather", "-n", "demo"]);
    assert!(shown.contains("2  possible") && shown.contains("1  possible") && !shown.contains("1048"), "{shown}");
    refused(&site);

    let why = ["--why", "a gust was measured"];
    let released = site.json(&[&["data", "release", "weather", "-n", "demo", "--row", "1"], &why[..]].concat());
    assert_eq!((&released["rows"], &released["version"]), (&1.into(), &1.into()));
    let status = site.until("dataset", "weather", |status| status["version"] == 1);
    assert_eq!([&status["rows"], &status["quarantined"], &status["released"]], [4, 1, 1].map(Value::from).each_ref());
    site.until("featureview", "wind", |status| status["onlineRows"] == 4);
    let gone = site.ask(&[&["data", "release", "weather", "-n", "demo", "--row", "1"], &why[..]].concat());
    gone.refused(5, &["row 1 is not in the quarantine"]);
    let moved = ["data", "discard", "weather", "-n", "demo", "--all", "--at-version", "0"];
    site.ask(&[&moved[..], &why].concat()).refused(6, &["version 1", "version 0"]);
    site.ok(&[&["data", "discard", "weather", "-n", "demo", "--reason", "possible"], &why[..]].concat());
    site.until("dataset", "weather", |status| status["version"] == 2 && status["quarantined"] == 0);

    for action in ["release", "discard"] {
        let log = site.json(&["audit", "log", "--action", action]);
        let log = log.to_string();
        assert!(log.contains("user:admin") && log.contains("a gust was measured"), "{log}");
    }
    let trace = site.ok(&["trace", "table:demo/weather@2"]);
    assert!(trace.contains("table:demo/weather@1") && trace.contains("table:demo/weather@0"), "{trace}");
    let events = site.ok(&["trace", "table:demo/weather@1", "-o", "openlineage"]);
    assert!(events.contains("a gust was measured"), "{events}");
    let events: Value = serde_json::from_str(&events).unwrap();
    let inputs = events.as_array().unwrap().iter().flat_map(|event| event["inputs"].as_array().unwrap());
    let told: Vec<&Value> = inputs.map(|input| &input["inputFacets"]["dataQualityAssertions"]["assertions"]).collect();
    let possible = serde_json::json!({ "assertion": "possible", "success": false });
    assert!(told.iter().any(|told| told.as_array().is_some_and(|told| told.contains(&possible))), "{told:?}");
    drop(server);
    // Told of once: nothing is told again after a start.
    let server = site.up();
    site.ready();
    assert_eq!(site.json(&["audit", "log", "--action", "release"]).to_string().matches("a gust").count(), 1);
    drop(server);
}

/// Who may only look is refused, and who may not even look is not told what is there.
fn refused(site: &Site) {
    let binding = site.home.path().join("viewers.yaml");
    let text = "apiVersion: bedplate.dev/v1alpha1\nkind: RoleBinding\nmetadata: {name: viewers, namespace: demo}\n\
                spec: {role: viewer, subjects: [{kind: Group, name: viewers}]}\n";
    fs::write(&binding, text).unwrap();
    site.ok(&["apply", "-f", binding.to_str().unwrap()]);
    for (name, group, looks) in [("ana", "viewers", 0), ("eve", "others", 4)] {
        let hers = tempfile::tempdir().unwrap();
        let file = hers.path().join("kubeconfig");
        site.ok(&["token", "create", name, "-g", group, "-n", "demo", "--kubeconfig", file.to_str().unwrap()]);
        let ask = |arguments: &[&str]| said(&mut bedplate(hers.path(), arguments));
        for what in ["history", "quarantine"] {
            assert_eq!(ask(&["data", what, "weather"]).code, Some(looks), "{name} {what}");
        }
        for what in ["release", "discard"] {
            ask(&["data", what, "weather", "--all", "--why", "x"]).refused(4, &[]);
        }
    }
    assert_eq!(site.status("dataset", "weather")["quarantined"], 2);
}

/// Killed wherever it is, each row is in the table or in quarantine, once.
#[test]
fn killed_while_rows_are_released_each_is_there_once() {
    let site = Site::new();
    let mut server = site.up();
    site.apply("", "");
    site.ready();
    for (version, row, delay) in [(1, "1", 0), (2, "3", 2)] {
        let mut release = bedplate(
            site.home.path(),
            &["data", "release", "weather", "-n", "demo", "--row", row, "--why", "it was so"],
        );
        let mut release =
            release.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let commit = format!("lake/demo/weather/_delta_log/{version:020}.json");
        wait_for(&site.home.path().join(commit));
        std::thread::sleep(Duration::from_millis(delay));
        server.kill().unwrap();
        release.wait().unwrap();
        server = site.up();
        let status = site.until("dataset", "weather", |status| status["version"] == version);
        assert_eq!((&status["rows"], &status["quarantined"]), (&(3 + version).into(), &(2 - version).into()));
        site.until("featureview", "wind", |status| status["onlineRows"] == 3 + version);
        let shown = site.json(&["data", "quarantine", "weather", "-n", "demo"]);
        assert_eq!(shown["rows"].as_array().unwrap().len() as i64, 2 - version, "{shown}");
    }
    drop(server);
}

fn wait_for(file: &Path) {
    let started = Instant::now();
    while !file.exists() {
        assert!(started.elapsed() < LIMIT, "{} did not appear", file.display());
        std::thread::sleep(Duration::from_micros(200));
    }
}

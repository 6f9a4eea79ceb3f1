//! Constraints of a Dataset on a running platform: what is refused when it is applied, and what a broken one says.

use std::cell::Cell;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{Said, bedplate, said, up};

const LIMIT: Duration = Duration::from_secs(30);
const DATASET: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: weather, namespace: demo}
spec:
  owner: meteo
  description: seen TIMES times
  source: {path: landing/*.jsonl, load: newFiles}
  schema: [{name: site, type: string}, {name: speed, type: float64}]
  constraints: [CONSTRAINTS]
";

struct Site {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
    /// How often it was applied: what changes is looked at.
    times: Cell<usize>,
}

impl Site {
    fn new() -> Self {
        let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let site = Self { folder, home, times: Cell::new(0) };
        fs::create_dir(site.folder.path().join("landing")).unwrap();
        site
    }

    fn put(&self, name: &str, speeds: &[f64]) {
        let rows: String = speeds.iter().map(|speed| format!("{{\"site\":\"EWR\",\"speed\":{speed}}}\n")).collect();
        fs::write(self.folder.path().join("landing").join(name), rows).unwrap();
    }

    fn ask(&self, arguments: &[&str]) -> Said {
        said(&mut bedplate(self.home.path(), arguments))
    }

    /// `verb` with a manifest that has these constraints.
    fn with(&self, verb: &str, constraints: &str) -> Said {
        let file = self.folder.path().join("weather.yaml");
        self.times.set(self.times.get() + 1);
        let text = DATASET.replace("CONSTRAINTS", constraints).replace("TIMES", &self.times.get().to_string());
        fs::write(&file, text).unwrap();
        self.ask(&[verb, "-f", file.to_str().unwrap()])
    }

    #[track_caller]
    fn apply(&self, constraints: &str) {
        let said = self.with("apply", constraints);
        assert_eq!(said.code, Some(0), "{}", said.err);
    }

    #[track_caller]
    fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let status = self.ask(&["get", "dataset", "weather", "-n", "demo", "-o", "json"]).json()["status"].clone();
            if wanted(&status) {
                return status;
            }
            assert!(started.elapsed() < LIMIT, "it came to {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn told(status: &Value) -> &str {
    let conditions = status["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == "Ready").unwrap()["message"].as_str().unwrap()
}

const CALM: &str = "{name: calm, expression: speed < 100}";

#[test]
fn a_constraint_is_refused_kept_and_told_of() {
    let site = Site::new();
    let _server = up(site.home.path(), &["--source-root", site.folder.path().to_str().unwrap()]);
    for verb in ["apply", "plan"] {
        for (constraint, why) in [
            ("{name: calm, expression: gust < 100}", "column \"gust\" is not there; there are site, speed"),
            ("{name: calm, expression: speed}", "not true or false"),
            ("{name: calm, expression: 'speed IN (SELECT 1)'}", "no subqueries"),
            ("{name: calm, expression: random() < speed}", "differs from one call to the next"),
            ("{name: Calm, expression: speed < 100}", "lower-case letters"),
        ] {
            let said = site.with(verb, constraint);
            let told = if verb == "plan" { &said.out } else { &said.err };
            assert!(said.code != Some(0) && told.contains(why), "{verb} {constraint}: {said:?}");
            assert!(told.contains("spec.constraints[0]"), "{verb} {constraint}: {said:?}");
        }
    }
    site.put("a.jsonl", &[3.5, 7.0]);
    site.apply(CALM);
    site.until(|status| status["phase"] == "Ready" && status["rows"] == 2);
    site.put("b.jsonl", &[5.0, 120.0, 150.0]);
    site.apply(CALM);
    let status = site.until(|status| status["phase"] == "Failed");
    assert_eq!((&status["rows"], &status["version"], &status["quarantined"]), (&2.into(), &0.into(), &0.into()));
    for words in [
        "constraint \"calm\" (speed < 100) is not true of 2 of the rows that are loaded",
        "row 1 of",
        "b.jsonl with speed 120.0",
        "change the constraint in spec.constraints",
    ] {
        assert!(told(&status).contains(words), "{words} is not in {}", told(&status));
    }
    site.apply("{name: calm, expression: speed < 200}");
    site.until(|status| status["phase"] == "Ready" && status["rows"] == 5);
    site.apply(CALM);
    let status = site.until(|status| status["phase"] == "Failed");
    assert_eq!((&status["rows"], &status["version"]), (&5.into(), &1.into()));
    assert!(told(&status).contains("2 of the rows that are there"), "{}", told(&status));
    site.apply("");
    let status = site.until(|status| status["phase"] == "Ready" && status["version"] == 2);
    assert_eq!(status["rows"], 5);
}

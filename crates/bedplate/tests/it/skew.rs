//! What features are in their source and what was served of them: told to who may see it, kept over restarts and crashes, and
//! compared feature by feature.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use bedplate_testkit::Server;
use bedplate_types::{Clock, SystemClock, Timestamp};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Api;
use crate::pages::{page, session};
use crate::plain::Answer;
use crate::run::{Said, bedplate, control_url, said, up};

const VIEW: &str = "/apis/bedplate.dev/v1alpha1/namespaces/ward/featureviews/vitals";
const HOUR: i64 = 3_600_000_000;
/// Of each patient a row an hour; the steps are others from the middle on.
const ROWS: i64 = 30;
const MIDDLE: i64 = 15;
const PATIENTS: i64 = 100;

/// At every hour each value is that of as many patients: the newest rows are as all rows are.
fn values(patient: i64, row: i64) -> [f64; 4] {
    let pulse = 60 + (patient + row) % 5;
    let weight = 70 + (3 * patient + row) % 4;
    let steps = (patient + row) % 10 + if row < MIDDLE { 0 } else { 40 };
    [pulse as f64, weight as f64, 4_711.5 + (patient % 2) as f64, steps as f64]
}

fn manifests(start: i64) -> String {
    let at = |row: i64| Timestamp::from_micros(start + row * HOUR);
    format!(
        "
apiVersion: v1
kind: Namespace
metadata: {{name: ward}}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {{name: readings, namespace: ward}}
spec:
  owner: ward
  classification: internal
  source: {{path: readings.parquet}}
  schema:
  - {{name: patient, type: int64}}
  - {{name: at, type: timestamp}}
  - {{name: pulse, type: float64}}
  - {{name: weight, type: float64}}
  - {{name: fee, type: float64}}
  - {{name: steps, type: float64}}
  columnMasks:
  - {{column: fee, mask: nullify}}
---
apiVersion: bedplate.dev/v1alpha1
kind: Entity
metadata: {{name: patient, namespace: ward}}
spec: {{joinKeys: [{{name: patient, type: int64}}]}}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {{name: vitals, namespace: ward}}
spec:
  owner: ward
  entity: patient
  timestampColumn: at
  pushSource: vitals
  source:
    datasets: [readings]
    sql: SELECT patient, at, pulse, weight, fee, steps FROM readings
  features:
  - {{name: pulse}}
  - {{name: weight}}
  - {{name: weight_max_2h, column: weight, aggregate: max, window: 2h}}
  - {{name: fee}}
  - {{name: steps}}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureService
metadata: {{name: vitals, namespace: ward}}
spec: {{owner: ward, views: [{{view: vitals, features: [pulse, weight, weight_max_2h]}}]}}
---
apiVersion: bedplate.dev/v1alpha1
kind: Model
metadata: {{name: fever, namespace: ward}}
spec: {{owner: ward}}
---
apiVersion: bedplate.dev/v1alpha1
kind: TrainingRecipe
metadata: {{name: fever, namespace: ward}}
spec:
  owner: ward
  label:
    datasets: [readings]
    sql: SELECT patient, at, (patient % 2) = 0 AS fever FROM readings
    column: fever
    timestampColumn: at
  featureService: vitals
  split:
    train: {{from: {}, to: {}}}
    test: {{from: {}}}
  algorithm: {{gradientBoosting: {{budget: 0.1, seed: 7, maxTrees: 3}}}}
  model: fever
  gates: []
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {{name: editor, namespace: ward}}
spec: {{role: editor, subjects: [{{kind: ServiceAccount, name: editor}}]}}
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {{name: viewer, namespace: ward}}
spec: {{role: viewer, subjects: [{{kind: ServiceAccount, name: viewer}}]}}
",
        at(MIDDLE),
        at(ROWS - 4),
        at(ROWS - 4)
    )
}

fn write(folder: &Path, start: i64) {
    let rows: Vec<(i64, i64)> = (0..ROWS).flat_map(|row| (0..PATIENTS).map(move |patient| (patient, row))).collect();
    let at: TimestampMicrosecondArray = rows.iter().map(|(_, row)| Some(start + row * HOUR)).collect();
    let column = |at: usize| -> ArrayRef {
        Arc::new(rows.iter().map(|(patient, row)| Some(values(*patient, *row)[at])).collect::<Float64Array>())
    };
    let columns: [(&str, ArrayRef); 6] = [
        ("patient", Arc::new(rows.iter().map(|(patient, _)| Some(*patient)).collect::<Int64Array>())),
        ("at", Arc::new(at.with_timezone("UTC"))),
        ("pulse", column(0)),
        ("weight", column(1)),
        ("fee", column(2)),
        ("steps", column(3)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.join("readings.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

struct Ward {
    home: TempDir,
    folder: TempDir,
    server: Option<Server>,
    /// When the first row became known.
    start: i64,
}

impl Ward {
    fn open() -> Self {
        let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // The newest row is ten minutes old: a window of two hours has two rows now, as it has at each row.
        let start = SystemClock.now().micros() - (ROWS - 1) * HOUR - HOUR / 6;
        write(folder.path(), start);
        let file = folder.path().join("all.yaml");
        fs::write(&file, manifests(start)).unwrap();
        let mut ward = Self { home, folder, server: None, start };
        ward.start();
        let applied = said(&mut bedplate(ward.home.path(), &["apply", "-f", file.to_str().unwrap()]));
        assert_eq!(applied.code, Some(0), "{}", applied.err);
        ward.until("it is ready", VIEW, |view| view["status"]["phase"] == "Ready");
        ward
    }

    fn start(&mut self) {
        self.start_with(&[]);
    }

    fn start_with(&mut self, more: &[&str]) {
        let roots = ["--source-root", self.folder.path().to_str().unwrap()];
        self.server = Some(up(self.home.path(), &[&roots, more].concat()));
    }

    fn api(&self) -> Api {
        Api::of(self.home.path(), self.home.path()).in_namespace("ward")
    }

    #[track_caller]
    fn until(&self, what: &str, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let object = self.api().get(path);
            if is_so(&object) {
                return object;
            }
            assert!(Instant::now() < until, "{what}: {object}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn at(&self, row: i64) -> String {
        Timestamp::from_micros(self.start + row * HOUR).to_string()
    }

    fn features(&self, verb: &str, more: &[&str]) -> Said {
        said(&mut bedplate(self.home.path(), &[&["features", verb, "vitals", "-n", "ward"], more].concat()))
    }

    /// So often all patients, a second apart: of a second no more than a hundred rows are looked at.
    fn serve(&self, times: usize) {
        let patients: Vec<i64> = (0..PATIENTS).collect();
        let asked = json!({ "entities": { "patient": patients }, "features": ["vitals:pulse", "vitals:steps"] });
        for _ in 0..times {
            let (code, told) = self.api().ask("POST", "/get-online-features", &asked);
            assert_eq!((code, &told["results"][1]["statuses"][0]), (200, &json!("PRESENT")), "{told}");
            std::thread::sleep(Duration::from_millis(1_005));
        }
    }

    fn push_a_faster_pulse(&self) {
        let at = SystemClock.now().to_string();
        let column = |at: usize, more: f64| -> Vec<f64> {
            (0..PATIENTS).map(|patient| values(patient, ROWS - 1)[at] + more).collect()
        };
        let df = json!({ "patient": (0..PATIENTS).collect::<Vec<_>>(), "at": vec![at; PATIENTS as usize],
            "pulse": column(0, 20.0), "weight": column(1, 0.0), "fee": column(2, 0.0), "steps": column(3, 0.0) });
        let (code, told) = self.api().ask("POST", "/push", &json!({ "push_source_name": "vitals", "df": df }));
        assert_eq!(code, 200, "{told}");
    }

    fn served(&self) -> Value {
        self.features("stats", &["--served", "-o", "json"]).json()
    }

    fn token(&self, account: &str) -> Api {
        self.api().with_token(&self.secret(account))
    }

    fn secret(&self, account: &str) -> String {
        let account = json!({ "serviceAccount": { "namespace": "ward", "name": account } });
        let (code, made) = self.api().ask("POST", "/bedplate/v1/tokens", &account);
        assert_eq!(code, 201, "{made}");
        made["token"].as_str().unwrap().to_owned()
    }

    /// The view's page, or that of another, as it is shown to a service account.
    fn page(&self, account: &str, view: &str) -> Answer {
        let url = control_url(self.server.as_ref().unwrap());
        page(&url, &session(&url, &self.secret(account)), &format!("/ns/ward/featureviews/{view}"))
    }
}

/// The features with this verdict.
fn with(told: &Value, verdict: &str) -> Vec<String> {
    let features = told["features"].as_array().unwrap().iter().filter(|feature| feature["verdict"] == verdict);
    features.map(|feature| feature["feature"].as_str().unwrap().to_owned()).collect()
}

fn json_of(said: &Said, code: i32) -> Value {
    assert_eq!(said.code, Some(code), "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn what_is_served_otherwise_is_named_and_what_was_served_outlives_restarts_and_crashes() {
    let mut ward = Ward::open();
    let middle = ward.at(MIDDLE);
    let skew: &[&str] = &["--from", &middle];
    let nothing = ward.features("skew", skew);
    assert_eq!(nothing.code, Some(7), "{nothing:?}");
    assert!(nothing.out.contains("too little was served to say") && nothing.out.contains("nothing was served"));
    ward.serve(1);
    let few = json_of(&ward.features("skew", &[skew, &["-o", "json"]].concat()), 7);
    assert_eq!(
        (&few["result"], with(&few, "TooFew").len(), &few["current"]["rows"]),
        (&json!("TooFew"), 5, &json!(100))
    );

    ward.serve(5);
    let alike = ward.features("skew", skew);
    assert_eq!(alike.code, Some(0), "{alike:?}");
    assert!(alike.out.starts_with("vitals: all 5 features are alike\n  600 rows served from "), "{}", alike.out);

    // What was served last is kept by the end, what was told of before by the database.
    ward.serve(1);
    ward.server.take().unwrap().stop(Duration::from_secs(60)).unwrap();
    ward.start();
    assert_eq!((&ward.served()["served"], &ward.served()["rows"]), (&json!(700), &json!(700)));
    ward.serve(1);
    assert_eq!(ward.served()["served"], 800);
    ward.server.take().unwrap().kill().unwrap();
    // Rows are read from disk from now on.
    ward.start_with(&["--online-memory", "0"]);
    assert_eq!(ward.served()["served"], 800);

    ward.push_a_faster_pulse();
    ward.serve(6);
    let told = json_of(&ward.features("skew", &[skew, &["-o", "json"]].concat()), 9);
    assert_eq!((with(&told, "Different"), with(&told, "Alike").len()), (vec!["pulse".to_owned()], 4), "{told}");
    assert_eq!((&told["current"]["served"], &told["reference"]["rows"]), (&json!(1_400), &json!(1_500)));
    let shown = ward.features("skew", skew);
    assert!(shown.out.starts_with("vitals: 1 of 5 features differ: pulse\n"), "{}", shown.out);
    let pulse = &ward.served()["features"][0];
    assert_eq!((&pulse["name"], &pulse["values"]["numbers"]["max"]), (&json!("pulse"), &json!(84.0)));

    // Of a training set, the features it has.
    let recipe = "/apis/bedplate.dev/v1alpha1/namespaces/ward/trainingrecipes/fever";
    ward.until("its training set is made", recipe, |recipe| {
        recipe["status"]["trainingSet"].as_str().is_some_and(|digest| !digest.is_empty())
    });
    let told = json_of(&ward.features("skew", &["--against", "fever", "-o", "json"]), 9);
    assert_eq!(
        (with(&told, "Different"), with(&told, "Alike")),
        (vec!["pulse".to_owned()], vec!["weight".to_owned(), "weight_max_2h".to_owned()])
    );
    assert_eq!((&told["notCompared"], &told["reference"]["rows"]), (&json!(["fee", "steps"]), &json!(1_100)));
    ward.features("skew", &["--against", "nothing"]).refused(5, &["training recipe ward/nothing", "is not there"]);
    ward.features("skew", &["--least", "0"]).refused(3, &["of 1 to 10000 rows"]);
}

#[test]
fn statistics_are_of_a_window_and_told_to_who_may_see_them() {
    let ward = Ward::open();
    let (first, middle) = (ward.at(1), ward.at(MIDDLE));
    let told = ward.features("stats", &["--from", &first, "--to", &middle, "-o", "json"]).json();
    assert_eq!((&told["rows"], &told["of"], &told["hidden"]), (&json!(1_400), &json!("offline"), &json!([])));
    let feature = |told: &Value, name: &str| {
        told["features"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    let numbers = |name: &str| {
        let one = feature(&told, name);
        let numbers = one["values"]["numbers"].clone();
        (one["rows"].clone(), one["distinct"].clone(), numbers["min"].clone(), numbers["max"].clone())
    };
    assert_eq!(numbers("pulse"), (json!(1_400), json!(5), json!(60.0), json!(64.0)));
    assert_eq!(numbers("weight_max_2h"), (json!(1_400), json!(3), json!(71.0), json!(73.0)));
    assert_eq!(numbers("steps"), (json!(1_400), json!(10), json!(0.0), json!(9.0)));
    let all = ward.features("stats", &["--window", "7d"]);
    assert!(all.out.starts_with("vitals: 3000 rows of the source since ") && all.out.contains("4712"), "{}", all.out);
    let version = told["version"].as_str().unwrap().trim_start_matches("sha256:")[..8].to_owned();
    assert_eq!(ward.features("stats", &["--at-version", &version]).code, Some(0));
    ward.features("stats", &["--at-version", "0123456789"]).refused(5, &["version 0123456789", "is not kept"]);
    ward.features("stats", &["--window", "1m", "-o", "json"]).json();
    let empty = ward.features("stats", &["--window", "1m"]);
    assert!(empty.out.contains(&format!("the newest row became known at {}", ward.at(ROWS - 1))), "{}", empty.out);

    // One window against another.
    let windows = [format!("{middle}.."), format!("{first}..{middle}")];
    let drift = ["--window", &windows[0], "--against", &windows[1], "-o", "json"];
    let moved = json_of(&ward.features("drift", &drift), 9);
    assert_eq!((with(&moved, "Different"), with(&moved, "Alike").len()), (vec!["steps".to_owned()], 4), "{moved}");
    ward.features("drift", &["--window", "7d", "--against", "7d"]).refused(3, &["both windows are the same"]);

    // Who may read only what is masked is told of no feature made of it, nor whether it moved.
    let [editor, viewer, stranger] = ["editor", "viewer", "stranger"].map(|account| ward.token(account));
    ward.serve(1);
    let body = |verb: &str| match verb {
        "drift" => json!({ "window": { "from": middle }, "against": { "to": middle }, "least": 50 }),
        "skew" => json!({ "least": 50 }),
        _ => json!({ "served": verb == "served" }),
    };
    let path = |verb: &str| {
        let verb = if verb == "served" { "statistics" } else { verb };
        format!("/bedplate/v1/namespaces/ward/featureviews/vitals/{verb}")
    };
    for verb in ["statistics", "served", "skew", "drift"] {
        let (code, masked) = editor.ask("POST", &path(verb), &body(verb));
        assert_eq!((code, &masked["hidden"]), (200, &json!(["fee"])), "{verb} {masked}");
        let names =
            masked["features"].as_array().unwrap().iter().map(|one| one.get("name").unwrap_or(&one["feature"]).clone());
        assert_eq!(names.collect::<Vec<_>>(), ["pulse", "weight", "weight_max_2h", "steps"], "{verb}");
        assert!(!masked.to_string().contains("4711.5"), "{verb} {masked}");
        assert_eq!(viewer.ask("POST", &path(verb), &body(verb)).0, 403, "{verb}");
        let (there, refused) = stranger.ask("POST", &path(verb), &body(verb));
        let nowhere = path(verb).replace("vitals", "nowhere");
        assert_eq!((there, refused), stranger.ask("POST", &nowhere, &body(verb)), "{verb}");
        assert_eq!(there, 403);
    }
    let shown = ward.page("editor", "vitals");
    for words in
        ["Figures are of all rows that were served: 100.", "Values of pulse from 60 to 64", "max_2h", "last fee"]
    {
        assert!(shown.code == 200 && shown.body.contains(words), "{words}: {}", shown.body);
    }
    assert!(!shown.body.contains("Values of fee") && !shown.body.contains("4712"), "{}", shown.body);
    let viewed = ward.page("viewer", "vitals");
    assert!(viewed.code == 200 && viewed.body.contains("told to who may read what the view holds"), "{}", viewed.body);
    assert!(!viewed.body.contains("Values of"), "{}", viewed.body);
    let (there, nowhere) = (ward.page("stranger", "vitals"), ward.page("stranger", "nowhere"));
    assert_eq!((there.code, nowhere.code), (404, 404));
    assert!(there.body.contains("there is no such feature view, or you may not see it"), "{}", there.body);
    let cedar =
        r#"forbid (principal == ServiceAccount::"ward/viewer", action, resource == FeatureView::"ward/vitals");"#;
    let policy = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Policy",
        "metadata": { "name": "no-vitals", "namespace": "ward" }, "spec": { "cedar": cedar } });
    let (code, made) = ward.api().ask("POST", "/apis/bedplate.dev/v1alpha1/namespaces/ward/policies", &policy);
    assert_eq!(code, 201, "{made}");
    let forbidden = ward.page("viewer", "vitals");
    assert!(forbidden.code == 404 && !forbidden.body.contains("max_2h"), "{}", forbidden.body);

    let leaves = ward.api().log();
    let entries = leaves.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf));
    let read: Vec<_> =
        entries.filter(|leaf| leaf["action"] == "read-data").map(|leaf| &leaf["detail"]["via"]).collect();
    assert!(["statistics", "skew", "drift"].iter().all(|via| read.iter().any(|one| *one == via)), "{read:?}");

    // What is wrong with a view is told to nobody who may not know that it is there.
    let (code, gone) =
        ward.api().ask("DELETE", &VIEW.replace("featureviews/vitals", "datasets/readings"), &Value::Null);
    assert_eq!(code, 200, "{gone}");
    let broken = ward.page("stranger", "vitals");
    assert_eq!((broken.code, broken.body.contains("readings")), (404, false), "{}", broken.body);
    assert!(ward.page("editor", "vitals").body.contains("readings"));
}

//! Whether the online store says what the sources do: asked on the command line, watched, told in status, events and metrics, and
//! shown to who may see it.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bedplate_testkit::Server;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Api;
use crate::run::{Said, bedplate, control_url, said, up};

const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: flights}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: stays, namespace: flights}
spec:
  owner: ward
  classification: internal
  source: {path: stays.parquet}
  schema:
  - {name: patient, type: int64}
  - {name: ward, type: string}
  - {name: at, type: timestamp}
  - {name: fee, type: float64}
  - {name: pulse, type: float64}
  columnMasks:
  - {column: fee, mask: nullify}
---
apiVersion: bedplate.dev/v1alpha1
kind: Entity
metadata: {name: patient, namespace: flights}
spec: {joinKeys: [{name: patient, type: int64}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {name: stays, namespace: flights}
spec:
  owner: ward
  entity: patient
  timestampColumn: at
  ttl: 30d
  pushSource: stays
  source:
    datasets: [stays]
    sql: SELECT patient, at, fee, pulse FROM stays
  features:
  - {name: fee}
  - {name: pulse_mean, column: pulse, aggregate: mean, window: 2d}
  - {name: pulse_std, column: pulse, aggregate: std, window: 2d}
  - {name: pulse_kinds, column: pulse, aggregate: distinct, window: 2d}
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: editor, namespace: flights}
spec: {role: editor, subjects: [{kind: ServiceAccount, name: editor}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: viewer, namespace: flights}
spec: {role: viewer, subjects: [{kind: ServiceAccount, name: viewer}]}
";

const VIEW: &str = "/apis/bedplate.dev/v1alpha1/namespaces/flights/featureviews/stays";
const VERIFY: &str = "/bedplate/v1/namespaces/flights/featureviews/stays/verify";
/// 2025-06-15
const START: i64 = 1_750_000_000_000_000;
const HOUR: i64 = 3_600_000_000;
/// Of a patient, of whom there are ten.
const ROWS: i64 = 40;

/// A stay each hour; of those after the first `rows` there are none.
fn write(folder: &Path, rows: i64) {
    let rows: Vec<(i64, i64)> = (0..rows).flat_map(|row| (0..10).map(move |patient| (patient, row))).collect();
    let at: TimestampMicrosecondArray = rows.iter().map(|(_, row)| Some(START + row * HOUR)).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("patient", Arc::new(rows.iter().map(|(patient, _)| Some(*patient)).collect::<Int64Array>())),
        ("ward", Arc::new(rows.iter().map(|_| Some("north")).collect::<StringArray>())),
        ("at", Arc::new(at.with_timezone("UTC"))),
        (
            "fee",
            Arc::new(rows.iter().map(|(patient, row)| Some((patient * 100 + row) as f64)).collect::<Float64Array>()),
        ),
        (
            "pulse",
            Arc::new(
                rows.iter().map(|(patient, row)| Some((60 + (patient * row) % 31) as f64)).collect::<Float64Array>(),
            ),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.join("stays.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

struct Ward {
    home: TempDir,
    folder: TempDir,
    server: Option<Server>,
}

impl Ward {
    fn open() -> Self {
        let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(folder.path(), ROWS);
        let file = folder.path().join("all.yaml");
        fs::write(&file, MANIFESTS).unwrap();
        let mut ward = Self { home, folder, server: None };
        ward.start();
        let applied = said(&mut bedplate(ward.home.path(), &["apply", "-f", file.to_str().unwrap()]));
        assert_eq!(applied.code, Some(0), "{}", applied.err);
        ward
    }

    fn start(&mut self) {
        self.server = Some(up(self.home.path(), &["--source-root", self.folder.path().to_str().unwrap()]));
    }

    fn api(&self) -> Api {
        Api::of(self.home.path(), self.home.path())
    }

    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let view = self.api().get(VIEW);
            if is_so(&view) {
                return view;
            }
            assert!(Instant::now() < until, "{what}: {view}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn verify(&self, more: &[&str]) -> Said {
        said(&mut bedplate(self.home.path(), &[&["features", "verify", "-n", "flights"], more].concat()))
    }

    fn token(&self, account: &str) -> Api {
        let account = json!({ "serviceAccount": { "namespace": "flights", "name": account } });
        let (code, made) = self.api().ask("POST", "/bedplate/v1/tokens", &account);
        assert_eq!(code, 201, "{made}");
        self.api().with_token(made["token"].as_str().unwrap())
    }

    fn push(&self, patient: i64, row: i64, pulse: f64) {
        let at = bedplate_types::Timestamp::from_micros(START + row * HOUR).to_string();
        let df = json!({ "patient": [patient], "at": [at], "fee": [4711.5], "pulse": [pulse] });
        let (code, told) = self.api().ask("POST", "/push", &json!({ "push_source_name": "stays", "df": df }));
        assert_eq!(code, 200, "{told}");
    }

    fn metrics(&self) -> String {
        let url = format!("{}/metrics", control_url(self.server.as_ref().unwrap()));
        let token = fs::read_to_string(self.home.path().join("credentials")).unwrap();
        let answer = crate::plain::send("GET", &url, &[("Authorization", &format!("Bearer {}", token.trim()))], "");
        assert_eq!(answer.code, 200, "{}", answer.body);
        answer.body
    }
}

fn has_result(result: &'static str) -> impl Fn(&Value) -> bool {
    move |view| {
        let condition =
            view["status"]["conditions"].as_array().into_iter().flatten().find(|one| one["type"] == "Parity");
        view["status"]["parity"]["result"] == result && condition.is_some_and(|condition| condition["reason"] == result)
    }
}

#[test]
fn what_is_served_is_verified_by_itself_and_by_who_asks() {
    let ward = Ward::open();
    let view = ward.until("it is verified by itself", has_result("Equal"));
    let parity = &view["status"]["parity"];
    assert_eq!(
        (&parity["entities"], &parity["different"], &parity["equal"]),
        (&json!(10), &json!(0), &parity["values"])
    );
    assert_eq!(
        (&parity["version"], &parity["materialized"]),
        (&view["status"]["version"], &view["status"]["materialized"])
    );
    let newest = bedplate_types::Timestamp::from_micros(START + (ROWS - 1) * HOUR).to_string();
    let freshness = &view["status"]["freshness"];
    assert_eq!((&freshness["newestOnline"], &freshness["newestSource"]), (&json!(newest), &json!(newest)));
    assert_eq!(freshness["expired"], true, "it is older than 30 days");
    let metrics = ward.metrics();
    let values = format!("outcome=\"equal\"}} {}", parity["values"]);
    assert!(metrics.contains("view=\"stays\"") && metrics.contains(&values), "{metrics}");
    let got = said(&mut bedplate(ward.home.path(), &["get", "featureviews", "-n", "flights"]));
    assert!(got.out.contains("PARITY") && got.out.contains("Equal"), "{}", got.out);
    let described = said(&mut bedplate(ward.home.path(), &["describe", "featureview", "stays", "-n", "flights"]));
    assert!(
        described.out.contains("online = offline for") && described.out.contains("newestOnline"),
        "{}",
        described.out
    );

    // All patients have one newest row; each side drew another of its rows, mostly.
    let told = ward.verify(&["stays", "--at", &newest]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.starts_with("stays: online = offline for 40 values of 10 entities\n"), "{}", told.out);
    assert!(
        told.out.contains(&format!("newest row online {newest}, ")) && told.out.contains("of a TTL of 30d"),
        "{}",
        told.out
    );
    let [one, same, other] =
        ["1", "1", "2"].map(|seed| ward.verify(&["--sample", "3", "--seed", seed, "-o", "json"]).json());
    let entities = |told: &Value| told["views"][0]["entities"].clone();
    assert_eq!((entities(&one), entities(&other)), (json!(3), json!(3)));
    assert_eq!(one["views"][0]["values"], same["views"][0]["values"]);

    // What is pushed beyond the source is no difference; it is told.
    ward.push(3, ROWS, 90.0);
    let told = ward.verify(&["stays"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains("values differ by rows that were pushed, or are still to be: no fault"), "{}", told.out);

    ward.verify(&["nothing"]).refused(5, &["featureviews -n flights", "nothing"]);
    ward.verify(&["stays", "--sample", "0"]).refused(3, &["a sample is of 1 to 10000 entities"]);
    let leaf = ward.api().log();
    let read =
        leaf.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf)).rfind(|leaf| leaf["action"] == "read-data").unwrap();
    assert_eq!(
        (&read["object"], &read["detail"]["via"]),
        (&json!("datasets/flights/stays"), &json!("verify")),
        "{read}"
    );
    let told = |leaf: &&Value| leaf.get("entry").unwrap_or(leaf)["action"] == "verify";
    assert_eq!(leaf.iter().filter(told).count(), 1, "the platform's own looks are written down when they are news");
}

#[test]
fn what_was_altered_beneath_is_caught_told_and_shown_to_who_may_see_it() {
    let mut ward = Ward::open();
    ward.until("it is verified by itself", has_result("Equal"));
    // A row of a time that the source has been loaded past.
    ward.push(7, 20, 200.0);
    let told = ward.verify(&["stays"]);
    assert_eq!(told.code, Some(9), "{told:?}");
    assert!(told.out.contains("entities differ") && told.out.contains("patient=7 "), "{}", told.out);

    // It is found by the clock as well: here after a start.
    ward.server = None;
    ward.start();
    let view = ward.until("it is verified again", has_result("Different"));
    let message = view["status"]["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "Parity").unwrap()
        ["message"]
        .clone();
    let command = message.as_str().unwrap().split(": ").last().unwrap().to_owned();
    let again: Vec<&str> = command.split(' ').skip(1).collect();
    assert_eq!(said(&mut bedplate(ward.home.path(), &again)).code, Some(9), "{command}");
    assert!(ward.metrics().lines().any(|line| line.contains("outcome=\"different\"") && !line.ends_with(" 0")));
    let described = said(&mut bedplate(ward.home.path(), &["describe", "featureview", "stays", "-n", "flights"]));
    assert!(described.out.contains("ParityDifferent"), "{}", described.out);

    // Who may read only what is masked sees only the examples of what is not.
    let [editor, viewer, stranger] = ["editor", "viewer", "stranger"].map(|account| ward.token(account));
    let body = json!({ "seed": 3 });
    let (code, all) = ward.api().ask("POST", VERIFY, &body);
    assert_eq!(code, 200, "{all}");
    let fees = |told: &Value| told["examples"].as_array().unwrap().iter().filter(|one| one["feature"] == "fee").count();
    let (code, masked) = editor.ask("POST", VERIFY, &body);
    assert_eq!(code, 200, "{masked}");
    assert_eq!((fees(&masked), masked["hiddenExamples"].as_u64()), (0, Some(fees(&all) as u64)), "{masked}");
    assert!(!masked.to_string().contains("4711.5") && !masked["examples"].as_array().unwrap().is_empty(), "{masked}");
    assert_eq!((&masked["different"], &masked["values"]), (&all["different"], &all["values"]));
    // A viewer knows of the view and may not read it; a stranger is told the same of what is there and of what is not.
    assert_eq!(viewer.ask("POST", VERIFY, &body).0, 403);
    let (there, refused) = stranger.ask("POST", VERIFY, &body);
    let (nowhere, same) = stranger.ask("POST", &VERIFY.replace("stays", "nowhere"), &body);
    assert_eq!((there, refused), (nowhere, same));
    assert_eq!(there, 403);
}

#[test]
fn a_view_that_is_not_loaded_is_told_as_such() {
    let ward = Ward::open();
    ward.until("it is ready", |view| view["status"]["phase"] == "Ready");
    let mut other = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "FeatureView",
        "metadata": { "name": "later", "namespace": "flights" }, "spec": ward.api().get(VIEW)["spec"] });
    other["spec"]["source"]["sql"] = json!("select patient, at, fee, pulse from stays where no_such_column = 1");
    let (code, made) = ward.api().ask("POST", "/apis/bedplate.dev/v1alpha1/namespaces/flights/featureviews", &other);
    assert_eq!(code, 201, "{made}");
    ward.verify(&["later"])
        .refused(7, &["not loaded into the online store yet", "bedplate describe featureview later"]);
    // The others are told of all the same.
    let told = ward.verify(&[]);
    assert!(told.code == Some(7) && told.out.contains("stays: online = offline"), "{told:?}");
}

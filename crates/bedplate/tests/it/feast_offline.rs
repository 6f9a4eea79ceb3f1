//! Feast's own client from PyPI, unchanged, with the platform as its offline store.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use bedplate_testkit::{Server, not_run, python};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Api;
use crate::run::{bedplate, said, up};

const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: drivers}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: trips, namespace: drivers}
spec:
  owner: dispatch
  classification: internal
  source: {path: trips.parquet}
  timeColumn: at
  schema:
  - {name: driver_id, type: int64}
  - {name: at, type: timestamp}
  - {name: trips, type: int64}
  - {name: rating, type: float64, nullable: true}
  - {name: tip, type: float64}
  columnMasks:
  - {column: tip, mask: nullify}
---
apiVersion: bedplate.dev/v1alpha1
kind: Entity
metadata: {name: driver, namespace: drivers}
spec: {joinKeys: [{name: driver_id, type: int64}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {name: driver-stats, namespace: drivers}
spec:
  owner: dispatch
  entity: driver
  timestampColumn: at
  ttl: 6h
  source: {datasets: [trips], sql: select * from trips}
  features: [{name: trips}, {name: rating}, {name: tip}]
---
apiVersion: bedplate.dev/v1alpha1
kind: Policy
metadata: {name: auditors, namespace: drivers}
spec:
  cedar: |
    @id(\"auditors-see-tips\")
    permit (principal == ServiceAccount::\"drivers/auditor\", action == Action::\"Column.read-unmasked\", resource);
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: editors, namespace: drivers}
spec:
  role: editor
  subjects: [{kind: ServiceAccount, name: robot}, {kind: ServiceAccount, name: auditor}]
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: viewers, namespace: drivers}
spec: {role: viewer, subjects: [{kind: ServiceAccount, name: viewer}]}
";

pub const ROWS: i64 = 400;

struct Drivers {
    home: TempDir,
    folder: TempDir,
    server: Server,
    api: Api,
}

/// Five drivers, each with a row every 5 hours or so, no two of one driver at one moment; every seventh is not rated.
fn write(folder: &Path) {
    let rows = || 0..ROWS;
    let moment = |row: i64| 1_750_000_000_000_000 + row * 3_600_000_000 + row * row % 977 * 1_000_000;
    let at: TimestampMicrosecondArray = rows().map(|row| Some(moment(row))).collect();
    let rating = |row: i64| (row % 7 != 0).then_some((row % 50) as f64 / 10.0);
    let columns: [(&str, ArrayRef); 5] = [
        ("driver_id", Arc::new(rows().map(|row| Some(row % 5)).collect::<Int64Array>())),
        ("at", Arc::new(at.with_timezone("UTC"))),
        ("trips", Arc::new(rows().map(|row| Some(row * 31 % 211)).collect::<Int64Array>())),
        ("rating", Arc::new(rows().map(rating).collect::<Float64Array>())),
        ("tip", Arc::new(rows().map(|row| Some(row as f64 / 4.0)).collect::<Float64Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(folder.join("trips.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    fs::write(folder.join("all.yaml"), MANIFESTS).unwrap();
}

fn drivers() -> Drivers {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(folder.path());
    let server = up(home.path(), &["--source-root", folder.path().to_str().unwrap()]);
    let file = folder.path().join("all.yaml");
    let applied = said(&mut bedplate(home.path(), &["apply", "-f", file.to_str().unwrap()]));
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let api = Api::of(home.path(), home.path());
    let drivers = Drivers { home, folder, server, api };
    drivers.await_ready();
    drivers
}

impl Drivers {
    fn await_ready(&self) {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let view = self.api.get("/apis/bedplate.dev/v1alpha1/namespaces/drivers/featureviews/driver-stats");
            if view["status"]["phase"] == "Ready" {
                return;
            }
            assert!(Instant::now() < until && view["status"]["phase"] != "Failed", "{view}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn token(&self, name: &str) -> String {
        let account = json!({ "serviceAccount": { "namespace": "drivers", "name": name } });
        let (code, made) = self.api.ask("POST", "/bedplate/v1/tokens", &account);
        assert_eq!(code, 201, "{made}");
        made["token"].as_str().unwrap().to_owned()
    }

    /// `host:port` behind a scheme.
    fn address(&self, scheme: &str) -> String {
        let said_so = self.server.said();
        let (_, url) = said_so.split_once(&format!("{scheme}://")).unwrap_or_else(|| panic!("{said_so}"));
        url.split_whitespace().next().unwrap().to_owned()
    }
}

#[test]
fn its_client_has_features_as_they_were_known_and_no_more_than_it_may_see() {
    let Some(python) = python() else {
        return not_run("Feast's client with the offline store: no Python environment with the package feast");
    };
    let drivers = drivers();
    let script = bedplate_testkit::in_crate("tests/it/feast_offline_client.py");
    let (work, flight) = (tempfile::tempdir().unwrap(), drivers.address("grpc"));
    let (host, port) = flight.split_once(':').unwrap();
    let mut client = Command::new(python);
    let url = format!("http://{}", drivers.address("http"));
    client.arg(script).args([host, port, &url]);
    client.arg(drivers.folder.path().join("trips.parquet")).arg(work.path()).env("FEAST_USAGE", "False");
    for name in ["robot", "auditor", "viewer", "stranger"] {
        client.env(format!("BEDPLATE_{}", name.to_uppercase()), drivers.token(name));
    }
    let told = said(&mut client);
    assert_eq!(told.code, Some(0), "{}\n{}\n{}", told.out, told.err, drivers.server.said());
    let told: Value = serde_json::from_str(told.out.lines().last().unwrap()).unwrap();

    as_they_were_known(&told);
    no_more_than_may_be_seen(&told, drivers.folder.path());
    sources(&told);
    written_down(&drivers);
    assert_eq!(told["online"], json!(["driver_id", "trips"]));
    let spilled = fs::read_dir(drivers.home.path().join("lake/.spill")).unwrap();
    let frames = spilled.filter(|entry| entry.as_ref().unwrap().path().is_file()).count();
    assert_eq!(frames, 0, "no frame is left behind");
}

fn as_they_were_known(told: &Value) {
    assert_eq!(told["columns"], json!(["driver_id", "event_timestamp", "n", "trips", "rating"]));
    assert_eq!(
        (&told["order"], &told["moments"], &told["zone"]),
        (&json!(true), &json!(true), &json!("UTC")),
        "no row is dropped, and each stays where it was"
    );
    for column in ["trips", "rating"] {
        let (got, wanted) = (&told[column]["got"], &told[column]["loop"]);
        assert_eq!(got, wanted, "{column}");
        let known = got.as_array().unwrap().iter().filter(|value| !value.is_null()).count();
        assert!(known > 100 && known < got.as_array().unwrap().len() - 50, "{known} of {column} are known");
    }
    assert_eq!(told["feast"]["differ"], 0);
    assert!(told["feast"]["compared"].as_u64().unwrap() > 100, "{}", told["feast"]);
    for way in ["naive", "text", "berlin"] {
        assert_eq!(told[way], told["trips"]["got"], "{way}");
    }
    let full = json!(["driver_id", "event_timestamp", "n", "driver_stats__trips", "driver_stats__rating"]);
    assert_eq!(told["full"], full);
    assert_eq!(told["service"], json!([["driver_id", "event_timestamp", "n", "rating", "trips"], true]));
    assert_eq!(told["sql"], json!([ROWS, 0]));
    assert_eq!(told["large"], json!([300_000, true]));
    assert_eq!(told["none"], json!([0, ["driver_id", "event_timestamp", "n", "trips", "rating"]]));
}

fn no_more_than_may_be_seen(told: &Value, folder: &Path) {
    let tips = &told["tips"];
    assert!(tips["robot"].as_array().unwrap().iter().all(Value::is_null), "{}", tips["robot"]);
    assert_eq!(tips["auditor"], tips["loop"]);
    assert_eq!(told["pull"]["tips"], 0, "masked where rows are pulled, too");
    for (what, class, words) in [
        ("no_view", "FeatureViewNotFoundException", "Feature view ghost does not exist"),
        ("no_feature", "FeastObjectNotFoundException", "Feature ghost not found in feature view driver_stats"),
        ("viewer", "FeastPermissionError", "Permission error"),
        ("stranger", "FeatureViewNotFoundException", "Feature view driver_stats does not exist"),
        ("no_key", "FeastEntityDFMissingColumnsError", "driver_id"),
        ("no_table", "FeastObjectNotFoundException", "nowhere"),
        ("no_rows", "InvalidEntityType", "label rows are missing"),
        ("collision", "FeastError", "trips"),
        ("text", "FeastError", "no moment"),
        ("not_sql", "FeastError", "only statements that read"),
        ("viewer_sql", "FeastPermissionError", "Permission error"),
        ("unknown", "FlightUnauthenticatedError", "the token is not"),
        ("nobody", "FlightUnauthenticatedError", ""),
        ("packed", "ArrowInvalid", "it is compressed"),
        ("no_source", "DataSourceObjectNotFoundException", "Data source nil does not exist"),
        ("no_columns", "DataSourceObjectNotFoundException", "Data source nil does not exist"),
        ("viewer_pull", "FeastPermissionError", "trips"),
        ("write", "FeastError", "history is what the datasets hold"),
    ] {
        let refused = &told["refused"][what];
        assert_eq!(refused[0], class, "{what}: {refused}");
        let message = refused[1].as_str().unwrap();
        assert!(message.contains(words), "{what}: {refused}");
        assert!(!message.contains(folder.to_str().unwrap()), "{what} tells of paths: {refused}");
    }
}

fn sources(told: &Value) {
    let pull = &told["pull"];
    assert_eq!(pull["columns"], json!(["driver_id", "trips", "tip", "at"]));
    assert_eq!(pull["rows"][0], pull["rows"][1]);
    assert_eq!(pull["latest"], pull["own"]);
    let types = json!([
        ["at", "timestamp[us, tz=UTC]"],
        ["driver_id", "int64"],
        ["rating", "double"],
        ["tip", "double"],
        ["trips", "int64"]
    ]);
    assert_eq!(told["types"], types);
}

/// Each read has a leaf that tells what was masked, and what it cost is booked.
fn written_down(drivers: &Drivers) {
    let log = drivers.api.log();
    let entries = log.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf));
    let reads: Vec<&Value> =
        entries.filter(|leaf| leaf["action"] == "read-data" && leaf["detail"]["via"] == "feast").collect();
    let masked = |account: &str| -> Vec<&Value> {
        let actor = format!("serviceaccount:drivers/{account}");
        reads.iter().filter(|leaf| leaf["actor"] == actor).map(|leaf| &leaf["detail"]["masked"]).collect()
    };
    assert!(
        masked("robot").len() >= 10 && masked("robot").iter().all(|masked| **masked == json!(["tip"])),
        "{reads:?}"
    );
    assert_eq!(masked("auditor"), [&json!([])]);
    assert_eq!(masked("viewer").len() + masked("stranger").len(), 0);
    let costs = drivers.api.get("/bedplate/v1/costs?namespace=drivers").to_string();
    assert!(costs.contains("scanned_gigabytes"), "{costs}");
}

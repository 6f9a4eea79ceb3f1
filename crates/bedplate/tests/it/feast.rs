//! Feast's own client from PyPI, unchanged, against a use case of two drivers.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use bedplate_testkit::{not_run, python};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use crate::http::Api;
use crate::run::{bedplate, control_url, said, up};

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
  ttl: 3650d
  pushSource: trips
  source: {datasets: [trips], sql: select * from trips}
  features: [{name: trips}, {name: rating}]
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureService
metadata: {name: quality, namespace: drivers}
spec: {owner: dispatch, views: [{view: driver-stats}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: robot, namespace: drivers}
spec: {role: editor, subjects: [{kind: ServiceAccount, name: robot}]}
";

/// Driver 1 is rated, driver 2 is not.
pub fn write(folder: &Path) {
    let at = Arc::new(TimestampMicrosecondArray::from(vec![1_750_000_000_000_000; 2]).with_timezone("UTC"));
    let columns: [(&str, ArrayRef); 4] = [
        ("driver_id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("at", at),
        ("trips", Arc::new(Int64Array::from(vec![12, 3]))),
        ("rating", Arc::new(Float64Array::from(vec![Some(4.75), None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(folder.join("trips.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    fs::write(folder.join("all.yaml"), MANIFESTS).unwrap();
}

fn await_ready(api: &Api) {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let view = api.get("/apis/bedplate.dev/v1alpha1/namespaces/drivers/featureviews/driver-stats");
        if view["status"]["phase"] == "Ready" {
            return;
        }
        assert!(Instant::now() < until && view["status"]["phase"] != "Failed", "{view}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn its_client_reads_writes_and_raises_its_own_exceptions() {
    let Some(python) = python() else {
        return not_run("Feast's client against the feature server: no Python environment with the package feast");
    };
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(folder.path());
    let server = up(home.path(), &["--source-root", folder.path().to_str().unwrap()]);
    let file = folder.path().join("all.yaml");
    let applied = said(&mut bedplate(home.path(), &["apply", "-f", file.to_str().unwrap()]));
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let api = Api::of(home.path(), home.path());
    await_ready(&api);
    let account = json!({ "serviceAccount": { "namespace": "drivers", "name": "robot" } });
    let (code, made) = api.ask("POST", "/bedplate/v1/tokens", &account);
    assert_eq!(code, 201, "{made}");
    let url = control_url(&server);
    let address = url.trim_start_matches("http://");
    let url = format!("http://robot:{}@{address}", made["token"].as_str().unwrap());
    let script = bedplate_testkit::in_crate("tests/it/feast_client.py");
    let work = tempfile::tempdir().unwrap();
    let mut client = Command::new(python);
    client.arg(script).arg(&url).arg(work.path()).env("FEAST_USAGE", "False");
    let told = said(&mut client);
    assert_eq!(told.code, Some(0), "{}\n{}", told.out, told.err);
    let told: Value = serde_json::from_str(told.out.lines().last().unwrap()).unwrap();

    let expected = json!({ "driver_id": [1, 2, 9], "trips": [12.0, 3.0, null], "rating": [4.75, null, null] });
    assert_eq!(told["read"], expected);
    let expected = json!({ "driver_id": [1], "driver_stats__trips": [12.0], "driver_stats__rating": [4.75] });
    assert_eq!(told["full"], expected);
    // PRESENT 1, NULL_VALUE 2, NOT_FOUND 3
    assert_eq!(told["statuses"], json!([["1", "1", "1"], ["1", "1", "3"], ["1", "2", "3"]]));
    assert_eq!(told["no_view"], json!(["FeatureViewNotFoundException", "Feature view nil does not exist"]));
    assert_eq!(told["no_feature"][0], "FeastObjectNotFoundException");
    assert_eq!(told["service"], json!({ "driver_id": [1], "trips": [12.0], "rating": [4.75] }));
    assert_eq!(told["written"], json!({ "driver_id": [9], "trips": [7.0], "rating": [4.5] }));
    assert_eq!((&told["push"], &told["health"]), (&json!(200), &json!(200)));
    assert_eq!(told["pushed"], json!({ "driver_id": [2], "trips": [8.0], "rating": [null] }));
}

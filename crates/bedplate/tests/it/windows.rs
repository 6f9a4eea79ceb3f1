//! Windows of one platform: from a source, and after pushes whose rows tell when they were created.

use std::fs::{self, File};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use crate::http::Api;
use crate::run::{bedplate, said, up};

const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: flights}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: rides, namespace: flights}
spec:
  owner: dispatch
  classification: internal
  source: {path: rides.parquet}
  schema:
  - {name: driver, type: int64}
  - {name: at, type: timestamp}
  - {name: made, type: timestamp}
  - {name: ride, type: int64}
  - {name: fare, type: float64}
---
apiVersion: bedplate.dev/v1alpha1
kind: Entity
metadata: {name: driver, namespace: flights}
spec: {joinKeys: [{name: driver, type: int64}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {name: fares, namespace: flights}
spec:
  owner: dispatch
  entity: driver
  timestampColumn: at
  createdColumn: made
  pushSource: rides
  source: {datasets: [rides], sql: 'select driver, at, made, ride as row_id, fare from rides'}
  features:
  - {name: fare}
  - {name: spread, column: fare, aggregate: std, window: 36500d}
  - {name: kinds, column: fare, aggregate: distinct, window: 36500d}
  - {name: low, column: fare, aggregate: quantile, quantile: 0.25, window: 36500d}
";

const VIEW: &str = "/apis/bedplate.dev/v1alpha1/namespaces/flights/featureviews/fares";
const START: i64 = 1_750_000_000_000_000;

/// Rides of one driver: the first was corrected once, the others cost more and more.
fn rides() -> RecordBatch {
    let moment = |micros: i64| Some(START + micros);
    let rows = [(1, 0, 100, 10.0), (1, 0, 200, 12.0), (2, 1, 100, 20.0), (3, 2, 100, 40.0)];
    let times = |of: fn(&(i64, i64, i64, f64)) -> i64| -> ArrayRef {
        let times: TimestampMicrosecondArray = rows.iter().map(|row| moment(of(row))).collect();
        Arc::new(times.with_timezone("UTC"))
    };
    let columns: [(&str, ArrayRef); 5] = [
        ("driver", Arc::new(Int64Array::from(vec![1; rows.len()]))),
        ("at", times(|row| row.1)),
        ("made", times(|row| row.2)),
        ("ride", Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int64Array>())),
        ("fare", Arc::new(rows.iter().map(|row| Some(row.3)).collect::<Float64Array>())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn await_ready(api: &Api) {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let view = api.get(VIEW);
        if view["status"]["phase"] == "Ready" {
            return;
        }
        assert!(Instant::now() < until && view["status"]["phase"] != "Failed", "{view}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Latest, deviation, different values, and the quantile.
fn check(api: &Api, [fare, spread, kinds, low]: [f64; 4]) {
    let names = ["fare", "spread", "kinds", "low"].map(|name| format!("fares:{name}"));
    let (code, read) =
        api.ask("POST", "/get-online-features", &json!({ "features": names, "entities": { "driver": [1] } }));
    assert_eq!(code, 200, "{read}");
    let found: Vec<f64> = (1..=4).map(|i| read["results"][i]["values"][0].as_f64().unwrap_or(f64::NAN)).collect();
    for (found, wanted) in found.iter().zip([fare, spread, kinds, low]) {
        assert!((found - wanted).abs() < 1e-6 * wanted, "{read}");
    }
}

fn text(micros: i64) -> Value {
    bedplate_types::Timestamp::from_micros(START + micros).to_string().into()
}

#[test]
fn of_each_row_the_version_that_was_created_last_counts_in_whatever_order_they_come() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = File::create(folder.path().join("rides.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, rides().schema(), None).unwrap();
    writer.write(&rides()).unwrap();
    writer.close().unwrap();
    let manifests = folder.path().join("all.yaml");
    fs::write(&manifests, MANIFESTS).unwrap();
    let _server = up(home.path(), &["--source-root", folder.path().to_str().unwrap()]);
    let applied = said(&mut bedplate(home.path(), &["apply", "-f", manifests.to_str().unwrap()]));
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let api = Api::of(home.path(), home.path());
    await_ready(&api);
    let deviation = |fares: [f64; 3]| {
        let mean = fares.iter().sum::<f64>() / 3.0;
        (fares.iter().map(|fare| (fare - mean) * (fare - mean)).sum::<f64>() / 2.0).sqrt()
    };
    check(&api, [40.0, deviation([12.0, 20.0, 40.0]), 3.0, 12.0]);

    let ride = |id: i64, at: i64, made: Value, fare: f64| json!({ "driver": [1], "at": [text(at)], "made": [made], "row_id": [id], "fare": [fare] });
    let push = |df: Value| api.ask("POST", "/push", &json!({ "push_source_name": "rides", "df": df }));
    for (made, fare) in [(text(150), 99.0), (Value::Null, 98.0)] {
        assert_eq!(push(ride(1, 0, made, fare)).0, 200);
        check(&api, [40.0, deviation([12.0, 20.0, 40.0]), 3.0, 12.0]);
    }
    assert_eq!(push(ride(1, 0, text(300), 20.0)).0, 200);
    check(&api, [40.0, deviation([20.0, 20.0, 40.0]), 2.0, 20.0]);

    // Feast's client calls both moments by names of its own.
    let written =
        json!({ "driver": [1], "event_timestamp": [text(2)], "created": [text(101)], "row_id": [3], "fare": [60.0] });
    let body = json!({ "feature_view_name": "fares", "df": written });
    assert_eq!(api.ask("POST", "/write-to-online-store", &body).0, 200);
    check(&api, [60.0, deviation([20.0, 20.0, 60.0]), 2.0, 20.0]);
    // Of two rides of one moment the one created last is the latest, whatever its number.
    assert_eq!(push(ride(2, 2, text(102), 20.0)).0, 200);
    let fare = json!({ "features": ["fares:fare"], "entities": { "driver": [1] } });
    assert_eq!(api.ask("POST", "/get-online-features", &fare).1["results"][1]["values"], json!([20.0]));

    let mut untold = ride(4, 4, Value::Null, 1.0);
    untold.as_object_mut().unwrap().remove("made");
    let (code, error) = push(untold);
    assert!(code == 400 || code == 422, "{code}");
    assert!(error.to_string().contains("made"), "{error}");
}

#[test]
fn a_quantile_that_says_not_which_is_refused_with_its_field() {
    let home = tempfile::tempdir().unwrap();
    let _server = up(home.path(), &[]);
    let api = Api::of(home.path(), home.path());
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "flights" } });
    assert_eq!(api.ask("POST", "/api/v1/namespaces", &namespace).0, 201);
    let feature = json!({ "name": "low", "column": "fare", "aggregate": "quantile", "window": "1d" });
    let spec = json!({ "entity": "driver", "timestampColumn": "at", "features": [feature],
        "source": { "datasets": [], "sql": "select 1" } });
    let view = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "FeatureView",
        "metadata": { "name": "fares", "namespace": "flights" }, "spec": spec });
    let (code, refused) = api.ask("POST", "/apis/bedplate.dev/v1alpha1/namespaces/flights/featureviews", &view);
    assert_eq!(code, 422, "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("spec.features[0].quantile"), "{refused}");
}

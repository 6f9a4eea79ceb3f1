//! Rows that are asked for by their time are in the online store when it is answered, and after a kill.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use bedplate_testkit::Server;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Api;
use crate::run::{bedplate, said, up};

const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: flights}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: meters, namespace: flights}
spec:
  owner: grid
  classification: internal
  source: {path: meters.parquet}
  timeColumn: at
  schema:
  - {name: meter, type: int64}
  - {name: at, type: timestamp}
  - {name: reading, type: int64}
---
apiVersion: bedplate.dev/v1alpha1
kind: Entity
metadata: {name: meter, namespace: flights}
spec: {joinKeys: [{name: meter, type: int64}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {name: readings, namespace: flights}
spec:
  owner: grid
  entity: meter
  timestampColumn: at
  materializeUntil: 2020-01-01T00:00:00Z
  source: {datasets: [meters], sql: select * from meters}
  features: [{name: reading}]
";

const VIEW: &str = "/apis/bedplate.dev/v1alpha1/namespaces/flights/featureviews/readings";
/// 2020-01-01, up to which rows come without being asked for.
const START: i64 = 1_577_836_800_000_000;

struct Grid {
    home: TempDir,
    folder: TempDir,
    server: Option<Server>,
}

impl Grid {
    /// `rows` meters that are read one second after the other, from 2020 on.
    fn of(rows: i64) -> Self {
        let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at: TimestampMicrosecondArray = (0..rows).map(|row| Some(START + row * 1_000_000)).collect();
        let columns: [(&str, ArrayRef); 3] = [
            ("meter", Arc::new((0..rows).map(Some).collect::<Int64Array>())),
            ("at", Arc::new(at.with_timezone("UTC"))),
            ("reading", Arc::new((0..rows).map(|row| Some(row * 2)).collect::<Int64Array>())),
        ];
        write(&folder.path().join("meters.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
        fs::write(folder.path().join("all.yaml"), MANIFESTS).unwrap();
        let mut grid = Self { home, folder, server: None };
        grid.start();
        let file = grid.folder.path().join("all.yaml");
        let applied = said(&mut bedplate(grid.home.path(), &["apply", "-f", file.to_str().unwrap()]));
        assert_eq!(applied.code, Some(0), "{}", applied.err);
        grid.until("it is ready", |view| view["status"]["phase"] == "Ready");
        grid
    }

    fn start(&mut self) {
        self.server = Some(up(self.home.path(), &["--source-root", self.folder.path().to_str().unwrap()]));
    }

    fn api(&self) -> Api {
        Api::of(self.home.path(), self.home.path())
    }

    fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let view = self.api().get(VIEW);
            if is_so(&view) {
                return view;
            }
            assert!(Instant::now() < until, "{what}: {view}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn readings(&self, meters: &[i64]) -> Value {
        let body = json!({ "features": ["readings:reading"], "entities": { "meter": meters } });
        let (code, read) = self.api().ask("POST", "/get-online-features", &body);
        assert_eq!(code, 200, "{read}");
        read["results"][1]["values"].clone()
    }

    fn materialize(&self, how: &str, body: &Value) -> (u16, Value) {
        self.api().ask("POST", &format!("/materialize{how}"), body)
    }
}

fn write(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_range_is_there_when_it_is_answered_and_no_older_row_replaces_a_newer_one() {
    let grid = Grid::of(100);
    // The row of the moment itself came without being asked for.
    assert_eq!(grid.readings(&[0, 1, 50, 99]), json!([0.0, null, null, null]));
    // A newer reading is pushed before the older one is asked for.
    let newer = json!({ "feature_view_name": "readings",
        "df": { "meter": [50], "reading": [7], "at": ["2020-06-01T00:00:00Z"] } });
    assert_eq!(grid.api().ask("POST", "/write-to-online-store", &newer).0, 200);

    let asked =
        json!({ "start_ts": "2020-01-01T00:00:40", "end_ts": "2020-01-01T00:01:00", "feature_views": ["readings"] });
    assert_eq!(grid.materialize("", &asked), (200, Value::Null));
    assert_eq!(grid.readings(&[39, 40, 50, 60, 61]), json!([null, 80.0, 7.0, 120.0, null]), "both ends count");
    let view = grid.api().get(VIEW);
    let brought = &view["status"]["rowsBrought"];
    assert_eq!((&brought["rows"], &brought["complete"]), (&json!(21), &json!(true)), "{view}");
    // Again, and nothing changes; then the rest, incrementally.
    assert_eq!(grid.materialize("", &asked).0, 200);
    let rest = json!({ "end_ts": "2020-02-01", "feature_views": ["readings"] });
    assert_eq!(grid.materialize("-incremental", &rest), (200, Value::Null));
    assert_eq!(grid.readings(&[39, 50, 99]), json!([78.0, 7.0, 198.0]));

    let (code, missing) = grid.materialize("", &json!({ "disable_event_timestamp": true, "feature_views": ["nil"] }));
    assert_eq!(code, 404, "{missing}");
    assert!(missing.as_str().unwrap().contains("FeatureViewNotFoundException"), "{missing}");
    let log = grid.api().log();
    let entries = log.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf));
    let told: Vec<&Value> = entries.filter(|leaf| leaf["action"] == "materialize").collect();
    let asked = told.iter().filter(|leaf| leaf["detail"]["by"] == "user:admin").count();
    assert_eq!((told.len(), asked), (4, 3), "{told:?}");
}

#[test]
fn killed_over_it_it_goes_on_and_the_next_who_asks_is_told() {
    const ROWS: i64 = 400_000;
    let mut grid = Grid::of(ROWS);
    let everything = json!({ "disable_event_timestamp": true, "feature_views": ["readings"] });
    let (code, accepted) = grid.materialize("?async=true", &everything);
    assert_eq!((code, &accepted), (202, &json!({ "status": "accepted", "feature_views": ["readings"] })));
    let rows = |view: &Value| view["status"]["rowsBrought"]["rows"].as_i64().unwrap_or_default();
    let is_complete = |view: &Value| view["status"]["rowsBrought"]["complete"] == true;
    let at_work = grid.until("it has begun", |view| rows(view) > 0);
    assert!(!is_complete(&at_work), "it ended before it was killed: {at_work}");
    let (code, busy) = grid.materialize("?async=true", &everything);
    assert_eq!((code, &busy["feature_views"]), (409, &json!(["readings"])), "{busy}");
    assert_eq!(grid.materialize("?async=true&force=true", &everything).0, 202);
    grid.server.take().unwrap().kill().unwrap();

    grid.start();
    let done = grid.until("it is complete", is_complete);
    assert_eq!(rows(&done), ROWS);
    let last = ROWS - 1;
    assert_eq!(grid.readings(&[1, ROWS / 2, last]), json!([2.0, ROWS as f64, (last * 2) as f64]));
    // Done is done: whoever asks now waits for their own asking alone.
    assert_eq!(grid.materialize("?async=true", &everything).0, 202);
}

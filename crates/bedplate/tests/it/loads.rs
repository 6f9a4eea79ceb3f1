//! A landing folder: files come, are loaded once each, and are told of; also when the platform is killed at it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bedplate_query::{Lake, TableRef};
use bedplate_testkit::Server;
use serde_json::Value;
use tempfile::TempDir;

use crate::http::Api;
use crate::run::{bedplate, said, up};

const DATASET: &str = "/apis/bedplate.dev/v1alpha1/namespaces/shop/datasets/orders";
/// Any other is as good.
const SEED: u64 = 20_261_127;

struct Shop {
    home: TempDir,
    folder: TempDir,
    applied: u32,
}

impl Shop {
    fn new() -> Self {
        let shop = Self { home: tempfile::tempdir().unwrap(), folder: tempfile::tempdir().unwrap(), applied: 0 };
        fs::create_dir(shop.landing()).unwrap();
        shop
    }

    fn landing(&self) -> PathBuf {
        self.folder.path().join("landing")
    }

    /// A file with ten rows from `first`, of which the last is not a number. It is renamed into place.
    fn put(&self, name: &str, first: u32) {
        let rows: String = (first..first + 9).map(|n| format!("{n},EWR\n")).collect();
        let hidden = self.landing().join(".coming");
        fs::write(&hidden, format!("order,place\n{rows}ten,EWR\n")).unwrap();
        fs::rename(hidden, self.landing().join(name)).unwrap();
    }

    fn up(&self) -> Server {
        up(self.home.path(), &["--source-root", self.folder.path().to_str().unwrap()])
    }

    /// Another description: the platform looks at the folder again.
    fn apply(&mut self, path: &str, load: &str) -> crate::run::Said {
        self.applied += 1;
        let text = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: shop}}}}\n---\n\
             apiVersion: bedplate.dev/v1alpha1\nkind: Dataset\nmetadata: {{name: orders, namespace: shop}}\n\
             spec:\n  owner: sales\n  description: applied {} times\n  source: {{path: \"{path}\", load: {load}}}\n  \
             schema:\n  - {{name: order, type: int64, nullable: false}}\n  - {{name: place, type: string}}\n",
            self.applied
        );
        let file = self.folder.path().join("orders.yaml");
        fs::write(&file, text).unwrap();
        said(&mut bedplate(self.home.path(), &["apply", "-f", file.to_str().unwrap()]))
    }

    fn api(&self) -> Api {
        Api::of(self.home.path(), self.home.path())
    }

    /// The status once it says what is waited for.
    #[track_caller]
    fn wait(&self, what: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let status = self.api().get(DATASET)["status"].clone();
            if what(&status) {
                return status;
            }
            assert!(Instant::now() < until, "{status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The column of a table, read from its files while no platform runs.
    fn orders(&self, table: &str) -> Vec<f64> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let lake = Lake::open(self.home.path().join("lake")).unwrap();
        let of = TableRef { alias: "t".into(), namespace: "shop".into(), name: table.into(), version: None };
        let sql = "SELECT coalesce(\"order\", -1) AS o FROM t ORDER BY 1";
        runtime.block_on(lake.sql(&[of], sql)).unwrap().f64("o").unwrap()
    }
}

fn failed(status: &Value) -> bool {
    status["phase"] == "Failed"
}

fn message(status: &Value) -> String {
    status["conditions"][0]["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn files_that_come_are_added_and_told_of() {
    let mut shop = Shop::new();
    let _platform = shop.up();
    shop.apply("landing/*.csv", "newFiles");
    let nothing = shop.wait(failed);
    assert!(message(&nothing).contains("means no file") && message(&nothing).contains("bedplate apply"), "{nothing}");

    shop.put("a.csv", 0);
    shop.apply("landing/*.csv", "newFiles");
    let first = shop.wait(|status| status["rows"] == 9);
    assert_eq!((&first["files"], &first["quarantined"], &first["version"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(first["expectations"][0]["name"], "can be read as declared");
    shop.put("b.csv", 9);
    shop.put("c.csv", 18);
    shop.apply("landing/*.csv", "newFiles");
    let second = shop.wait(|status| status["rows"] == 27);
    assert_eq!((&second["files"], &second["quarantined"], &second["version"]), (&3.into(), &3.into(), &1.into()));

    let traced = said(&mut bedplate(shop.home.path(), &["trace", "table:shop/orders@1"]));
    assert_eq!(traced.out.matches("source:sha256:").count(), 3, "{}", traced.out);
    assert!(traced.out.contains("table:shop/orders@0"), "{}", traced.out);

    fs::write(shop.landing().join("b.csv"), "order,place\n1,EWR\n").unwrap();
    shop.apply("landing/*.csv", "newFiles");
    let changed = shop.wait(failed);
    assert!(message(&changed).contains("b.csv was changed after it was loaded"), "{changed}");
    shop.apply("landing", "full");
    let full = shop.wait(|status| status["rows"] == 19);
    assert_eq!((&full["files"], &full["version"]), (&3.into(), &2.into()));
    fs::write(shop.landing().join("d.csv"), "order\n1\n").unwrap();
    shop.apply("landing", "full");
    let lost = shop.wait(failed);
    assert!(message(&lost).contains("d.csv") && message(&lost).contains("column place (string) is missing"), "{lost}");
    assert_eq!(lost["rows"], 19, "the last version stays");
}

#[test]
fn a_path_leads_nowhere_else() {
    let mut shop = Shop::new();
    let _platform = shop.up();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.csv"), "order,place\n1,EWR\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), shop.landing().join("link.csv")).unwrap();
    shop.apply("landing/*.csv", "full");
    let linked = shop.wait(failed);
    assert!(message(&linked).contains("outside the folders") && message(&linked).contains("--source-root"), "{linked}");
    let upwards = shop.apply(&format!("{}/*/../landing/*.csv", shop.folder.path().display()), "full");
    assert_eq!(upwards.code, Some(3), "{upwards:?}");
    assert!(upwards.err.contains("spec.source.path") && upwards.err.contains("upwards"), "{upwards:?}");
}

/// Each round puts a file, has it looked at, and kills the platform somewhere in it.
#[test]
fn killed_while_it_loads_no_file_is_lost_or_there_twice() {
    let mut shop = Shop::new();
    shop.put("000.csv", 0);
    let mut random = SEED;
    let mut platform = shop.up();
    shop.apply("landing/*.csv", "newFiles");
    shop.wait(|status| status["rows"] == 9);
    const ROUNDS: u32 = 12;
    for round in 1..=ROUNDS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        shop.put(&format!("{round:03}.csv"), round * 9);
        let versions = commits(shop.home.path());
        shop.apply("landing/*.csv", "newFiles");
        // By turns at the first trace of the load, right after its commit, and at any time.
        let until = Instant::now() + Duration::from_millis(if round % 3 == 0 { (random >> 56) / 2 } else { 10_000 });
        while Instant::now() < until && commits(shop.home.path()) == versions {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(if round % 3 == 1 { random >> 50 } else { 0 }));
        platform.kill().unwrap();
        platform = shop.up();
    }
    let all = ROUNDS + 1;
    shop.apply("landing/*.csv", "newFiles");
    let status = shop.wait(|status| status["rows"] == all * 9 && status["files"] == all);
    assert_eq!(status["quarantined"], all);
    let version = status["version"].as_i64().unwrap();
    let traced = said(&mut bedplate(shop.home.path(), &["trace", &format!("table:shop/orders@{version}")]));
    assert_eq!(traced.out.matches("source:sha256:").count() as u32, all, "{}", traced.out);
    platform.kill().unwrap();
    assert_eq!(shop.orders("orders"), (0..all * 9).map(f64::from).collect::<Vec<_>>());
    assert_eq!(shop.orders("orders__quarantine"), vec![-1.0; all as usize]);
}

/// Commits of the table and its quarantine.
fn commits(home: &Path) -> usize {
    ["orders", "orders__quarantine"]
        .iter()
        .filter_map(|table| fs::read_dir(home.join("lake/shop").join(table).join("_delta_log")).ok())
        .map(Iterator::count)
        .sum()
}

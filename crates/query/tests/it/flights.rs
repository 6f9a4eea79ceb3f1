//! The example's own manifests on its own data: every dataset is ingested, every feature view's query runs.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Instant;

use bedplate_kinds::{DatasetSource, DatasetSpec, ExpectationSuiteSpec, FeatureViewSpec};
use bedplate_lake::quality::References;
use bedplate_query::{CancellationToken, Frame, Ingest, IngestReport, Lake, TableRef, Whose};
use bedplate_types::Digest;
use serde_json::Value;

fn folder() -> PathBuf {
    bedplate_testkit::in_crate("../../examples/flights")
}

fn specs<T: serde::de::DeserializeOwned>(file: &str) -> BTreeMap<String, T> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let named = objects.into_iter().map(|object| {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        (name, serde_json::from_value(object["spec"].clone()).unwrap())
    });
    named.collect()
}

async fn references(lake: &Lake, suite: Option<&ExpectationSuiteSpec>) -> References {
    let mut values = HashMap::new();
    for expectation in suite.iter().flat_map(|suite| &suite.expectations) {
        if let Some(wanted) = &expectation.check.references {
            let found = lake.values("flights", &wanted.dataset, &wanted.field).await.unwrap();
            values.insert((wanted.dataset.clone(), wanted.field.clone()), found);
        }
    }
    References { values, ..References::default() }
}

/// Flights come last: their suite refers to the others.
async fn ingest_all(lake: &Lake) -> BTreeMap<String, IngestReport> {
    let datasets: BTreeMap<String, DatasetSpec> = specs("10-datasets.yaml");
    let suites: BTreeMap<String, ExpectationSuiteSpec> = specs("20-expectations.yaml");
    let mut reports = BTreeMap::new();
    for name in ["airlines", "airports", "planes", "weather", "flights"] {
        let spec = &datasets[name];
        let suite = spec.suite.as_ref().map(|suite| &suites[suite]);
        let path = folder().join(&spec.source.path).to_string_lossy().into_owned();
        let spec = &DatasetSpec { source: DatasetSource::at(path), ..spec.clone() };
        let roots = [folder().canonicalize().unwrap()];
        let whose = Whose { namespace: "flights", name, object: "one", roots: &roots };
        let references = references(lake, suite).await;
        let start = Instant::now();
        let pending = lake.pending(whose, spec).await.unwrap();
        let ingest = Ingest {
            whose,
            spec,
            suite,
            references,
            pending,
            input_digest: Digest::from_sha256([1; 32]),
            cancel: CancellationToken::new(),
        };
        reports.insert(name.to_owned(), lake.ingest(ingest).await.unwrap());
        println!("{name}: {:?}", start.elapsed());
    }
    reports
}

fn table(name: &str) -> TableRef {
    TableRef { alias: name.into(), namespace: "flights".into(), name: name.into(), version: None }
}

async fn view(lake: &Lake, name: &str, view: &FeatureViewSpec) -> Frame {
    let tables: Vec<TableRef> = view.source.datasets.iter().map(|name| table(name)).collect();
    let start = Instant::now();
    let frame = lake.sql(&tables, &view.source.sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    println!("view {name}: {} rows in {:?}", frame.rows(), start.elapsed());
    frame
}

/// An aircraft is never in the air for longer than from gate to gate, so the arrival's instant must allow for it.
async fn check_known_at(lake: &Lake, history: &FeatureViewSpec) {
    let sql = history.source.sql.replace("arr_delay\nFROM legs", "arr_delay, air_time, elapsed\nFROM legs");
    assert_ne!(sql, history.source.sql);
    let sql = format!(
        "SELECT count(*) AS legs, count(air_time) AS flown, min(elapsed - air_time) AS taxi, max(elapsed) AS longest FROM ({sql})"
    );
    let frame = lake.sql(&[table("flights"), table("airports")], &sql).await.unwrap();
    let number = |column: &str| frame.f64(column).unwrap()[0];
    assert_eq!(number("legs"), 327_346.0);
    assert_eq!(number("flown"), 327_346.0);
    assert!(number("taxi") >= 0.0, "{}", number("taxi"));
    assert!(number("longest") < 1_000.0, "{}", number("longest"));
}

#[tokio::test]
async fn the_example_goes_in_and_its_views_can_be_queried() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path()).unwrap();
    let reports = ingest_all(&lake).await;
    let read: Vec<u64> = reports.values().map(|report| report.rows_read).collect();
    assert_eq!(read, [16, 1_458, 336_776, 3_322, 26_115], "airlines, airports, flights, planes, weather");
    for (name, report) in &reports {
        for outcome in report.outcomes.iter().filter(|outcome| outcome.failing > 0) {
            println!("{name}: {} {} {}", outcome.name, outcome.failing, outcome.detail);
        }
        assert_eq!(report.rows + report.quarantined, report.rows_read);
    }
    let outcome = |dataset: &str, name: &str| {
        reports[dataset].outcomes.iter().find(|outcome| outcome.name == name).unwrap().clone()
    };
    assert_eq!(outcome("weather", "plausible-wind").failing, 1);
    assert!(outcome("weather", "plausible-wind").detail.contains("wind_speed 1048."));
    assert_eq!(outcome("weather", "every-hour-is-there").detail, "EWR 27, JFK 24, LGA 24 hours missing");
    assert_eq!(outcome("flights", "arrived").failing, 9_430);

    let views: BTreeMap<String, FeatureViewSpec> = specs("40-feature-views.yaml");
    for (name, spec) in &views {
        let frame = view(&lake, name, spec).await;
        for feature in &spec.features {
            frame.f64(feature.source_column()).unwrap();
        }
        if let Some(time) = &spec.timestamp_column {
            assert!(frame.micros(time).unwrap().iter().all(Option::is_some));
        }
    }
    check_known_at(&lake, &views["aircraft-history"]).await;
}

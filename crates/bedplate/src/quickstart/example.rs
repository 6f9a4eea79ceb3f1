//! The use case that is built into the binary, written out for people to copy and change.

use std::path::{Path, PathBuf};

use bedplate_types::Problem;

use crate::home::unusable;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../../examples/flights/", $name)) as &[u8])),*]
    };
}

const FLIGHTS: &[(&str, &[u8])] = files![
    "00-namespace.yaml",
    "05-glossary.yaml",
    "10-datasets.yaml",
    "20-expectations.yaml",
    "30-entities.yaml",
    "40-feature-views.yaml",
    "50-feature-service.yaml",
    "60-training.yaml",
    "70-serving.yaml",
    "80-monitor.yaml",
    "data/airlines.parquet",
    "data/airports.parquet",
    "data/flights.parquet",
    "data/planes.parquet",
    "data/weather.parquet",
];

/// The folder of manifests: the one given, or the built-in one written below the home.
pub fn folder(home: &Path, given: Option<&Path>) -> Result<PathBuf, Problem> {
    match given {
        Some(folder) => folder.canonicalize().map_err(|error| unusable(folder, &error)),
        None => unpack(home),
    }
}

fn unpack(home: &Path) -> Result<PathBuf, Problem> {
    let folder = home.join("examples").join("flights");
    std::fs::create_dir_all(folder.join("data")).map_err(|error| unusable(&folder, &error))?;
    for (name, bytes) in FLIGHTS {
        let path = folder.join(name);
        if std::fs::read(&path).is_ok_and(|found| found == *bytes) {
            continue;
        }
        let temporary = path.with_extension("part");
        let written = std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, &path));
        written.map_err(|error| unusable(&path, &error))?;
    }
    folder.canonicalize().map_err(|error| unusable(&folder, &error))
}

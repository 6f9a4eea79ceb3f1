//! The floors of the house (ARCHITECTURE.md): imports run down, and pillars do not know each other or the outside world.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cargo::cargo;

/// Each crate's floor. A new crate is entered here, or the check fails.
const FLOORS: &[(u8, &[&str])] = &[
    (0, &["types", "kinds", "onnx", "sketches"]),
    (SPINE, &["db", "identity", "policy", "audit", "lineage", "ledger"]),
    (PILLARS, &["lake", "features", "catalogue", "tracking", "delivery", "trust", "fabric", "govern", "leader"]),
    (
        3,
        &[
            "allocator",
            "archive",
            "buckets",
            "objects",
            "query",
            "offline",
            "online",
            "parity",
            "statistics",
            "train",
            "infer",
            "exec",
            "search",
            "serving",
        ],
    ),
    (4, &["apiserver", "plan", "oip", "feast", "flight", "s3", "openlineage", "controllers", "console", "client"]),
    (5, &["bedplate"]),
];
const SPINE: u8 = 1;
const PILLARS: u8 = 2;

/// The edges on one floor that are meant, from and to.
const SIDEWAYS: &[(&str, &str)] = &[
    ("kinds", "types"),
    ("onnx", "types"),
    // The spine stands on its store.
    ("*spine", "db"),
    // Engines keep bytes through one port.
    ("*engine", "objects"),
    // A recipe proves that the written model scores as the trained one.
    ("train", "infer"),
    // Historical features are joined from the lake's tables as they are read.
    ("offline", "query"),
    // Whether both stores say the same is asked of both.
    ("parity", "offline"),
    ("parity", "online"),
    // The offline statistics are of the rows that the offline store reads.
    ("statistics", "offline"),
    // What is served is looked at where it is served.
    ("serving", "statistics"),
    // Serving puts features by key and a model's answer together; that is all it does.
    ("serving", "online"),
    ("serving", "infer"),
    // A plan is what the write path would do, asked of the write path itself.
    ("plan", "apiserver"),
];

/// What a pillar may not depend on: it decides over plain values.
const WORLD: &[&str] = &[
    "tokio",
    "axum",
    "hyper",
    "hyper-util",
    "tower",
    "reqwest",
    "rusqlite",
    "object_store",
    "datafusion",
    "deltalake-core",
    "fjall",
    "tokio-util",
    "tempfile",
    "tracing-subscriber",
    "bedplate-db",
];

/// Beside the floors: tools and tests, which may use anything; nothing may use them but in tests.
const BESIDE: &[&str] = &["bedplate-testkit", "bedplate-benches", "xtask"];

/// A crate and what it depends on outside its tests.
#[derive(Clone, Debug)]
struct Package {
    name: String,
    needs: Vec<String>,
}

pub fn run() -> Result<ExitCode> {
    let broken = broken(&packages()?);
    for line in &broken {
        println!("{line}");
    }
    println!("{}", if broken.is_empty() { "the floors hold" } else { "the floors do not hold" });
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every edge that breaks the rule, in words.
fn broken(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages.iter().filter(|package| !BESIDE.contains(&package.name.as_str())) {
        let Some(floor) = floor(&package.name) else {
            found.push(format!("{} stands on no floor: enter it in xtask/src/floors.rs", package.name));
            continue;
        };
        found.extend(package.needs.iter().filter_map(|needed| wrong(&package.name, floor, needed)));
    }
    found
}

fn wrong(name: &str, floor: u8, needed: &str) -> Option<String> {
    if floor == PILLARS && WORLD.contains(&needed) {
        return Some(format!("{name} -> {needed}: a pillar decides over plain values and knows no world outside"));
    }
    if BESIDE.contains(&needed) {
        return Some(format!("{name} -> {needed}: what is for tests is a dev-dependency"));
    }
    let below = self::floor(needed)?;
    if below > floor {
        return Some(format!("{name} (floor {floor}) -> {needed} (floor {below}): imports run down the floors only"));
    }
    (below == floor && !meant(name, floor, needed))
        .then(|| format!("{name} -> {needed}: both on floor {floor}, and the edge is not among those that are meant"))
}

fn meant(name: &str, floor: u8, needed: &str) -> bool {
    let group = match floor {
        SPINE => "*spine",
        3 => "*engine",
        _ => "",
    };
    SIDEWAYS.iter().any(|(from, to)| (*from == short(name) || *from == group) && *to == short(needed))
}

fn floor(name: &str) -> Option<u8> {
    let ours = name == "bedplate" || name.starts_with("bedplate-");
    FLOORS.iter().find(|(_, crates)| ours && crates.contains(&short(name))).map(|(floor, _)| *floor)
}

fn short(name: &str) -> &str {
    name.strip_prefix("bedplate-").unwrap_or(name)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// None for a normal dependency, else `dev` or `build`.
    kind: Option<String>,
}

fn packages() -> Result<Vec<Package>> {
    let mut cargo = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.output().context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata is not readable")?;
    Ok(metadata.packages.into_iter().map(package).collect())
}

fn package(found: MetadataPackage) -> Package {
    // A dependency named twice (normal and for a target) is one edge.
    let normal = found.dependencies.into_iter().filter(|need| need.kind.as_deref() != Some("dev"));
    let needs: BTreeMap<String, ()> = normal.map(|need| (need.name, ())).collect();
    Package { name: found.name, needs: needs.into_keys().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, needed: &str) -> Vec<String> {
        broken(&[Package { name: format!("bedplate-{name}"), needs: vec![needed.to_owned()] }])
    }

    #[test]
    fn the_house_stands() {
        let packages = packages().unwrap();
        assert!(packages.len() > 20, "the workspace was read");
        assert_eq!(broken(&packages), Vec::<String>::new());
    }

    #[test]
    fn an_edge_that_runs_up_is_found() {
        assert!(check("types", "bedplate-db")[0].contains("imports run down"));
        assert!(check("query", "bedplate-apiserver")[0].contains("imports run down"));
        assert!(check("audit", "bedplate-lake")[0].contains("imports run down"));
    }

    #[test]
    fn pillars_know_neither_each_other_nor_the_world() {
        assert_eq!(check("lake", "bedplate-features").len(), 1);
        for needed in ["tokio", "object_store", "bedplate-db"] {
            assert!(check("delivery", needed)[0].contains("pillar"), "{needed}");
        }
        assert!(check("query", "tokio").is_empty(), "engines may");
    }

    #[test]
    fn only_the_edges_that_are_meant_run_sideways() {
        assert!(check("audit", "bedplate-db").is_empty());
        assert!(check("query", "bedplate-objects").is_empty());
        assert_eq!(check("db", "bedplate-audit").len(), 1);
        assert_eq!(check("query", "bedplate-online").len(), 1);
        assert_eq!(check("console", "bedplate-apiserver").len(), 1);
    }

    #[test]
    fn a_crate_without_a_floor_and_a_test_crate_in_the_product_are_found() {
        assert!(check("utils", "bedplate-types")[0].contains("stands on no floor"));
        assert!(check("console", "bedplate-testkit")[0].contains("dev-dependency"));
    }
}

//! The platform with three views of one row an entity, materialised.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use bedplate_testkit::Server as Process;
use parquet::arrow::ArrowWriter;
use serde_json::Value;
use tempfile::TempDir;

use super::{Server, VIEWS, at_rest};
use crate::http1::{Connection, Target};
use crate::platform;

const NAMESPACE: &str = "default";
/// 1 November 2026.
const KNOWN: i64 = 1_793_491_200_000_000;
const LIMIT: Duration = Duration::from_secs(600);
/// Within half a minute the platform gives back what it does not use.
const GIVEN_BACK: Duration = Duration::from_secs(45);

/// In bytes.
#[derive(Clone, Copy)]
pub struct Memory {
    pub resident: u64,
    /// Without the pages of the program's file.
    pub own: u64,
}

impl Memory {
    /// When the process does nothing by itself and has given back what it does not use.
    pub fn at_rest(pid: u32) -> Result<Self> {
        at_rest(&[pid])?;
        std::thread::sleep(GIVEN_BACK);
        Ok(Self { resident: bedplate_testkit::resident(pid), own: bedplate_testkit::own_memory(pid) })
    }
}

pub struct Platform {
    pub server: Server,
    /// Before there was a view.
    pub idle: Memory,
    process: Process,
    home: TempDir,
}

impl Platform {
    /// Ended and started again on the same home, as a process that loads nothing.
    pub fn again(self, binary: &Path, folder: &Path) -> Result<Self> {
        drop(self.process);
        let platform::Platform { server: process, target } = up(binary, &self.home, folder)?;
        until_ready(&target)?;
        let server = Server { target, pids: vec![process.pid()], entities: self.server.entities };
        Ok(Self { server, process, ..self })
    }
}

fn up(binary: &Path, home: &TempDir, folder: &Path) -> Result<platform::Platform> {
    platform::up(binary, home.path(), home.path(), |command| {
        command.arg("--source-root").arg(folder);
    })
}

pub fn start(binary: &Path, folder: &Path, entities: usize) -> Result<Platform> {
    let home = tempfile::tempdir()?;
    for (view, key, features) in VIEWS {
        write(&folder.join(format!("{view}.parquet")), key, view, features, entities)?;
    }
    std::fs::write(folder.join("all.yaml"), manifests())?;
    let platform::Platform { server: process, target } = up(binary, &home, folder)?;
    let idle = Memory::at_rest(process.pid())?;
    let mut apply = Command::new(binary);
    apply.arg("--home").arg(home.path()).args(["apply", "-f"]).arg(folder.join("all.yaml"));
    let applied = apply.output()?;
    if !applied.status.success() {
        bail!("bedplate apply: {}", String::from_utf8_lossy(&applied.stderr));
    }
    until_ready(&target)?;
    let server = Server { target, pids: vec![process.pid()], entities };
    Ok(Platform { server, idle, process, home })
}

fn until_ready(target: &Target) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(await_ready(target))
}

async fn await_ready(target: &Target) -> Result<()> {
    let (mut connection, until) = (Connection::open(target).await?, Instant::now() + LIMIT);
    for (view, ..) in VIEWS {
        loop {
            let path = format!("/apis/bedplate.dev/v1alpha1/namespaces/{NAMESPACE}/featureviews/{view}");
            let found: Value = serde_json::from_slice(&connection.ask("GET", &path, String::new()).await?)?;
            match found["status"]["phase"].as_str() {
                Some("Ready") => break,
                Some("Failed") => bail!("view {view}: {}", found["status"]),
                _ if Instant::now() > until => bail!("view {view} is not ready: {}", found["status"]),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }
    Ok(())
}

fn write(path: &Path, key: &str, view: &str, features: usize, entities: usize) -> Result<()> {
    let ids = 0..i64::try_from(entities)?;
    let known = TimestampMicrosecondArray::from(vec![KNOWN; entities]).with_timezone("UTC");
    let mut columns: Vec<(String, ArrayRef)> = vec![
        (key.to_owned(), Arc::new(ids.clone().map(Some).collect::<Int64Array>())),
        ("at".to_owned(), Arc::new(known)),
    ];
    for feature in 0..features {
        let value = |id: i64| Some((id * 31 + feature as i64) as f64 / 7.0);
        columns.push((format!("{view}_f{feature}"), Arc::new(ids.clone().map(value).collect::<Float64Array>())));
    }
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

fn manifests() -> String {
    let mut all = Vec::new();
    for (view, key, features) in VIEWS {
        let names: Vec<String> = (0..features).map(|feature| format!("{view}_f{feature}")).collect();
        let columns: String = names.iter().map(|name| format!("\n  - {{name: {name}, type: float64}}")).collect();
        let features: String = names.iter().map(|name| format!("\n  - {{name: {name}}}")).collect();
        all.push(format!(
            "apiVersion: bedplate.dev/v1alpha1\nkind: Dataset\nmetadata: {{name: {view}}}\nspec:\n  owner: bench\n  classification: internal\n  source: {{path: {view}.parquet}}\n  timeColumn: at\n  schema:\n  - {{name: {key}, type: int64}}\n  - {{name: at, type: timestamp}}{columns}\n"
        ));
        all.push(format!(
            "apiVersion: bedplate.dev/v1alpha1\nkind: Entity\nmetadata: {{name: {view}}}\nspec: {{joinKeys: [{{name: {key}, type: int64}}]}}\n"
        ));
        all.push(format!(
            "apiVersion: bedplate.dev/v1alpha1\nkind: FeatureView\nmetadata: {{name: {view}}}\nspec:\n  owner: bench\n  entity: {view}\n  timestampColumn: at\n  pushSource: {view}\n  source: {{datasets: [{view}], sql: select * from {view}}}\n  features:{features}\n"
        ));
    }
    let views: Vec<String> = VIEWS.iter().map(|(view, ..)| format!("{{view: {view}}}")).collect();
    all.push(format!(
        "apiVersion: bedplate.dev/v1alpha1\nkind: FeatureService\nmetadata: {{name: all}}\nspec: {{owner: bench, views: [{}]}}\n",
        views.join(", ")
    ));
    all.join("---\n")
}

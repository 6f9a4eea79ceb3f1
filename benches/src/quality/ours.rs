//! Ours: the file in batches through the program of the suite, as an ingest does it, without writing the table.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use arrow::array::RecordBatchReader;
use bedplate_kinds::{DatasetSpec, ExpectationSuiteSpec};
use bedplate_lake::quality::{Program, References};
use bedplate_lake::schema::Conform;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

/// As `query::ingest` reads.
const BATCH_ROWS: usize = 8 * 1024;

/// Judges the file and prints what was spent from reading it to the last verdict, and what was found.
pub fn judge(file: &Path) -> Result<ExitCode> {
    let (used, began) = (cpu()?, Instant::now());
    let found = found(file)?;
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu()? - used);
    println!("{}", json!({ "cpu": cpu, "wall": wall, "peakMib": peak_mib()?, "found": found }));
    Ok(ExitCode::SUCCESS)
}

/// The failing rows of each expectation; the number of rows and the mean themselves.
pub fn found(file: &Path) -> Result<BTreeMap<String, f64>> {
    let (spec, suite) = (spec()?, suite()?);
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
    let reader = builder.with_batch_size(BATCH_ROWS).build()?;
    let conform = Conform::compile(&reader.schema(), &spec)?;
    let mut program = Program::compile(&suite, &spec, &References::default())?;
    for batch in reader {
        program.observe(&conform.apply(&batch?)?)?;
    }
    let told = program.finish().into_iter().map(|outcome| {
        let is_value = ["rows", "amount_mean"].contains(&outcome.name.as_str());
        let found = if is_value { outcome.value.unwrap_or(f64::NAN) } else { outcome.failing as f64 };
        (outcome.name, found)
    });
    Ok(told.collect())
}

fn spec() -> Result<DatasetSpec> {
    let column = |(name, kind): (&str, &str)| json!({ "name": name, "type": kind });
    let columns = [
        ("id", "int64"),
        ("amount", "float64"),
        ("quantity", "int32"),
        ("status", "string"),
        ("code", "string"),
        ("at", "timestamp"),
    ];
    let spec = json!({ "owner": "bench", "source": { "path": "orders.parquet" }, "schema": columns.map(column) });
    serde_json::from_value(spec).context("the dataset")
}

fn suite() -> Result<ExpectationSuiteSpec> {
    let expectation = |name: &str, check| json!({ "name": name, "check": check });
    let expectations = [
        expectation("id_null", json!({ "notNull": { "column": "id" } })),
        expectation("id_again", json!({ "unique": { "columns": ["id"] } })),
        json!({ "name": "amount_null", "severity": "warn", "mostly": 0.95, "check": { "notNull": { "column": "amount" } } }),
        expectation("amount_outside", json!({ "between": { "column": "amount", "min": 0, "max": 1000 } })),
        expectation("amount_mean", json!({ "mean": { "column": "amount", "min": 100, "max": 900 } })),
        expectation("quantity_outside", json!({ "between": { "column": "quantity", "min": 1, "max": 100 } })),
        expectation(
            "status_unknown",
            json!({ "oneOf": { "column": "status", "values": ["new", "paid", "sent", "done", "void"] } }),
        ),
        expectation("code_wrong", json!({ "matches": { "column": "code", "regex": "^[A-Z]{3}-[0-9]{4}$" } })),
        expectation("at_null", json!({ "notNull": { "column": "at" } })),
        expectation("rows", json!({ "rowCount": { "min": 1, "max": 100_000_000 } })),
    ];
    serde_json::from_value(json!({ "expectations": expectations })).context("the suite")
}

fn cpu() -> Result<f64> {
    bedplate_testkit::cpu_seconds(std::process::id()).context("the processor time")
}

/// The most memory that was resident, as proc(5) says.
fn peak_mib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("there is no VmHWM")?;
    let kib: f64 = line.split_whitespace().nth(1).context("VmHWM has no value")?.parse()?;
    Ok(kib / 1024.0)
}

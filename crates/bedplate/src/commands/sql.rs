//! `sql`: ask the datasets of a namespace.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::WriterBuilder as JsonBuilder;
use arrow::json::writer::LineDelimited;
use bedplate_client::{SqlAnswer, SqlQuery, rows_as_text};
use bedplate_types::{ErrorKind, Problem};
use clap::{Args, ValueEnum};

use super::connect::{asking, client, namespace, out};

/// Rows that a table shows when nobody says how many.
const SHOWN: usize = 1_000;
const WHAT: &str = "SQL";

/// Ask the datasets of a namespace in SQL: bedplate sql "select origin, count(*) from flights group by 1" -n flights
#[derive(Debug, Args)]
pub struct Sql {
    /// One SELECT, WITH, EXPLAIN, DESCRIBE or SHOW TABLES; - reads it from standard input. A dataset's hyphens are
    /// underscores: air_quality, or "air-quality" in quotes.
    #[arg(required_unless_present = "filename")]
    pub sql: Option<String>,
    /// Read the statement from a file.
    #[arg(short, long, value_name = "FILE", conflicts_with = "sql")]
    pub filename: Option<PathBuf>,
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// What the rows are read for, where the data may be used for some purposes only.
    #[arg(long)]
    pub purpose: Option<String>,
    /// The most rows; for a table 1000 when left out.
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<usize>,
    /// Where it runs, of what the platform was started with: local, or ballista://host:port.
    #[arg(long, value_name = "URL")]
    pub engine: Option<String>,
    #[arg(short, long, value_enum, default_value_t = Shape::Table)]
    pub output: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    Table,
    /// An object a line.
    Json,
    Csv,
    /// An IPC stream.
    Arrow,
}

pub async fn run(home: &Path, command: &Sql) -> Result<ExitCode, Problem> {
    let most = match command.output {
        Shape::Table => Some(command.limit.unwrap_or(SHOWN)),
        _ => command.limit,
    };
    // One more tells whether there are more.
    let limit = if command.output == Shape::Table { most.map(|most| most.saturating_add(1)) } else { most };
    let query = SqlQuery {
        namespace: namespace(home, command.namespace.as_deref())?,
        sql: statement(command)?,
        purpose: command.purpose.clone(),
        limit,
        engine: command.engine.clone(),
    };
    let mut answer = bedplate_client::sql(&client(home)?, &query).await.map_err(asking(WHAT))?;
    match command.output {
        Shape::Table => table(&mut answer, most.unwrap_or(SHOWN)).await?,
        shape => stream(&mut answer, shape).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn table(answer: &mut SqlAnswer, most: usize) -> Result<(), Problem> {
    let (mut batches, mut left, mut has_more) = (Vec::new(), most, false);
    while let Some(batch) = answer.next().await.map_err(asking(WHAT))? {
        has_more |= batch.num_rows() > left;
        let batch = batch.slice(0, batch.num_rows().min(left));
        left -= batch.num_rows();
        batches.push(batch);
    }
    let schema = answer.schema().unwrap_or_else(|| Schema::empty().into());
    let lines = rows_as_text(&schema, &batches).map_err(|error| unwritable(&error))?;
    let mut stdout = std::io::stdout().lock();
    out(lines.iter().try_for_each(|line| writeln!(stdout, "{line}")))?;
    let rows = most - left;
    let told = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    eprintln!("{told}{}", if has_more { ", and there are more: --limit ROWS, or -o csv for all" } else { "" });
    Ok(())
}

async fn stream(answer: &mut SqlAnswer, shape: Shape) -> Result<(), Problem> {
    let mut first = answer.next().await.map_err(asking(WHAT))?;
    let schema = answer.schema().unwrap_or_else(|| Schema::empty().into());
    let stdout = std::io::BufWriter::new(std::io::stdout());
    let mut writer = Writer::new(shape, stdout, &schema).map_err(|error| unwritable(&error))?;
    while let Some(batch) = first.take() {
        if !written(writer.write(&batch))? {
            return Ok(());
        }
        first = answer.next().await.map_err(asking(WHAT))?;
    }
    written(writer.end()).map(drop)
}

/// Whether somebody still reads it.
fn written(result: Result<(), ArrowError>) -> Result<bool, Problem> {
    match result {
        Ok(()) => Ok(true),
        Err(ArrowError::IoError(_, error)) => out::<()>(Err(error)).map(|done| done.is_some()),
        Err(ArrowError::ExternalError(error)) if is_broken_pipe(&*error) => Ok(false),
        Err(error) => Err(unwritable(&error)),
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

fn unwritable(error: &ArrowError) -> Problem {
    Problem::new(ErrorKind::Internal, "the rows", error.to_string())
}

enum Writer<W: Write> {
    Json(W),
    Csv(Box<arrow::csv::Writer<W>>),
    Arrow(Box<StreamWriter<W>>),
}

impl<W: Write> Writer<W> {
    fn new(shape: Shape, out: W, schema: &Schema) -> Result<Self, ArrowError> {
        Ok(match shape {
            Shape::Json | Shape::Table => Self::Json(out),
            Shape::Csv => {
                let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(out);
                // The header is there without rows too.
                writer.write(&RecordBatch::new_empty(schema.clone().into()))?;
                Self::Csv(Box::new(writer))
            }
            Shape::Arrow => Self::Arrow(Box::new(StreamWriter::try_new(out, schema)?)),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Self::Json(out) => {
                let mut writer = JsonBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
                writer.write(batch)?;
                writer.finish()?;
                Ok(out.write_all(&writer.into_inner())?)
            }
            Self::Csv(writer) => writer.write(batch),
            Self::Arrow(writer) => writer.write(batch),
        }
    }

    fn end(self) -> Result<(), ArrowError> {
        match self {
            Self::Json(mut out) => Ok(out.flush()?),
            Self::Csv(writer) => Ok(writer.into_inner().flush()?),
            Self::Arrow(mut writer) => {
                writer.finish()?;
                Ok(writer.get_mut().flush()?)
            }
        }
    }
}

fn statement(command: &Sql) -> Result<String, Problem> {
    match (&command.sql, &command.filename) {
        (Some(sql), _) if sql != "-" => Ok(sql.clone()),
        (_, Some(path)) => std::fs::read_to_string(path).map_err(|error| crate::home::unusable(path, &error)),
        _ => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| crate::home::unusable(Path::new("-"), &error))?;
            Ok(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[track_caller]
    fn check(shape: Shape, batches: &[RecordBatch], expect: &str) {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(shape, &mut bytes, &batch().schema()).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.end().unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expect);
    }

    fn batch() -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable([
            ("name", Arc::new(StringArray::from(vec![Some("a,b"), None])) as _, true),
            ("n", Arc::new(Int64Array::from(vec![1, 2])) as _, true),
        ])
        .unwrap()
    }

    #[test]
    fn rows_are_written_batch_after_batch() {
        check(Shape::Csv, &[batch(), batch()], "name,n\n\"a,b\",1\n,2\n\"a,b\",1\n,2\n");
        check(Shape::Csv, &[], "name,n\n");
        check(Shape::Json, &[batch()], "{\"name\":\"a,b\",\"n\":1}\n{\"name\":null,\"n\":2}\n");
    }
}

//! Keeps a table whole until it is read again: a small one in memory, a larger one in a file without a name, which is gone
//! with whoever reads it.

use std::io::{BufReader, Seek};
use std::path::Path;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bedplate_types::{ErrorKind, Problem};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tempfile::{SpooledTempFile, spooled_tempfile_in};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::{FRAME_LIMIT, FRAME_MEMORY, Table};
use crate::error::FeastError;

/// Rows that are read back at once: whoever joins them may stop after any of them.
const BATCH_ROWS: usize = 16 * 1024;
/// Batches that wait for who reads them.
const WAITING: usize = 2;

/// # Errors
/// [`FeastError::FrameTooLarge`]; what the rows fail of; when the disk fails.
pub(super) async fn keep(
    scratch: &Path,
    schema: SchemaRef,
    mut rows: BoxStream<'static, Result<RecordBatch, FeastError>>,
) -> Result<Table, FeastError> {
    let file = spooled_tempfile_in(FRAME_MEMORY, scratch);
    let mut writer = StreamWriter::try_new(file, &schema).map_err(|error| failed(&error))?;
    let mut bytes = 0;
    while let Some(batch) = rows.next().await.transpose()? {
        bytes += size(&batch);
        if bytes > FRAME_LIMIT {
            return Err(FeastError::FrameTooLarge);
        }
        writer = off(move || write(writer, &batch)).await?;
    }
    let file = off(move || {
        let mut file = writer.into_inner()?;
        file.rewind()?;
        Ok(file)
    });
    Ok(Table { schema, rows: read(file.await?) })
}

/// What its rows take, and not what they may share with others.
fn size(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(column.get_array_memory_size())).sum()
}

type Writer = StreamWriter<SpooledTempFile>;

fn write(mut writer: Writer, batch: &RecordBatch) -> Result<Writer, ArrowError> {
    for at in (0..batch.num_rows()).step_by(BATCH_ROWS) {
        writer.write(&batch.slice(at, BATCH_ROWS.min(batch.num_rows() - at)))?;
    }
    Ok(writer)
}

async fn off<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArrowError> + Send + 'static,
) -> Result<T, FeastError> {
    match spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed(&error)),
        Err(error) => Err(problem(&error.to_string()).into()),
    }
}

/// Rows, or `None` when there are no more: rows without it may be missing some.
type Step = Result<Option<RecordBatch>, Problem>;

fn read(file: SpooledTempFile) -> BoxStream<'static, Result<RecordBatch, Problem>> {
    let (send, steps) = mpsc::channel::<Step>(WAITING);
    spawn_blocking(move || {
        let read = StreamReader::try_new(BufReader::new(file), None).map(|batches| {
            batches.map(|batch| batch.map(Some)).chain([Ok(None)]).try_for_each(|step| {
                let failed = step.is_err();
                let gone = send.blocking_send(step.map_err(|error| problem(&error.to_string()))).is_err();
                if gone || failed { Err(()) } else { Ok(()) }
            })
        });
        if let Err(error) = read {
            // Nobody may be there any more.
            let _ = send.blocking_send(Err(problem(&error.to_string())));
        }
    });
    stream::unfold(Some(steps), next).boxed()
}

type Steps = Option<mpsc::Receiver<Step>>;

async fn next(steps: Steps) -> Option<(Result<RecordBatch, Problem>, Steps)> {
    let mut steps = steps?;
    match steps.recv().await {
        Some(Ok(Some(batch))) => Some((Ok(batch), Some(steps))),
        Some(Ok(None)) => None,
        Some(Err(problem)) => Some((Err(problem), None)),
        None => Some((Err(problem("reading it back ended early")), None)),
    }
}

fn failed(error: &ArrowError) -> FeastError {
    problem(&error.to_string()).into()
}

fn problem(why: &str) -> Problem {
    Problem::new(ErrorKind::Internal, "keeping the frame", why)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};
    use arrow::compute::concat_batches;
    use futures::TryStreamExt;

    use super::*;

    fn batch(from: i64, rows: i64) -> RecordBatch {
        let numbers: ArrayRef = Arc::new((from..from + rows).collect::<Int64Array>());
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    }

    async fn kept(batches: Vec<RecordBatch>) -> Vec<RecordBatch> {
        let folder = tempfile::tempdir().unwrap();
        let schema = batch(0, 1).schema();
        let rows = stream::iter(batches.into_iter().map(Ok)).boxed();
        let table = keep(folder.path(), schema, rows).await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
        table.rows.try_collect().await.unwrap()
    }

    #[tokio::test]
    async fn what_is_larger_than_memory_comes_back_in_order_and_in_small_pieces() {
        let rows = FRAME_MEMORY as i64 / 8;
        let pieces = kept(vec![batch(0, rows), batch(rows, 7), batch(rows + 7, 0)]).await;
        assert!(pieces.iter().all(|piece| piece.num_rows() <= BATCH_ROWS));
        assert_eq!(concat_batches(&pieces[0].schema(), &pieces).unwrap(), batch(0, rows + 7));
        assert!(kept(Vec::new()).await.is_empty());
    }
}

//! The thread that encodes, one row group at a time.

use std::io::Write;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use arrow::array::RecordBatch;
use parquet::errors::ParquetError;

use super::row_group::Encoder;

/// Dropped, it waits for the group that is being encoded.
pub(super) struct Background<W: Write + Send + 'static> {
    groups: Option<SyncSender<Vec<RecordBatch>>>,
    thread: Option<JoinHandle<Result<Encoder<W>, ParquetError>>>,
}

impl<W: Write + Send + 'static> Background<W> {
    pub fn start(mut encoder: Encoder<W>) -> Result<Self, ParquetError> {
        // A group is handed from thread to thread: none waits in between.
        let (groups, handed) = mpsc::sync_channel::<Vec<RecordBatch>>(0);
        let encode = move || {
            for group in handed {
                encoder.encode(&group)?;
            }
            Ok(encoder)
        };
        let thread = thread::Builder::new().name("parquet".into()).spawn(encode)?;
        Ok(Self { groups: Some(groups), thread: Some(thread) })
    }

    /// Waits until the group before it is encoded.
    pub fn encode(self, group: Vec<RecordBatch>) -> Result<Self, ParquetError> {
        match self.groups.as_ref().map(|groups| groups.send(group)) {
            Some(Ok(())) => Ok(self),
            // It ended before it was told to, which it does for an error alone.
            _ => Err(self.end().err().unwrap_or_else(stopped)),
        }
    }

    pub fn end(mut self) -> Result<Encoder<W>, ParquetError> {
        self.groups = None;
        let ended = self.thread.take().map(JoinHandle::join);
        ended.and_then(Result::ok).unwrap_or_else(|| Err(stopped()))
    }
}

impl<W: Write + Send + 'static> Drop for Background<W> {
    fn drop(&mut self) {
        self.groups = None;
        if let Some(thread) = self.thread.take() {
            // Nobody wants what it made.
            let _ = thread.join();
        }
    }
}

pub(super) fn stopped() -> ParquetError {
    ParquetError::General("the thread that writes the file stopped".into())
}

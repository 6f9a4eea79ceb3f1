//! What comes of a statement, as it comes.

use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::ReadError;

/// Rows on their way. Whoever drops it ends the statement.
pub struct Answer {
    pub schema: SchemaRef,
    batches: Pin<Box<dyn Stream<Item = Result<RecordBatch, ReadError>> + Send>>,
}

/// Rows, or `None` when there are no more.
pub(super) type Step = Result<Option<RecordBatch>, ReadError>;

impl Answer {
    /// One that is known without a statement.
    #[must_use]
    pub fn of(batch: RecordBatch) -> Self {
        let schema = batch.schema();
        Self { schema, batches: Box::pin(stream::iter([Ok(batch)])) }
    }

    pub(super) fn running(schema: SchemaRef, steps: mpsc::Receiver<Step>) -> Self {
        let batches = stream::unfold(Some(steps), async |steps| {
            let mut steps = steps?;
            match steps.recv().await {
                Some(Ok(Some(batch))) => Some((Ok(batch), Some(steps))),
                Some(Ok(None)) => None,
                Some(Err(error)) => Some((Err(error), None)),
                // Whatever ended it said nothing: rows may be missing.
                None => Some((Err(ReadError::Ended), None)),
            }
        });
        // It may be asked again after its end: see `begun`.
        Self { schema, batches: Box::pin(batches.fuse()) }
    }

    /// Waits for the first rows, so that what fails at once is known before anything is told.
    ///
    /// # Errors
    /// What the statement failed of.
    pub async fn begun(mut self) -> Result<Self, ReadError> {
        let first = self.batches.next().await.transpose()?;
        self.batches = Box::pin(stream::iter(first.map(Ok)).chain(self.batches));
        Ok(self)
    }
}

impl Stream for Answer {
    type Item = Result<RecordBatch, ReadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.as_mut().poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    #[track_caller]
    fn check(steps: Vec<Step>, expect: &[bool]) {
        let schema = batch().schema();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let told = runtime.block_on(async {
            let (send, receive) = mpsc::channel(9);
            for step in steps {
                send.try_send(step).unwrap();
            }
            drop(send);
            Answer::running(schema, receive).map(|batch| batch.is_ok()).collect::<Vec<_>>().await
        });
        assert_eq!(told, expect);
    }

    fn batch() -> RecordBatch {
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1])) as _)]).unwrap()
    }

    #[test]
    fn an_answer_without_rows_has_begun_and_ended() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let rows = runtime.block_on(async {
            let (send, receive) = mpsc::channel(1);
            send.try_send(Ok(None)).unwrap();
            let answer = Answer::running(batch().schema(), receive).begun().await.unwrap();
            answer.collect::<Vec<_>>().await.len()
        });
        assert_eq!(rows, 0);
    }

    #[test]
    fn an_answer_that_breaks_off_does_not_look_whole() {
        let rows = || Ok(Some(batch()));
        check(vec![rows(), rows(), Ok(None)], &[true, true]);
        check(vec![rows()], &[true, false]);
        check(vec![rows(), Err(ReadError::Slow { seconds: 1 })], &[true, false]);
        check(vec![], &[false]);
    }
}

//! What a client sends up: a command, and a table behind it.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::root_as_message;
use arrow_flight::FlightData;
use arrow_flight::decode::{DecodedFlightData, DecodedPayload, FlightDataDecoder};
use arrow_flight::error::FlightError;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use tonic::{Code, Status};

use super::FRAME_TIME;
use crate::error::FeastError;

/// What Feast's client sends where a table is wanted and there is none: a column of this name and nothing of worth.
const NO_FRAME: &str = "key";

/// The messages of one call.
pub(super) type Messages = BoxStream<'static, Result<FlightData, Status>>;

/// A call whose command is known.
pub(super) struct Upload {
    pub command: Vec<u8>,
    messages: Messages,
}

/// The table of a call.
pub(super) struct Frame {
    pub schema: SchemaRef,
    pub rows: BoxStream<'static, Result<RecordBatch, FeastError>>,
}

impl Upload {
    /// # Errors
    /// When the first message does not come, or is none.
    pub async fn begun(mut messages: Messages) -> Result<Self, FeastError> {
        let first = in_time(messages.try_next()).await?.map_err(|error| broken(&error))?;
        let first = first.ok_or_else(|| FeastError::body("command", "is missing: nothing was sent"))?;
        let command = first.flight_descriptor.as_ref().map(|descriptor| descriptor.cmd.to_vec()).unwrap_or_default();
        Ok(Self { command, messages: stream::iter([Ok(first)]).chain(messages).boxed() })
    }

    /// # Errors
    /// When no table begins.
    pub async fn frame(self) -> Result<Frame, FeastError> {
        // The descriptor may come by itself.
        let messages = self.messages.try_filter(|message| std::future::ready(!message.data_header.is_empty()));
        let messages = messages.map_err(FlightError::from).and_then(|message| std::future::ready(plain(message)));
        let mut decoder = FlightDataDecoder::new(messages);
        let schema = loop {
            match decoder.next().await {
                Some(Ok(DecodedFlightData { payload: DecodedPayload::Schema(schema), .. })) => break schema,
                Some(Ok(DecodedFlightData { payload: DecodedPayload::None, .. })) => {}
                Some(Err(error)) => return Err(unreadable(error)),
                Some(Ok(_)) | None => return Err(FeastError::body("frame", "has no schema")),
            }
        };
        let rows = decoder.map_err(unreadable).try_filter_map(async |decoded| match decoded.payload {
            DecodedPayload::RecordBatch(batch) => Ok(Some(batch)),
            DecodedPayload::None => Ok(None),
            DecodedPayload::Schema(_) => Err(FeastError::body("frame", "has a second schema")),
        });
        Ok(Frame { schema, rows: rows.boxed() })
    }

    /// Hears the client out, who listens only when it has said everything.
    pub async fn end(mut self) {
        hear_out(&mut self.messages).await;
    }
}

impl Frame {
    /// As [`Upload::end`].
    pub async fn end(mut self) {
        hear_out(&mut self.rows).await;
    }
}

/// Until it ends, fails, or has taken too long.
async fn hear_out<T, E>(said: &mut BoxStream<'static, Result<T, E>>) {
    let all = async { while let Some(Ok(_)) = said.next().await {} };
    // What is said so late is not waited for.
    let _ = in_time(all).await;
}

/// # Errors
/// [`FeastError::FrameTooSlow`]
pub(super) async fn in_time<T>(coming: impl Future<Output = T>) -> Result<T, FeastError> {
    tokio::time::timeout(FRAME_TIME, coming).await.map_err(|_| FeastError::FrameTooSlow)
}

/// Whether it is what is sent in place of a frame.
pub(super) fn is_no_frame(schema: &Schema) -> bool {
    matches!(schema.fields().as_ref(), [only] if only.name() == NO_FRAME)
}

/// What is packed may become larger than any limit: Feast's client packs nothing.
fn plain(message: FlightData) -> Result<FlightData, FlightError> {
    // One that is no message at all the decoder tells.
    let is_packed = root_as_message(&message.data_header).is_ok_and(|message| {
        let dictionary = || message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
        let batch = message.header_as_record_batch().or_else(dictionary);
        batch.is_some_and(|batch| batch.compression().is_some())
    });
    if is_packed { Err(FlightError::DecodeError("it is compressed: send it as it is".into())) } else { Ok(message) }
}

fn unreadable(error: FlightError) -> FeastError {
    match error {
        FlightError::Tonic(status) => broken(&status),
        other => FeastError::body("frame", format!("cannot be read: {}", other.to_string().trim())),
    }
}

fn broken(status: &Status) -> FeastError {
    match status.code() {
        Code::OutOfRange => FeastError::MessageTooLarge,
        _ => FeastError::body("frame", format!("ended early: {}", status.message())),
    }
}

//! Bytes on their way in: counted, hashed and written in pieces, so that no object is held in memory.

use std::time::Duration;

use bedplate_buckets::{BlobWriter, Blobs, Piece};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, s3_error};

use crate::checks::{Checked, Checks};
use crate::error::{internal, of_bucket};

/// What one request may put: an object, or a part of one.
pub(crate) const MOST: u64 = 5 << 30;
/// What is written at once.
const CHUNK: usize = 256 << 10;
/// What is taken of a body after it was refused.
const DRAINED: usize = 64 << 20;
/// Who sends nothing more for so long after a refusal has heard it, or will not.
const DRAIN_IDLE: Duration = Duration::from_secs(5);
/// A client that sends nothing for so long is gone.
const IDLE: Duration = Duration::from_secs(60);

/// Bytes that are on the disk and what the client said they are; they count once a row names them.
pub(crate) struct Received {
    pub piece: Piece,
    pub checked: Checked,
    /// All of them, where they were to be kept.
    pub kept: Bytes,
}

/// `keep`: so many bytes are to be held in memory as well, and there may not be more.
///
/// Who is still sending when the connection is closed does not hear why: what is left of a body that is refused is taken and
/// thrown away.
pub(crate) async fn receive(
    blobs: &Blobs,
    name: String,
    body: Option<StreamingBlob>,
    checks: Checks,
    keep: Option<usize>,
) -> S3Result<Received> {
    let mut body = body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let received = take(blobs, name, &mut body, checks, keep).await;
    if received.is_err() {
        drain(&mut body).await;
    }
    received
}

async fn take(
    blobs: &Blobs,
    name: String,
    body: &mut StreamingBlob,
    checks: Checks,
    keep: Option<usize>,
) -> S3Result<Received> {
    let mut inflow = Inflow { writer: open(blobs, &name).await?, checks };
    let (mut chunk, mut kept, mut size) = (BytesMut::new(), BytesMut::new(), 0_u64);
    loop {
        let next = tokio::time::timeout(IDLE, body.next()).await;
        let next = next.map_err(|_| s3_error!(RequestTimeout, "nothing came for {} s", IDLE.as_secs()))?;
        let Some(bytes) = next else { break };
        let bytes = bytes.map_err(|error| cut_off(&error))?;
        size += bytes.len() as u64;
        if size > keep.map_or(MOST, |most| most as u64) {
            return Err(too_large(keep));
        }
        if keep.is_some() {
            kept.extend_from_slice(&bytes);
        }
        chunk.extend_from_slice(&bytes);
        if chunk.len() >= CHUNK {
            inflow = inflow.write(chunk.split().freeze()).await?;
        }
    }
    inflow = inflow.write(chunk.freeze()).await?;
    let (size, checked) = inflow.finish().await?;
    Ok(Received { piece: Piece { blob: name, size }, checked, kept: kept.freeze() })
}

/// Ends with what was cut off, or silent for a while.
async fn drain(body: &mut StreamingBlob) {
    let mut left = DRAINED;
    while let Ok(Some(Ok(bytes))) = tokio::time::timeout(DRAIN_IDLE, body.next()).await {
        left = left.saturating_sub(bytes.len());
        if left == 0 {
            return;
        }
    }
}

/// One that says its length beforehand need not be read to be refused.
pub(crate) fn check_length(length: Option<i64>) -> S3Result<()> {
    let length = length.map_or(0, |length| u64::try_from(length).unwrap_or(u64::MAX));
    if length > MOST { Err(too_large(None)) } else { Ok(()) }
}

fn too_large(keep: Option<usize>) -> S3Error {
    let most = keep.map_or(MOST, |most| most as u64);
    s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size of {most} bytes")
}

/// A chunk whose signature is wrong, or the end of the connection.
fn cut_off(error: &s3s::StdError) -> S3Error {
    let told = error.to_string();
    tracing::debug!(error = %told, "an upload was cut off");
    let is_forged = ["SignatureMismatch", "Sha256Mismatch", "InvalidChecksum"].iter().any(|word| told.contains(word));
    if is_forged {
        s3_error!(BadDigest, "the bytes are not those that were signed")
    } else {
        s3_error!(IncompleteBody, "the request ended before all of its bytes came")
    }
}

struct Inflow {
    writer: BlobWriter,
    checks: Checks,
}

impl Inflow {
    async fn write(mut self, bytes: Bytes) -> S3Result<Self> {
        blocking(move || {
            self.checks.update(&bytes);
            self.writer.write(&bytes).map_err(|error| of_bucket(&error))?;
            Ok(self)
        })
        .await
    }

    /// The checks first: what is not what the client said never gets a name.
    async fn finish(self) -> S3Result<(u64, Checked)> {
        let checked = self.checks.finish()?;
        let writer = self.writer;
        let size = blocking(move || writer.finish().map_err(|error| of_bucket(&error))).await?;
        Ok((size, checked))
    }
}

async fn open(blobs: &Blobs, name: &str) -> S3Result<BlobWriter> {
    let (blobs, name) = (blobs.clone(), name.to_owned());
    blocking(move || blobs.writer(&name).map_err(|error| of_bucket(&error))).await
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> S3Result<T> + Send + 'static) -> S3Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| internal(&error))?
}

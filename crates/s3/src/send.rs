//! Bytes on their way out: the files of an object one after the other, from the first byte wanted to the last.

use std::io::SeekFrom;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use bedplate_buckets::{Blobs, Object, Piece};
use bytes::Bytes;
use s3s::dto::{StreamingBlob, Timestamp};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

const CHUNK: usize = 256 << 10;
/// Chunks that are read ahead of the client.
const AHEAD: usize = 2;

/// The bytes of the object in this range, which lies within it.
pub(crate) fn body(blobs: &Blobs, object: &Object, wanted: Range<u64>) -> StreamingBlob {
    let (send, receive) = mpsc::channel(AHEAD);
    let (blobs, shares) = (blobs.clone(), shares(&object.pieces, wanted));
    tokio::spawn(async move {
        for (piece, share) in shares {
            if let Err(error) = copy(&blobs, &piece, share, &send).await {
                tracing::error!(%error, file = piece.blob, "an object could not be read to its end");
                let _ = send.send(Err(error)).await;
                return;
            }
        }
    });
    StreamingBlob::wrap(ReceiverStream::new(receive))
}

type Sender = mpsc::Sender<std::io::Result<Bytes>>;

async fn copy(blobs: &Blobs, piece: &Piece, share: Range<u64>, send: &Sender) -> std::io::Result<()> {
    let (blobs, name) = (blobs.clone(), piece.blob.clone());
    let opened = tokio::task::spawn_blocking(move || blobs.read(&name)).await.map_err(std::io::Error::other)?;
    let mut file = tokio::fs::File::from_std(opened.map_err(std::io::Error::other)?);
    file.seek(SeekFrom::Start(share.start)).await?;
    let mut left = share.end - share.start;
    while left > 0 {
        let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
        let read = file.read(&mut chunk).await?;
        if read == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the file is shorter than it was"));
        }
        chunk.truncate(read);
        left -= read as u64;
        if send.send(Ok(chunk.into())).await.is_err() {
            // Nobody is there to take it.
            return Ok(());
        }
    }
    Ok(())
}

/// What of each file is wanted.
pub(crate) fn shares(pieces: &[Piece], wanted: Range<u64>) -> Vec<(Piece, Range<u64>)> {
    let mut begin = 0;
    let mut shares = Vec::new();
    for piece in pieces {
        let end = begin + piece.size;
        let (from, to) = (wanted.start.max(begin), wanted.end.min(end));
        if from < to {
            shares.push((piece.clone(), from - begin..to - begin));
        }
        begin = end;
    }
    shares
}

pub(crate) fn moment(at: bedplate_types::Timestamp) -> Timestamp {
    let since = Duration::from_micros(u64::try_from(at.micros()).unwrap_or_default());
    Timestamp::from(SystemTime::UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_takes_its_share_of_each_file() {
        let piece = |blob: &str, size| Piece { blob: blob.into(), size };
        let pieces = [piece("a", 5), piece("b", 0), piece("c", 3)];
        let check = |wanted: Range<u64>, expect: &[(&str, Range<u64>)]| {
            let shares = shares(&pieces, wanted);
            let shares: Vec<_> = shares.iter().map(|(piece, share)| (piece.blob.as_str(), share.clone())).collect();
            assert_eq!(shares, expect);
        };
        check(0..8, &[("a", 0..5), ("c", 0..3)]);
        check(4..6, &[("a", 4..5), ("c", 0..1)]);
        check(6..7, &[("c", 1..2)]);
        check(0..0, &[]);
    }
}

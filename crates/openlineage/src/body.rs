//! Reading a request's body, which may be compressed, and no more of it than is allowed.

use std::io::Read;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;

use crate::error::Failure;
use crate::part::Invalid;
use crate::{BODY_LIMIT, INFLATED_LIMIT};

/// The text of the body.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<String, Failure> {
    let gzip = is_gzip(headers)?;
    let bytes = to_bytes(body, BODY_LIMIT).await.map_err(unread)?;
    let bytes = if gzip { inflate(&bytes)? } else { bytes.to_vec() };
    String::from_utf8(bytes).map_err(|_| Invalid::new("body", "is not UTF-8").into())
}

fn unread(error: axum::Error) -> Failure {
    let cause = error.into_inner();
    if cause.is::<http_body_util::LengthLimitError>() {
        return Failure::TooLarge(BODY_LIMIT);
    }
    Invalid::new("body", format!("could not be read: {cause}")).into()
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, Invalid> {
    let Some(encoding) = headers.get(header::CONTENT_ENCODING) else { return Ok(false) };
    match encoding.to_str().map(str::to_ascii_lowercase).as_deref() {
        Ok("gzip" | "x-gzip") => Ok(true),
        Ok("identity" | "") => Ok(false),
        _ => Err(Invalid::new("Content-Encoding", "must be gzip or identity")),
    }
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut inflated = Vec::new();
    // One byte more than is allowed, and the bomb is known for one without being unpacked.
    let mut limited = MultiGzDecoder::new(bytes).take(INFLATED_LIMIT as u64 + 1);
    limited.read_to_end(&mut inflated).map_err(|why| Invalid::new("body", format!("is not gzip: {why}")))?;
    if inflated.len() > INFLATED_LIMIT { Err(Failure::TooLarge(INFLATED_LIMIT)) } else { Ok(inflated) }
}

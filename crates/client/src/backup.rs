//! A backup of the running platform, as it sends it.

use std::io::Write;

use http_body_util::BodyExt;
use kube::Client;

use crate::error::{ClientError, causes};
use crate::request::{JSON, query, refusal, request};

/// The header that says, in words, what is not in the archive.
pub const LEFT_OUT: &str = "bedplate-left-out";

/// Writes the archive to `out` as it comes. Whether it is whole only its own end tells: check it. Returns what is told of what
/// is not in it.
///
/// # Errors
/// What the platform refuses with; [`ClientError::Answer`] when the answer ends early or `out` fails.
pub async fn backup(client: &Client, with_keys: bool, out: &mut impl Write) -> Result<Option<String>, ClientError> {
    let keys = if with_keys { "true" } else { "false" };
    let path = format!("/bedplate/v1/backup{}", query(&[("keys", Some(keys))]));
    let what = format!("POST {path}");
    let asked = request("POST", &path, JSON, Vec::new())?;
    let answer =
        client.send(asked.map(kube::client::Body::from)).await.map_err(|error| ClientError::of(&what, error))?;
    let status = answer.status();
    let left_out = answer.headers().get(LEFT_OUT).and_then(|told| told.to_str().ok()).map(str::to_owned);
    let mut body = answer.into_body();
    if !status.is_success() {
        let told = body.collect().await.map(|told| told.to_bytes()).unwrap_or_default();
        return Err(refusal(what, status.as_u16(), &told));
    }
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ClientError::Answer { what: what.clone(), why: causes(&error) })?;
        if let Some(piece) = frame.data_ref() {
            out.write_all(piece).map_err(|error| ClientError::Answer { what: what.clone(), why: error.to_string() })?;
        }
    }
    Ok(left_out)
}

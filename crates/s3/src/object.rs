//! Putting and getting one object.

use bedplate_buckets::{NewObject, Object};
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde_json::json;

use crate::about::{about, refuse, refuse_what_is_not_here, told};
use crate::checks::{Checks, expected};
use crate::condition::{Reading, of_write};
use crate::error::{invalid, no_key, not_here, of_problem};
use crate::receive::{check_length, receive};
use crate::service::Store;
use crate::{Put, send};

/// The largest object that a registry looks at.
const LARGEST_SEEN: usize = 16 << 20;

pub(crate) async fn put(store: &Store, request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    let by = store.by(&request)?;
    let trailer = request.headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (input, trailing) = (request.input, request.trailing_headers);
    refuse_what_is_not_here!(input)?;
    refuse(&[("appends", input.write_offset_bytes.is_some())])?;
    is_key(&input.key)?;
    check_length(input.content_length)?;
    let condition = of_write(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let about = about!(input)?;
    let checks = Checks::new(expected!(input), input.content_md5.clone(), trailer.as_deref(), trailing)?;
    let bucket = store.bucket(&input.bucket).await?;
    let registry = store.registry_of(&input.key);
    let keep = registry.is_some().then_some(LARGEST_SEEN);
    let received = receive(&store.parts.blobs, store.new_name()?, input.body, checks, keep).await?;
    let seen = match registry {
        None => None,
        Some(registry) => {
            let put = Put { namespace: &bucket.name, key: &input.key, bytes: received.kept };
            Some(registry.put(&by.caller, put).await.map_err(|problem| of_problem(&problem))?)
        }
    };
    let (etag, checksums) = (received.checked.md5, received.checked.checksums);
    let new = NewObject {
        bucket: bucket.id,
        key: input.key,
        etag: etag.clone(),
        about: bedplate_buckets::About { checksums: checksums.clone(), ..about },
        pieces: vec![received.piece.clone()],
    };
    let (size, file) = (received.piece.size, received.piece.blob);
    store
        .write(move |tx| {
            let before = bedplate_buckets::put(tx, &new, &condition, by.at)?;
            by.stored(tx, &bucket.name, &file, size)?;
            let detail = json!({ "bytes": size, "etag": new.etag, "replaced": before.map(|before| before.etag) });
            by.leaf(tx, "put", &format!("{}/{}", bucket.name, new.key), detail)
        })
        .await?;
    drop(seen);
    let sum = |name: &str| checksums.get(name).cloned();
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(etag)),
        checksum_crc32: sum("crc32"),
        checksum_crc32c: sum("crc32c"),
        checksum_crc64nvme: sum("crc64nvme"),
        checksum_sha1: sum("sha1"),
        checksum_sha256: sum("sha256"),
        ..Default::default()
    })
}

/// XML has no way to tell of other keys.
pub(crate) fn is_key(key: &str) -> S3Result<()> {
    if key.chars().any(char::is_control) { Err(invalid("a key may not have control characters")) } else { Ok(()) }
}

pub(crate) async fn get(store: &Store, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let is_customer = input.sse_customer_key.is_some();
    refuse(&[("encryption keys", is_customer), ("parts of objects", input.part_number.is_some())])?;
    let object = find(store, &input.bucket, &input.key, input.version_id.as_deref()).await?;
    let reading = Reading {
        is: input.if_match.as_ref(),
        is_not: input.if_none_match.as_ref(),
        modified_since: input.if_modified_since.as_ref(),
        unmodified_since: input.if_unmodified_since.as_ref(),
    };
    reading.check(&object)?;
    let (range, content_range) = range(&object, input.range)?;
    let wants_sums = content_range.is_none() && is_enabled(input.checksum_mode.as_ref());
    let sum = |name: &str| object.about.checksums.get(name).filter(|_| wants_sums).cloned();
    Ok(GetObjectOutput {
        body: Some(send::body(&store.parts.blobs, &object, range.clone())),
        content_length: Some(signed(range.end - range.start)),
        content_range,
        checksum_crc32: sum("crc32"),
        checksum_crc32c: sum("crc32c"),
        checksum_crc64nvme: sum("crc64nvme"),
        checksum_sha1: sum("sha1"),
        checksum_sha256: sum("sha256"),
        ..told!(GetObjectOutput, object)
    })
}

pub(crate) async fn head(store: &Store, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    refuse(&[
        ("encryption keys", input.sse_customer_key.is_some()),
        ("parts of objects", input.part_number.is_some()),
    ])?;
    let object = find(store, &input.bucket, &input.key, input.version_id.as_deref()).await?;
    let reading = Reading {
        is: input.if_match.as_ref(),
        is_not: input.if_none_match.as_ref(),
        modified_since: input.if_modified_since.as_ref(),
        unmodified_since: input.if_unmodified_since.as_ref(),
    };
    reading.check(&object)?;
    let (range, content_range) = range(&object, input.range)?;
    let wants_sums = content_range.is_none() && is_enabled(input.checksum_mode.as_ref());
    let sum = |name: &str| object.about.checksums.get(name).filter(|_| wants_sums).cloned();
    Ok(HeadObjectOutput {
        content_length: Some(signed(range.end - range.start)),
        content_range,
        checksum_crc32: sum("crc32"),
        checksum_crc32c: sum("crc32c"),
        checksum_crc64nvme: sum("crc64nvme"),
        checksum_sha1: sum("sha1"),
        checksum_sha256: sum("sha256"),
        ..told!(HeadObjectOutput, object)
    })
}

/// `version` is that of stores that keep several: here there is the one they call `null`.
pub(crate) async fn find(store: &Store, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Object> {
    if version.is_some_and(|version| version != "null") {
        return Err(not_here("versions of objects"));
    }
    let (bucket, key) = (store.bucket(bucket).await?, key.to_owned());
    store.read(move |tx| bedplate_buckets::get(tx, &bucket.id, &key)).await?.ok_or_else(no_key)
}

fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == "ENABLED")
}

/// The bytes wanted, and how that is told when they are not all.
fn range(object: &Object, asked: Option<Range>) -> S3Result<(std::ops::Range<u64>, Option<String>)> {
    let Some(asked) = asked else { return Ok((0..object.size, None)) };
    let range =
        asked.check(object.size).map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))?;
    let told = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), object.size);
    Ok((range, Some(told)))
}

pub(crate) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

//! Uploads in parts.

use bedplate_buckets::{Part, Upload};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Result, TrailingHeaders, s3_error};
use serde_json::json;

use crate::about::{about, refuse, refuse_what_is_not_here};
use crate::checks::{Checks, expected};
use crate::condition::of_write;
use crate::error::invalid;
use crate::object::{is_key, signed};
use crate::receive::{Received, check_length, receive};
use crate::record::By;
use crate::send::moment;
use crate::service::Store;

const MOST_PARTS: i32 = 10_000;
const PAGE: i32 = 1_000;

pub(crate) async fn begin(
    store: &Store,
    request: &S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let (by, input) = (store.by(request)?, &request.input);
    refuse_what_is_not_here!(input)?;
    refuse(&[("registries in parts: put them", store.registry_of(&input.key).is_some())])?;
    is_key(&input.key)?;
    let about = about!(input)?;
    let (bucket, id) = (store.bucket(&input.bucket).await?, store.new_name()?);
    let upload = Upload { id: id.clone(), bucket: bucket.id, key: input.key.clone(), started_at: by.at, about };
    store.write(move |tx| Ok(bedplate_buckets::begin(tx, &upload)?)).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(id),
        ..Default::default()
    })
}

pub(crate) async fn put(store: &Store, request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let by = store.by(&request)?;
    let trailer = request.headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (input, trailing) = (request.input, request.trailing_headers);
    refuse(&[("encryption keys", input.sse_customer_key.is_some())])?;
    let number = number(input.part_number)?;
    check_length(input.content_length)?;
    let expected = Expected { sums: expected!(input), content_md5: input.content_md5.clone(), trailer, trailing };
    let body = input.body;
    let received = receive_part(store, &input.bucket, &input.key, &input.upload_id, body, Some(expected)).await?;
    let (etag, checksums) = (received.checked.md5.clone(), received.checked.checksums.clone());
    keep(store, by, &input.bucket, &input.upload_id, number, received).await?;
    let sum = |name: &str| checksums.get(name).cloned();
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(etag)),
        checksum_crc32: sum("crc32"),
        checksum_crc32c: sum("crc32c"),
        checksum_crc64nvme: sum("crc64nvme"),
        checksum_sha1: sum("sha1"),
        checksum_sha256: sum("sha256"),
        ..Default::default()
    })
}

/// What the client says of the bytes.
pub(crate) struct Expected {
    sums: [(&'static str, Option<String>); 5],
    content_md5: Option<String>,
    trailer: Option<String>,
    trailing: Option<TrailingHeaders>,
}

const NOTHING: [(&str, Option<String>); 5] =
    [("crc32", None), ("crc32c", None), ("crc64nvme", None), ("sha1", None), ("sha256", None)];

/// Reads nothing for an upload that is not there.
pub(crate) async fn receive_part(
    store: &Store,
    bucket: &str,
    key: &str,
    upload: &str,
    body: Option<StreamingBlob>,
    expected: Option<Expected>,
) -> S3Result<Received> {
    let (bucket, key, upload) = (store.bucket(bucket).await?, key.to_owned(), upload.to_owned());
    store.read(move |tx| bedplate_buckets::open(tx, &bucket.id, &key, &upload)).await?;
    let checks = match expected {
        None => Checks::new(NOTHING, None, None, None)?,
        Some(told) => Checks::new(told.sums, told.content_md5, told.trailer.as_deref(), told.trailing)?,
    };
    receive(&store.parts.blobs, store.new_name()?, body, checks, None).await
}

pub(crate) async fn keep(
    store: &Store,
    by: By,
    namespace: &str,
    upload: &str,
    number: i64,
    received: Received,
) -> S3Result<()> {
    let part = Part { number, etag: received.checked.md5, modified_at: by.at, piece: received.piece };
    let (namespace, upload) = (namespace.to_owned(), upload.to_owned());
    store
        .write(move |tx| {
            bedplate_buckets::put_part(tx, &upload, &part)?;
            by.stored(tx, &namespace, &part.piece.blob, part.piece.size)
        })
        .await
}

pub(crate) fn number(asked: i32) -> S3Result<i64> {
    if (1..=MOST_PARTS).contains(&asked) {
        Ok(asked.into())
    } else {
        Err(invalid(format!("Part number must be an integer between 1 and {MOST_PARTS}, inclusive")))
    }
}

pub(crate) async fn complete(
    store: &Store,
    request: &S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let (by, input) = (store.by(request)?, &request.input);
    let condition = of_write(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let named = named(input.multipart_upload.as_ref())?;
    let bucket = store.bucket(&input.bucket).await?;
    let (key, id) = (input.key.clone(), input.upload_id.clone());
    let etag = store
        .write(move |tx| {
            let upload = bedplate_buckets::open(tx, &bucket.id, &key, &id)?;
            let (before, new) = bedplate_buckets::complete(tx, &upload, &named, &condition, of_parts, by.at)?;
            let bytes: u64 = new.pieces.iter().map(|piece| piece.size).sum();
            let detail = json!({ "bytes": bytes, "etag": new.etag, "parts": new.pieces.len(),
                "replaced": before.map(|before| before.etag) });
            by.leaf(tx, "put", &format!("{}/{key}", bucket.name), detail)?;
            Ok(new.etag)
        })
        .await?;
    Ok(CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(ETag::Strong(etag)),
        ..Default::default()
    })
}

fn named(told: Option<&CompletedMultipartUpload>) -> S3Result<Vec<(i64, String)>> {
    let parts = told.and_then(|told| told.parts.as_ref()).filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| s3_error!(MalformedXML, "an upload is completed with at least one part"))?;
    let wrong = || -> S3Error { s3_error!(InvalidPart, "each part is named with its number and its entity tag") };
    let each = parts.iter().map(|part| match (part.part_number, &part.e_tag) {
        (Some(number), Some(etag)) => Ok((i64::from(number), etag.value().to_owned())),
        _ => Err(wrong()),
    });
    each.collect()
}

/// The MD5 of the MD5s, and how many there were.
fn of_parts(tags: &[String]) -> String {
    use s3s::crypto::{Checksum as _, Md5};
    let mut whole = Md5::new();
    tags.iter().for_each(|tag| whole.update(&hex::decode(tag).unwrap_or_default()));
    format!("{}-{}", hex::encode(whole.finalize()), tags.len())
}

pub(crate) async fn abort(store: &Store, request: &S3Request<AbortMultipartUploadInput>) -> S3Result<()> {
    let (by, input) = (store.by(request)?, &request.input);
    let (bucket, key, id) = (store.bucket(&input.bucket).await?, input.key.clone(), input.upload_id.clone());
    store.write(move |tx| Ok(bedplate_buckets::abort(tx, &bucket.id, &key, &id, by.at)?)).await
}

pub(crate) async fn list(store: &Store, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let most = page(input.max_parts)?;
    let after = input.part_number_marker.unwrap_or_default();
    let (bucket, key, id) = (store.bucket(&input.bucket).await?, input.key.clone(), input.upload_id.clone());
    let mut found = store
        .read(move |tx| {
            bedplate_buckets::open(tx, &bucket.id, &key, &id)?;
            bedplate_buckets::parts(tx, &id, after.into(), most + 1)
        })
        .await?;
    let has_more = found.len() > most;
    found.truncate(most);
    let last = found.last().map(|part| i32::try_from(part.number).unwrap_or(MOST_PARTS));
    let told = |part: Part| s3s::dto::Part {
        part_number: i32::try_from(part.number).ok(),
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(moment(part.modified_at)),
        size: Some(signed(part.piece.size)),
        ..Default::default()
    };
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: i32::try_from(most).ok(),
        part_number_marker: Some(after),
        next_part_number_marker: last,
        is_truncated: Some(has_more),
        parts: Some(found.into_iter().map(told).collect()),
        ..Default::default()
    })
}

pub(crate) async fn list_uploads(
    store: &Store,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    refuse(&[("delimiters for uploads", input.delimiter.as_ref().is_some_and(|text| !text.is_empty()))])?;
    let most = page(input.max_uploads)?;
    let after = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone().unwrap_or_default());
    is_key(&after.0)?;
    is_key(&after.1)?;
    let bucket = store.bucket(&input.bucket).await?;
    let found = store.read(move |tx| bedplate_buckets::uploads(tx, &bucket.id, (&after.0, &after.1), most + 1));
    let mut found = found.await?;
    let has_more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| has_more).cloned();
    let prefix = input.prefix.clone().unwrap_or_default();
    let told = |upload: Upload| MultipartUpload {
        key: Some(upload.key),
        upload_id: Some(upload.id),
        initiated: Some(moment(upload.started_at)),
        ..Default::default()
    };
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        max_uploads: i32::try_from(most).ok(),
        is_truncated: Some(has_more),
        next_key_marker: last.as_ref().map(|upload| upload.key.clone()),
        next_upload_id_marker: last.map(|upload| upload.id),
        uploads: Some(found.into_iter().filter(|upload| upload.key.starts_with(&prefix)).map(told).collect()),
        ..Default::default()
    })
}

fn page(asked: Option<i32>) -> S3Result<usize> {
    usize::try_from(asked.unwrap_or(PAGE).min(PAGE)).map_err(|_| invalid("a page has no negative length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_parts_is_made_of_theirs() {
        // printf '%s' 5d41402abc4b2a76b9719d911017c592 | xxd -r -p | md5sum
        assert_eq!(of_parts(&["5d41402abc4b2a76b9719d911017c592".into()]), "62109206880d38a4010a98e11243924a-1");
        assert!(of_parts(&["00".into(), "01".into()]).ends_with("-2"));
    }

    #[test]
    fn parts_have_numbers_from_one_to_ten_thousand() {
        assert_eq!((number(1).unwrap(), number(10_000).unwrap()), (1, 10_000));
        assert!(number(0).is_err() && number(10_001).is_err() && number(-1).is_err());
    }
}

//! Copies within the store. A whole object gets second names of its files: no byte is read.

use bedplate_buckets::{About, NewObject, Object, Piece};
use bedplate_policy::Action;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde_json::json;

use crate::Caller;
use crate::about::{about, refuse, refuse_what_is_not_here};
use crate::condition::Reading;
use crate::error::{invalid, not_here, of_bucket};
use crate::object::{find, is_key};
use crate::receive::blocking;
use crate::send::moment;
use crate::service::Store;

pub(crate) async fn copy(store: &Store, request: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
    let (by, input) = (store.by(&request)?, request.input);
    refuse_what_is_not_here!(input)?;
    refuse(&[("registries that are copied: put them", store.registry_of(&input.key).is_some())])?;
    is_key(&input.key)?;
    let reading = Reading {
        is: input.copy_source_if_match.as_ref(),
        is_not: input.copy_source_if_none_match.as_ref(),
        modified_since: input.copy_source_if_modified_since.as_ref(),
        unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    let source = source(store, &by.caller, &input.copy_source, &reading).await?;
    let bucket = store.bucket(&input.bucket).await?;
    let is_replaced = input.metadata_directive.as_ref().is_some_and(|how| how.as_str() == "REPLACE");
    let about = if is_replaced {
        About { checksums: source.about.checksums.clone(), ..about!(input)? }
    } else {
        source.about.clone()
    };
    let new = NewObject {
        bucket: bucket.id.clone(),
        key: input.key.clone(),
        etag: source.etag.clone(),
        about,
        pieces: second_names(store, &source.pieces).await?,
    };
    let (at, etag) = (by.at, source.etag);
    store
        .write(move |tx| {
            let before = bedplate_buckets::put(tx, &new, &bedplate_buckets::Condition::None, by.at)?;
            new.pieces.iter().try_for_each(|piece| by.stored(tx, &bucket.name, &piece.blob, piece.size))?;
            let detail = json!({ "bytes": source.size, "etag": new.etag, "copyOf": source.key,
                "replaced": before.map(|before| before.etag) });
            by.leaf(tx, "put", &format!("{}/{}", bucket.name, new.key), detail)
        })
        .await?;
    let result =
        CopyObjectResult { e_tag: Some(ETag::Strong(etag)), last_modified: Some(moment(at)), ..Default::default() };
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

/// A part of an upload that is an object, or a range of one: its bytes are written anew.
pub(crate) async fn part(store: &Store, request: S3Request<UploadPartCopyInput>) -> S3Result<UploadPartCopyOutput> {
    let (by, input) = (store.by(&request)?, request.input);
    let number = crate::part::number(input.part_number)?;
    let reading = Reading {
        is: input.copy_source_if_match.as_ref(),
        is_not: input.copy_source_if_none_match.as_ref(),
        modified_since: input.copy_source_if_modified_since.as_ref(),
        unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    let source = source(store, &by.caller, &input.copy_source, &reading).await?;
    let wanted = match &input.copy_source_range {
        None => 0..source.size,
        Some(text) => {
            let range = Range::parse(text).map_err(|_| invalid("the x-amz-copy-source-range is not one"))?;
            range.check(source.size).map_err(|_| s3_error!(InvalidRange, "the range is not within the source"))?
        }
    };
    let body = crate::send::body(&store.parts.blobs, &source, wanted);
    let received =
        crate::part::receive_part(store, &input.bucket, &input.key, &input.upload_id, Some(body), None).await?;
    let (at, etag) = (by.at, received.checked.md5.clone());
    crate::part::keep(store, by, &input.bucket, &input.upload_id, number, received).await?;
    let result =
        CopyPartResult { e_tag: Some(ETag::Strong(etag)), last_modified: Some(moment(at)), ..Default::default() };
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() })
}

/// The object that is copied, if the caller may read it.
async fn source(store: &Store, caller: &Caller, source: &CopySource, reading: &Reading<'_>) -> S3Result<Object> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(not_here("access points"));
    };
    store.guard.check_object(caller, Action::ReadData, bucket, key)?;
    let object = find(store, bucket, key, version_id.as_deref()).await?;
    // A copy has no answer for what was not modified.
    reading.check(&object).map_err(|_| s3_error!(PreconditionFailed, "the source is not as the conditions say"))?;
    Ok(object)
}

async fn second_names(store: &Store, pieces: &[Piece]) -> S3Result<Vec<Piece>> {
    let names = pieces.iter().map(|piece| Ok((piece.clone(), store.new_name()?))).collect::<S3Result<Vec<_>>>()?;
    let blobs = store.parts.blobs.clone();
    blocking(move || {
        names
            .into_iter()
            .map(|(piece, name)| {
                blobs.link(&piece.blob, &name).map_err(|error| of_bucket(&error))?;
                Ok(Piece { blob: name, size: piece.size })
            })
            .collect()
    })
    .await
}

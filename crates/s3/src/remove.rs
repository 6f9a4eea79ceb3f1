//! Removing objects. What was not there is removed as well as what was.

use bedplate_policy::Action;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde_json::json;

use crate::about::refuse;
use crate::record::{By, Failed};
use crate::service::Store;

/// Keys of one request.
const MOST: usize = 1_000;

pub(crate) async fn one(store: &Store, request: &S3Request<DeleteObjectInput>) -> S3Result<DeleteObjectOutput> {
    let (by, input) = (store.by(request)?, &request.input);
    refuse(&[
        ("versions of objects", is_version(input.version_id.as_deref())),
        ("conditions for removals", input.if_match.is_some() || input.if_match_size.is_some()),
    ])?;
    let bucket = store.bucket(&input.bucket).await?;
    let keys = vec![input.key.clone()];
    store.write(move |tx| remove(tx, &bucket, &keys, &by)).await?;
    Ok(DeleteObjectOutput::default())
}

pub(crate) async fn several(store: &Store, request: &S3Request<DeleteObjectsInput>) -> S3Result<DeleteObjectsOutput> {
    let (by, input) = (store.by(request)?, &request.input);
    if input.delete.objects.is_empty() || input.delete.objects.len() > MOST {
        return Err(s3_error!(MalformedXML, "one request removes 1 to {MOST} objects"));
    }
    let versioned = input.delete.objects.iter().any(|object| is_version(object.version_id.as_deref()));
    let conditional = input.delete.objects.iter().any(|object| object.e_tag.is_some());
    refuse(&[("versions of objects", versioned), ("conditions for removals", conditional)])?;
    let bucket = store.bucket(&input.bucket).await?;
    let (mut keys, mut errors) = (Vec::new(), Vec::new());
    for object in &input.delete.objects {
        match store.guard.check_object(&by.caller, Action::Delete, &bucket.name, &object.key) {
            Ok(()) => keys.push(object.key.clone()),
            Err(refused) => errors.push(s3s::dto::Error {
                code: Some(refused.code().as_str().to_owned()),
                key: Some(object.key.clone()),
                message: refused.message().map(str::to_owned),
                version_id: None,
            }),
        }
    }
    let told = keys.clone();
    store.write(move |tx| remove(tx, &bucket, &keys, &by)).await?;
    let deleted = told.into_iter().map(|key| DeletedObject { key: Some(key), ..Default::default() });
    let is_quiet = input.delete.quiet.unwrap_or_default();
    Ok(DeleteObjectsOutput {
        deleted: (!is_quiet).then(|| deleted.collect()),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    })
}

fn remove(
    tx: &mut dyn bedplate_db::Tx,
    bucket: &bedplate_buckets::Bucket,
    keys: &[String],
    by: &By,
) -> Result<(), Failed> {
    for key in keys {
        if let Some(removed) = bedplate_buckets::remove(tx, &bucket.id, key, by.at)? {
            let detail = json!({ "bytes": removed.size, "etag": removed.etag });
            by.leaf(tx, "delete", &format!("{}/{key}", bucket.name), detail)?;
        }
    }
    Ok(())
}

fn is_version(version: Option<&str>) -> bool {
    version.is_some_and(|version| version != "null")
}

//! Buckets: one a namespace.

use bedplate_buckets::Bucket;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde_json::json;

use crate::about::refuse;
use crate::error::of_problem;
use crate::send::moment;
use crate::service::Store;

/// Those the caller may know of.
pub(crate) async fn list(store: &Store, request: &S3Request<ListBucketsInput>) -> S3Result<ListBucketsOutput> {
    let by = store.by(request)?;
    let namespaces = store.parts.namespaces.ids().await.map_err(|problem| of_problem(&problem))?;
    let mut seen: Vec<_> = namespaces.into_iter().filter(|(name, _)| store.guard.may_see(&by.caller, name)).collect();
    seen.sort();
    let found = store.read(move |tx| {
        let found = seen.iter().map(|(_, id)| bedplate_buckets::find(tx, id));
        found.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
    });
    let told = |found: Bucket| s3s::dto::Bucket {
        creation_date: Some(moment(found.created_at)),
        name: Some(found.name),
        ..Default::default()
    };
    let wanted = request.input.prefix.clone().unwrap_or_default();
    let buckets = found.await?.into_iter().filter(|found| found.name.starts_with(&wanted)).map(told).collect();
    Ok(ListBucketsOutput { buckets: Some(buckets), prefix: request.input.prefix.clone(), ..Default::default() })
}

pub(crate) async fn create(store: &Store, request: &S3Request<CreateBucketInput>) -> S3Result<CreateBucketOutput> {
    let (by, input) = (store.by(request)?, &request.input);
    let grants = [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write];
    let is_private = input.acl.as_ref().is_none_or(|acl| acl.as_str() == "private");
    refuse(&[
        ("access control lists", !is_private || grants.iter().any(|grant| grant.is_some())),
        ("object locks", input.object_lock_enabled_for_bucket == Some(true)),
    ])?;
    let name = input.bucket.clone();
    let id = store.parts.namespaces.id(&name).await.map_err(|problem| of_problem(&problem))?;
    let id = id.ok_or_else(|| {
        s3_error!(InvalidBucketName, "a bucket is that of the namespace of its name, and there is no namespace {name}")
    })?;
    let bucket = Bucket { id, name: name.clone(), created_at: by.at };
    store
        .write(move |tx| {
            bedplate_buckets::create(tx, &bucket)?;
            by.leaf(tx, "create", &bucket.name, json!({}))
        })
        .await?;
    Ok(CreateBucketOutput { location: Some(format!("/{name}")) })
}

pub(crate) async fn head(store: &Store, name: &str) -> S3Result<HeadBucketOutput> {
    store.bucket(name).await?;
    Ok(HeadBucketOutput { bucket_region: Some(crate::REGION.to_owned()), ..Default::default() })
}

pub(crate) async fn delete(store: &Store, request: &S3Request<DeleteBucketInput>) -> S3Result<()> {
    let by = store.by(request)?;
    let bucket = store.bucket(&request.input.bucket).await?;
    store
        .write(move |tx| {
            bedplate_buckets::delete(tx, &bucket, by.at)?;
            by.leaf(tx, "delete", &bucket.name, json!({}))
        })
        .await
}

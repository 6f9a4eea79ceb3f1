//! The operations of S3's trait, each handed to the file it is told in.

use std::sync::Arc;

use bedplate_buckets::{Bucket, BucketError};
use bedplate_db::Tx;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::error::{internal, no_bucket, of_bucket, of_problem};
use crate::guard::Guard;
use crate::receive::blocking;
use crate::record::{By, Failed};
use crate::signer::{Doorkeeper, Secrets};
use crate::{Caller, Parts, Registry, bucket, copy, listing, object, part, remove};

/// A thousand keys of a thousand bytes each, escaped.
const LARGEST_XML: usize = 8 << 20;

pub(crate) fn built(parts: Parts) -> S3Service {
    let guard = Guard { policy: parts.policy.clone() };
    let (authenticator, keys) = (parts.authenticator.clone(), parts.keys.clone());
    let mut builder = S3ServiceBuilder::new(Store { parts, guard: guard.clone() });
    builder.set_auth(Secrets { authenticator: authenticator.clone(), keys });
    builder.set_access(Doorkeeper { authenticator, guard });
    let mut config = S3Config::default();
    config.xml_max_body_size = LARGEST_XML;
    // Forms of browsers are refused before they get here.
    (config.post_object_max_file_size, config.form_max_parts) = (1, 1);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.build()
}

/// What the operations share.
#[derive(Clone)]
pub(crate) struct Store {
    pub parts: Parts,
    pub guard: Guard,
}

impl Store {
    /// Who calls; there is nobody without.
    pub fn by<T>(&self, request: &S3Request<T>) -> S3Result<By> {
        let caller = request.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| s3s::s3_error!(AccessDenied, "nobody is known to have signed this"))?;
        Ok(By { caller, at: self.parts.clock.now() })
    }

    /// The bucket of the namespace there is now.
    pub async fn bucket(&self, name: &str) -> S3Result<Bucket> {
        let id = self.parts.namespaces.id(name).await.map_err(|problem| of_problem(&problem))?;
        let id = id.ok_or_else(no_bucket)?;
        self.read(move |tx| bedplate_buckets::find(tx, &id)).await?.ok_or_else(no_bucket)
    }

    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Tx) -> Result<T, BucketError> + Send + 'static,
    ) -> S3Result<T> {
        let db = self.parts.db.clone();
        blocking(move || db.read(read).map_err(|error| of_bucket(&error))).await
    }

    pub async fn write<T: Send + 'static>(
        &self,
        write: impl FnMut(&mut dyn Tx) -> Result<T, Failed> + Send + 'static,
    ) -> S3Result<T> {
        Ok(self.parts.db.write_async(write).await?)
    }

    /// The registry that wants to see an object of this key.
    pub fn registry_of(&self, key: &str) -> Option<&dyn Registry> {
        self.parts.registry.as_deref().filter(|registry| registry.minds(key))
    }

    /// Of a file that is to be written.
    pub fn new_name(&self) -> S3Result<String> {
        let random = (self.parts.random)();
        if random == [0; 16] {
            return Err(internal(&std::io::Error::other("the machine's randomness cannot be had")));
        }
        Ok(bedplate_buckets::name(random))
    }
}

type Done<T> = S3Result<S3Response<T>>;

#[async_trait::async_trait]
impl S3 for Store {
    async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> Done<ListBucketsOutput> {
        bucket::list(self, &request).await.map(S3Response::new)
    }

    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> Done<CreateBucketOutput> {
        bucket::create(self, &request).await.map(S3Response::new)
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Done<HeadBucketOutput> {
        bucket::head(self, &request.input.bucket).await.map(S3Response::new)
    }

    async fn get_bucket_location(&self, request: S3Request<GetBucketLocationInput>) -> Done<GetBucketLocationOutput> {
        // Without a constraint it is the first region.
        self.bucket(&request.input.bucket).await.map(|_| S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn delete_bucket(&self, request: S3Request<DeleteBucketInput>) -> Done<DeleteBucketOutput> {
        bucket::delete(self, &request).await?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> Done<ListObjectsOutput> {
        listing::first_version(self, request.input).await.map(S3Response::new)
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> Done<ListObjectsV2Output> {
        listing::second_version(self, request.input).await.map(S3Response::new)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Done<ListMultipartUploadsOutput> {
        part::list_uploads(self, request.input).await.map(S3Response::new)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Done<PutObjectOutput> {
        object::put(self, request).await.map(S3Response::new)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Done<GetObjectOutput> {
        object::get(self, request.input).await.map(S3Response::new)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Done<HeadObjectOutput> {
        object::head(self, request.input).await.map(S3Response::new)
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Done<CopyObjectOutput> {
        copy::copy(self, request).await.map(S3Response::new)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> Done<DeleteObjectOutput> {
        remove::one(self, &request).await.map(S3Response::new)
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> Done<DeleteObjectsOutput> {
        remove::several(self, &request).await.map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Done<CreateMultipartUploadOutput> {
        part::begin(self, &request).await.map(S3Response::new)
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Done<UploadPartOutput> {
        part::put(self, request).await.map(S3Response::new)
    }

    async fn upload_part_copy(&self, request: S3Request<UploadPartCopyInput>) -> Done<UploadPartCopyOutput> {
        copy::part(self, request).await.map(S3Response::new)
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Done<ListPartsOutput> {
        part::list(self, request.input).await.map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Done<CompleteMultipartUploadOutput> {
        part::complete(self, &request).await.map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Done<AbortMultipartUploadOutput> {
        part::abort(self, &request).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

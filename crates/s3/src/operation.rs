//! The operations of S3 there are, and who may.

use bedplate_policy::{Action, Hidden, Operation};

pub(crate) const BUCKET: &str = "Bucket";
pub(crate) const OBJECT: &str = "BucketObject";

/// An operation as S3 calls it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub name: &'static str,
    method: &'static str,
    path: &'static str,
    pub action: Action,
    pub kind: &'static str,
    pub hidden: Hidden,
}

const fn known(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    action: Action,
    kind: &'static str,
) -> Known {
    Known { name, method, path, action, kind, hidden: Hidden::NotFound }
}

const KNOWN: [Known; 20] = [
    Known { hidden: Hidden::LeftOut, ..known("ListBuckets", "GET", "/", Action::List, BUCKET) },
    // Whether the namespace exists is told to nobody who may not.
    Known { hidden: Hidden::Forbidden, ..known("CreateBucket", "PUT", "/{bucket}", Action::Create, BUCKET) },
    known("HeadBucket", "HEAD", "/{bucket}", Action::Get, BUCKET),
    known("GetBucketLocation", "GET", "/{bucket}?location", Action::Get, BUCKET),
    known("DeleteBucket", "DELETE", "/{bucket}", Action::Delete, BUCKET),
    known("ListObjects", "GET", "/{bucket}", Action::List, OBJECT),
    known("ListObjectsV2", "GET", "/{bucket}?list-type=2", Action::List, OBJECT),
    known("ListMultipartUploads", "GET", "/{bucket}?uploads", Action::List, OBJECT),
    known("DeleteObjects", "POST", "/{bucket}?delete", Action::Delete, OBJECT),
    known("HeadObject", "HEAD", "/{bucket}/{*key}", Action::ReadData, OBJECT),
    known("GetObject", "GET", "/{bucket}/{*key}", Action::ReadData, OBJECT),
    known("PutObject", "PUT", "/{bucket}/{*key}", Action::Create, OBJECT),
    known("CopyObject", "PUT", "/{bucket}/{*key}?x-id=CopyObject", Action::Create, OBJECT),
    known("DeleteObject", "DELETE", "/{bucket}/{*key}", Action::Delete, OBJECT),
    known("CreateMultipartUpload", "POST", "/{bucket}/{*key}?uploads", Action::Create, OBJECT),
    known("UploadPart", "PUT", "/{bucket}/{*key}?partNumber&uploadId", Action::Create, OBJECT),
    known("UploadPartCopy", "PUT", "/{bucket}/{*key}?partNumber&uploadId&x-id=UploadPartCopy", Action::Create, OBJECT),
    known("ListParts", "GET", "/{bucket}/{*key}?uploadId", Action::Create, OBJECT),
    known("CompleteMultipartUpload", "POST", "/{bucket}/{*key}?uploadId", Action::Create, OBJECT),
    known("AbortMultipartUpload", "DELETE", "/{bucket}/{*key}?uploadId", Action::Create, OBJECT),
];

/// None: there is no such operation here.
pub(crate) fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Every operation of [`crate::router`], and who may.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let line = |known: &Known| Operation::may(known.method, known.path, known.action, known.kind, known.hidden);
    KNOWN.iter().map(line).collect()
}

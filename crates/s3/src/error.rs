//! What S3 calls what went wrong.

use bedplate_buckets::BucketError;
use bedplate_types::{ErrorKind, Problem};
use s3s::{S3Error, S3ErrorCode, s3_error};

/// The words are the same for a bucket that is not there and for one that the caller may not know of.
pub(crate) fn no_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

pub(crate) fn no_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

pub(crate) fn of_bucket(error: &BucketError) -> S3Error {
    let told = error.to_string();
    match error {
        BucketError::NoBucket(_) => no_bucket(),
        BucketError::NoKey => no_key(),
        BucketError::BucketExists(_) => S3Error::with_message(S3ErrorCode::BucketAlreadyOwnedByYou, told),
        BucketError::NotEmpty(_) => S3Error::with_message(S3ErrorCode::BucketNotEmpty, told),
        BucketError::NoUpload => S3Error::with_message(S3ErrorCode::NoSuchUpload, told),
        BucketError::Condition => S3Error::with_message(S3ErrorCode::PreconditionFailed, told),
        BucketError::NoPart { .. } => S3Error::with_message(S3ErrorCode::InvalidPart, told),
        BucketError::PartOrder => S3Error::with_message(S3ErrorCode::InvalidPartOrder, told),
        BucketError::PartTooSmall { .. } => S3Error::with_message(S3ErrorCode::EntityTooSmall, told),
        BucketError::Full { .. } => {
            tracing::error!(%error, "an object could not be stored");
            s3_error!(ServiceUnavailable, "the disk is full: nothing was stored")
        }
        other => internal(other),
    }
}

/// A person reads why in the log; a client is told no more than that.
pub(crate) fn internal(error: &dyn std::error::Error) -> S3Error {
    tracing::error!(%error, "an operation of S3 failed");
    s3_error!(InternalError, "We encountered an internal error. Please try again.")
}

pub(crate) fn of_problem(problem: &Problem) -> S3Error {
    let code = match problem.kind {
        ErrorKind::Denied | ErrorKind::Unauthenticated => S3ErrorCode::AccessDenied,
        ErrorKind::Invalid | ErrorKind::Refused | ErrorKind::TooLarge => S3ErrorCode::InvalidRequest,
        ErrorKind::NotFound => S3ErrorCode::NoSuchBucket,
        ErrorKind::Conflict | ErrorKind::AlreadyExists => S3ErrorCode::OperationAborted,
        ErrorKind::Busy | ErrorKind::NotReady | ErrorKind::Timeout => S3ErrorCode::ServiceUnavailable,
        _ => {
            tracing::error!(%problem, "an operation of S3 failed");
            return s3_error!(InternalError, "We encountered an internal error. Please try again.");
        }
    };
    S3Error::with_message(code, problem.to_string())
}

pub(crate) fn invalid(why: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, why.into())
}

pub(crate) fn not_here(what: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::NotImplemented, format!("there are no {what} here"))
}

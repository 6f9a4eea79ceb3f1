//! What a write leaves behind in the same transaction: a leaf of the audit log, and what it costs to keep.

use bedplate_audit::Entry;
use bedplate_buckets::BucketError;
use bedplate_db::{DbError, Tx};
use bedplate_ledger::UsageEvent;
use bedplate_types::{Explained, Problem, Timestamp};
use s3s::S3Error;
use serde_json::{Value, json};

use crate::Caller;
use crate::error::{of_bucket, of_problem};

/// A transaction failed in the store, or in what is written beside it.
#[derive(Debug)]
pub(crate) enum Failed {
    Bucket(BucketError),
    Record(Problem),
}

impl From<BucketError> for Failed {
    fn from(error: BucketError) -> Self {
        Self::Bucket(error)
    }
}

impl From<DbError> for Failed {
    fn from(error: DbError) -> Self {
        Self::Bucket(error.into())
    }
}

impl From<Failed> for S3Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Bucket(error) => of_bucket(&error),
            Failed::Record(problem) => of_problem(&problem),
        }
    }
}

/// Who does something, when.
#[derive(Clone)]
pub(crate) struct By {
    pub caller: Caller,
    pub at: Timestamp,
}

impl By {
    /// `buckets/flights`, or `buckets/flights/some/key`.
    pub fn leaf(&self, tx: &mut dyn Tx, action: &str, object: &str, mut detail: Value) -> Result<(), Failed> {
        detail["accessKey"] = json!(self.caller.access_key);
        let entry = Entry {
            at: self.at,
            actor: self.caller.principal.name.clone(),
            action: action.to_owned(),
            object: format!("buckets/{object}"),
            detail,
        };
        bedplate_audit::append(tx, &entry).map(drop).map_err(|error| failed(&error))
    }

    /// Counted once, when it is stored.
    pub fn stored(&self, tx: &mut dyn Tx, namespace: &str, file: &str, bytes: u64) -> Result<(), Failed> {
        if bytes == 0 {
            return Ok(());
        }
        let event = UsageEvent {
            id: format!("stored:bucket:{namespace}:{file}"),
            at: self.at,
            namespace: namespace.to_owned(),
            team: String::new(),
            subject: format!("bucket:{namespace}"),
            resource: "stored_gigabytes".into(),
            // Millionths of a gigabyte of 10^9 bytes, rounded up.
            amount_micro: i64::try_from(bytes.div_ceil(1_000)).unwrap_or(i64::MAX),
        };
        bedplate_ledger::record(tx, &event).map(drop).map_err(|error| failed(&error))
    }
}

fn failed(error: &dyn Explained) -> Failed {
    Failed::Record(Problem::of("recording what is stored", error))
}

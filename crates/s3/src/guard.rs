//! Whether the caller may; what they may not know of is not there.

use bedplate_policy::{Action, Decision, Hidden, Policy, Question, Resource};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::Caller;
use crate::error::no_bucket;
use crate::operation::{BUCKET, Known, OBJECT};

#[derive(Clone)]
pub(crate) struct Guard {
    pub policy: Policy,
}

impl Guard {
    pub fn check(&self, caller: &Caller, known: &Known, bucket: &str, key: Option<&str>) -> S3Result<()> {
        let decision = self.ask(caller, known.action, bucket, known.kind, key);
        self.told(caller, &decision, known.hidden, bucket)
    }

    /// Whether this object may be read, removed and so on.
    pub fn check_object(&self, caller: &Caller, action: Action, bucket: &str, key: &str) -> S3Result<()> {
        let decision = self.ask(caller, action, bucket, OBJECT, Some(key));
        self.told(caller, &decision, Hidden::NotFound, bucket)
    }

    /// Whether the bucket is among those the caller is told of.
    pub fn may_see(&self, caller: &Caller, bucket: &str) -> bool {
        self.ask(caller, Action::List, bucket, BUCKET, None).allowed
            || self.ask(caller, Action::Get, bucket, BUCKET, Some(bucket)).allowed
    }

    fn told(&self, caller: &Caller, decision: &Decision, hidden: Hidden, bucket: &str) -> S3Result<()> {
        if decision.allowed {
            Ok(())
        } else if hidden == Hidden::Forbidden || self.may_see(caller, bucket) {
            Err(S3Error::with_message(S3ErrorCode::AccessDenied, decision.why().to_owned()))
        } else {
            Err(no_bucket())
        }
    }

    fn ask(&self, caller: &Caller, action: Action, bucket: &str, kind: &str, key: Option<&str>) -> Decision {
        let name = if kind == BUCKET { Some(bucket) } else { key };
        let resource = Resource { namespace: Some(bucket), kind, name };
        let Caller { principal, .. } = caller;
        self.policy.ask(&Question::new(&principal.name, &principal.groups, action, resource))
    }
}

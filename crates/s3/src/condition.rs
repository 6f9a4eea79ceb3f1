//! Conditions of requests: what must be so for an object to be read (RFC 9110 section 13) or written.

use bedplate_buckets::{Condition, Object};
use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use crate::error::not_here;
use crate::send::moment;

/// For a write.
pub(crate) fn of_write(is: Option<&ETagCondition>, is_not: Option<&ETagCondition>) -> S3Result<Condition> {
    match (is, is_not) {
        (None, None) => Ok(Condition::None),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Condition::Is(etag.value().to_owned())),
        _ => Err(not_here("writes on other conditions than If-None-Match: * or If-Match: an entity tag")),
    }
}

/// For a read.
#[derive(Default)]
pub(crate) struct Reading<'a> {
    pub is: Option<&'a ETagCondition>,
    pub is_not: Option<&'a ETagCondition>,
    pub modified_since: Option<&'a Timestamp>,
    pub unmodified_since: Option<&'a Timestamp>,
}

impl Reading<'_> {
    /// In the order of RFC 9110 section 13.2.2: a condition about tags makes the one about time be left aside.
    pub fn check(&self, object: &Object) -> S3Result<()> {
        let failed = || s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold");
        let named = |condition: &ETagCondition| condition.as_etag().is_none_or(|etag| etag.value() == object.etag);
        // HTTP's dates have no fractions.
        let modified = || moment(bedplate_types::Timestamp::from_micros(whole_seconds(object.modified_at.micros())));
        match (self.is, self.unmodified_since) {
            (Some(condition), _) if !named(condition) => return Err(failed()),
            (None, Some(since)) if modified() > *since => return Err(failed()),
            _ => {}
        }
        match (self.is_not, self.modified_since) {
            (Some(condition), _) if named(condition) => Err(not_modified()),
            (None, Some(since)) if modified() <= *since => Err(not_modified()),
            _ => Ok(()),
        }
    }
}

fn whole_seconds(micros: i64) -> i64 {
    micros.div_euclid(1_000_000) * 1_000_000
}

fn not_modified() -> S3Error {
    s3_error!(NotModified, "Not Modified")
}

#[cfg(test)]
mod tests {
    use bedplate_buckets::About;
    use s3s::dto::ETag;

    use super::*;

    #[test]
    fn conditions_about_tags_come_before_those_about_time() {
        let object = Object {
            key: "k".into(),
            size: 1,
            etag: "x".into(),
            modified_at: bedplate_types::Timestamp::from_micros(5_400_000),
            about: About::default(),
            pieces: Vec::new(),
        };
        let at = |seconds: i64| moment(bedplate_types::Timestamp::from_micros(seconds * 1_000_000));
        let tag = |value: &str| ETagCondition::ETag(ETag::Strong(value.into()));
        let check = |reading: Reading<'_>| reading.check(&object).err().map(|error| error.code().as_str().to_owned());
        let (x, y, early, late) = (tag("x"), tag("y"), at(4), at(5));
        assert_eq!(check(Reading::default()), None);
        assert_eq!(check(Reading { is: Some(&x), ..Reading::default() }), None);
        assert_eq!(check(Reading { is: Some(&ETagCondition::Any), ..Reading::default() }), None);
        assert_eq!(check(Reading { is: Some(&y), ..Reading::default() }).unwrap(), "PreconditionFailed");
        assert_eq!(check(Reading { is_not: Some(&x), ..Reading::default() }).unwrap(), "NotModified");
        assert_eq!(check(Reading { is_not: Some(&y), modified_since: Some(&late), ..Reading::default() }), None);
        assert_eq!(check(Reading { modified_since: Some(&late), ..Reading::default() }).unwrap(), "NotModified");
        assert_eq!(check(Reading { modified_since: Some(&early), ..Reading::default() }), None);
        assert_eq!(
            check(Reading { unmodified_since: Some(&early), ..Reading::default() }).unwrap(),
            "PreconditionFailed"
        );
        assert_eq!(check(Reading { is: Some(&x), unmodified_since: Some(&early), ..Reading::default() }), None);
    }

    #[test]
    fn a_write_knows_two_conditions() {
        let tag = ETagCondition::ETag(ETag::Strong("x".into()));
        assert_eq!(of_write(None, Some(&ETagCondition::Any)).unwrap(), Condition::Absent);
        assert_eq!(of_write(Some(&tag), None).unwrap(), Condition::Is("x".into()));
        assert!(of_write(None, Some(&tag)).is_err() && of_write(Some(&tag), Some(&tag)).is_err());
    }
}

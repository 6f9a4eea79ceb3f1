//! What the owner says of an object, from request headers and back.

use bedplate_buckets::About;
use s3s::dto::{Metadata, Timestamp, TimestampFormat};
use s3s::{S3Result, s3_error};

use crate::error::not_here;

/// Bytes of names and values of user metadata, as S3 has it.
const MOST_METADATA: usize = 2 << 10;
/// Of one of the headers that are kept.
const LONGEST_HEADER: usize = 1 << 10;

/// The headers that several operations take under the same names.
macro_rules! about {
    ($input:expr) => {
        $crate::about::of(
            [
                ("content-type", $input.content_type.clone()),
                ("cache-control", $input.cache_control.clone()),
                ("content-disposition", $input.content_disposition.clone()),
                ("content-encoding", $input.content_encoding.clone()),
                ("content-language", $input.content_language.clone()),
                ("expires", $input.expires.as_ref().map($crate::about::http_date)),
            ],
            $input.metadata.clone(),
        )
    };
}
pub(crate) use about;

/// What cannot be kept as it was asked is refused.
macro_rules! refuse_what_is_not_here {
    ($input:expr) => {
        $crate::about::refuse(&[
            ("access control lists", {
                let grants =
                    [&$input.grant_full_control, &$input.grant_read, &$input.grant_read_acp, &$input.grant_write_acp];
                let is_private = $input.acl.as_ref().is_none_or(|acl| acl.as_str() == "private");
                !is_private || grants.iter().any(|grant| grant.is_some())
            }),
            ("encryption keys", {
                let names = [&$input.sse_customer_algorithm, &$input.sse_customer_key, &$input.ssekms_key_id];
                $input.server_side_encryption.is_some() || names.iter().any(|name| name.is_some())
            }),
            ("object locks", $input.object_lock_mode.is_some() || $input.object_lock_legal_hold_status.is_some()),
            ("tags", $input.tagging.is_some()),
            ("redirects", $input.website_redirect_location.is_some()),
            ("storage classes", $input.storage_class.as_ref().is_some_and(|class| class.as_str() != "STANDARD")),
        ])
    };
}
pub(crate) use refuse_what_is_not_here;

pub(crate) fn refuse(asked: &[(&str, bool)]) -> S3Result<()> {
    asked.iter().find(|(_, is_asked)| *is_asked).map_or(Ok(()), |(what, _)| Err(not_here(what)))
}

pub(crate) fn of<const N: usize>(
    headers: [(&'static str, Option<String>); N],
    metadata: Option<Metadata>,
) -> S3Result<About> {
    let metadata: std::collections::BTreeMap<String, String> = metadata.unwrap_or_default().into_iter().collect();
    if metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MOST_METADATA {
        return Err(s3_error!(MetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size"));
    }
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let headers: std::collections::BTreeMap<String, String> = headers.collect();
    if let Some((name, _)) = headers.iter().find(|(_, value)| value.len() > LONGEST_HEADER) {
        return Err(s3_error!(MetadataTooLarge, "the header {name} is longer than {LONGEST_HEADER} bytes"));
    }
    Ok(About { headers, metadata, checksums: Default::default() })
}

pub(crate) fn http_date(at: &Timestamp) -> String {
    let mut text = Vec::new();
    // Writing into memory fails for dates that HTTP has no words for.
    let written = at.format(TimestampFormat::HttpDate, &mut text);
    written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_default()
}

/// The same for what tells of an object, with its body or without.
macro_rules! told {
    ($output:ident, $object:expr) => {{
        let header = |name: &str| $object.about.headers.get(name).cloned();
        $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: header("cache-control"),
            content_disposition: header("content-disposition"),
            content_encoding: header("content-encoding"),
            content_language: header("content-language"),
            content_type: Some(header("content-type").unwrap_or_else(|| "binary/octet-stream".to_owned())),
            expires: header("expires")
                .and_then(|text| s3s::dto::Timestamp::parse(s3s::dto::TimestampFormat::HttpDate, &text).ok()),
            e_tag: Some(s3s::dto::ETag::Strong($object.etag.clone())),
            last_modified: Some($crate::send::moment($object.modified_at)),
            metadata: Some($object.about.metadata.clone().into_iter().collect()),
            ..Default::default()
        }
    }};
}
pub(crate) use told;

//! Listings, as both versions of the operation tell them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bedplate_buckets::{Entry, Page, Start, Wanted};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::S3Result;
use s3s::dto::*;

use crate::error::invalid;
use crate::object::signed;
use crate::send::moment;
use crate::service::Store;

/// Entries of one page.
const MOST: i32 = 1_000;
/// What S3 leaves as it is in keys that it encodes.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

pub(crate) async fn second_version(store: &Store, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let start = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => read(token)?,
        (None, Some(key)) if !key.is_empty() => Start::After(key.clone()),
        _ => Start::First,
    };
    let asked =
        Asked::new(input.prefix.clone(), input.delimiter.clone(), input.max_keys, input.encoding_type.as_ref())?;
    let page = asked.page(store, &input.bucket, start).await?;
    let told = asked.told(&page);
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        key_count: Some(i32::try_from(page.entries.len()).unwrap_or(MOST)),
        max_keys: Some(asked.most),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(token),
        continuation_token: input.continuation_token,
        start_after: input.start_after.map(|key| asked.spelled(&key)),
        prefix: Some(asked.spelled(&asked.prefix)),
        delimiter: asked.delimiter.as_ref().map(|text| asked.spelled(text)),
        contents: Some(told.0),
        common_prefixes: Some(told.1),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

pub(crate) async fn first_version(store: &Store, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let asked =
        Asked::new(input.prefix.clone(), input.delimiter.clone(), input.max_keys, input.encoding_type.as_ref())?;
    let start = asked.behind(input.marker.as_deref().unwrap_or_default());
    let page = asked.page(store, &input.bucket, start).await?;
    let told = asked.told(&page);
    let last = page.entries.last().map(|entry| match entry {
        Entry::Object(object) => asked.spelled(&object.key),
        Entry::Prefix(prefix) => asked.spelled(prefix),
    });
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        max_keys: Some(asked.most),
        is_truncated: Some(page.next.is_some()),
        next_marker: last.filter(|_| page.next.is_some()),
        marker: Some(asked.spelled(input.marker.as_deref().unwrap_or_default())),
        prefix: Some(asked.spelled(&asked.prefix)),
        delimiter: asked.delimiter.as_ref().map(|text| asked.spelled(text)),
        contents: Some(told.0),
        common_prefixes: Some(told.1),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

struct Asked {
    prefix: String,
    delimiter: Option<String>,
    most: i32,
    is_encoded: bool,
}

impl Asked {
    fn new(
        prefix: Option<String>,
        delimiter: Option<String>,
        most: Option<i32>,
        encoding: Option<&EncodingType>,
    ) -> S3Result<Self> {
        let most = most.unwrap_or(MOST);
        if most < 0 {
            return Err(invalid("max-keys is less than 0"));
        }
        let delimiter = delimiter.filter(|text| !text.is_empty());
        let (prefix, is_encoded) = (prefix.unwrap_or_default(), encoding.is_some_and(|how| how.as_str() == "url"));
        let texts = [prefix.as_str(), delimiter.as_deref().unwrap_or_default()];
        texts.iter().try_for_each(|text| crate::object::is_key(text))?;
        Ok(Self { prefix, delimiter, most: most.min(MOST), is_encoded })
    }

    async fn page(&self, store: &Store, bucket: &str, start: Start) -> S3Result<Page> {
        let bucket = store.bucket(bucket).await?;
        if self.most == 0 {
            return Ok(Page::default());
        }
        let wanted = Wanted {
            prefix: self.prefix.clone(),
            delimiter: self.delimiter.clone(),
            start,
            most: usize::try_from(self.most).unwrap_or_default(),
        };
        store.read(move |tx| bedplate_buckets::list(tx, &bucket.id, &wanted)).await
    }

    /// Behind a marker. One that is a common prefix stands for all keys that begin so.
    fn behind(&self, marker: &str) -> Start {
        let is_prefix = self.delimiter.as_deref().is_some_and(|delimiter| marker.ends_with(delimiter));
        match marker {
            "" => Start::First,
            // The last of all characters: hardly a key has it.
            _ if is_prefix => Start::After(format!("{marker}\u{10ffff}")),
            _ => Start::After(marker.to_owned()),
        }
    }

    fn spelled(&self, text: &str) -> String {
        if self.is_encoded { utf8_percent_encode(text, KEPT).to_string() } else { text.to_owned() }
    }

    fn told(&self, page: &Page) -> (ObjectList, CommonPrefixList) {
        let (mut objects, mut prefixes) = (ObjectList::new(), CommonPrefixList::new());
        for entry in &page.entries {
            match entry {
                Entry::Object(object) => objects.push(Object {
                    key: Some(self.spelled(&object.key)),
                    e_tag: Some(ETag::Strong(object.etag.clone())),
                    last_modified: Some(moment(object.modified_at)),
                    size: Some(signed(object.size)),
                    storage_class: Some(ObjectStorageClass::from_static("STANDARD")),
                    ..Default::default()
                }),
                Entry::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(self.spelled(prefix)) }),
            }
        }
        (objects, prefixes)
    }
}

fn token(next: &Start) -> String {
    let text = match next {
        Start::First => String::new(),
        Start::After(key) => format!(">{key}"),
        Start::From(key) => format!("={key}"),
    };
    URL_SAFE_NO_PAD.encode(text)
}

fn read(token: &str) -> S3Result<Start> {
    let wrong = || invalid("The continuation token provided is incorrect");
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    crate::object::is_key(&text)?;
    match text.split_at_checked(1) {
        Some((">", key)) => Ok(Start::After(key.to_owned())),
        Some(("=", key)) => Ok(Start::From(key.to_owned())),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_where_the_next_page_begins() {
        for start in [Start::After("a/b ä".into()), Start::From("a0".into()), Start::From(String::new())] {
            assert_eq!(read(&token(&start)).unwrap(), start);
        }
        for wrong in ["", "%%", "Zm9v"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_spelled_as_urls_where_that_is_asked_for() {
        let asked = |how: Option<&EncodingType>| Asked::new(None, None, None, how).unwrap();
        let url = EncodingType::from_static("url");
        assert_eq!(asked(Some(&url)).spelled("a b/ä+%"), "a%20b/%C3%A4%2B%25");
        assert_eq!(asked(None).spelled("a b/ä"), "a b/ä");
    }

    #[test]
    fn behind_a_marker_that_is_a_prefix_is_what_does_not_begin_so() {
        let asked = Asked::new(None, Some("/".into()), None, None).unwrap();
        assert_eq!(asked.behind(""), Start::First);
        assert_eq!(asked.behind("a"), Start::After("a".into()));
        assert_eq!(asked.behind("a/"), Start::After("a/\u{10ffff}".into()));
    }
}

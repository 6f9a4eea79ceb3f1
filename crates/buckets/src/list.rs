//! Listing the keys of a bucket in order, page by page; what lies below a delimiter is told as one.

use bedplate_db::{Tx, Value};

use crate::BucketError;
use crate::object::{COLUMNS, Object, object};

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    #[default]
    First,
    /// Behind this key.
    After(String),
    /// At this key, or what follows it.
    From(String),
}

/// Which keys are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub prefix: String,
    /// None, or not empty.
    pub delimiter: Option<String>,
    pub start: Start,
    /// Objects and common prefixes together, on one page.
    pub most: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Object(Object),
    /// All keys that begin so.
    Prefix(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Where the next page begins; none: this was the last one.
    pub next: Option<Start>,
}

/// # Errors
/// [`BucketError::Stored`], [`BucketError::Db`].
pub fn list(tx: &mut dyn Tx, bucket: &str, wanted: &Wanted) -> Result<Page, BucketError> {
    let mut page = Page::default();
    let mut start = match &wanted.start {
        // What comes before the prefix is passed over at once.
        Start::After(key) if *key >= wanted.prefix => wanted.start.clone(),
        Start::From(key) if *key >= wanted.prefix => wanted.start.clone(),
        _ => Start::From(wanted.prefix.clone()),
    };
    loop {
        let room = wanted.most - page.entries.len();
        let found = query(tx, bucket, &wanted.prefix, &start, room + 1)?;
        let (was_short, mut skipped) = (found.len() <= room, false);
        for object in found {
            if page.entries.len() == wanted.most {
                page.next = Some(start);
                return Ok(page);
            }
            match wanted.common(&object.key) {
                None => {
                    start = Start::After(object.key.clone());
                    page.entries.push(Entry::Object(object));
                }
                Some(prefix) => {
                    let behind = behind(prefix);
                    page.entries.push(Entry::Prefix(prefix.to_owned()));
                    // Nothing is behind a prefix of the last of all characters.
                    let Some(behind) = behind else { return Ok(page) };
                    start = Start::From(behind);
                    skipped = true;
                    break;
                }
            }
        }
        if was_short && !skipped {
            return Ok(page);
        }
        if page.entries.len() == wanted.most {
            page.next = (!query(tx, bucket, &wanted.prefix, &start, 1)?.is_empty()).then_some(start);
            return Ok(page);
        }
    }
}

impl Wanted {
    /// What of the key, prefix and delimiter included, it has in common with what lies beside it.
    fn common<'a>(&self, key: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.as_deref()?;
        let rest = key.strip_prefix(&self.prefix)?;
        let at = rest.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }
}

fn query(tx: &mut dyn Tx, bucket: &str, prefix: &str, start: &Start, limit: usize) -> Result<Vec<Object>, BucketError> {
    let (operator, from) = match start {
        Start::First => (">=", ""),
        Start::After(key) => (">", key.as_str()),
        Start::From(key) => (">=", key.as_str()),
    };
    let mut args: Vec<Value> = vec![bucket.into(), from.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let bound = match behind(prefix) {
        Some(end) => {
            args.push(end.into());
            " AND key < $4"
        }
        None => "",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM bucket_objects WHERE bucket = $1 AND key {operator} $2{bound} ORDER BY key LIMIT $3"
    );
    tx.query(&sql, &args)?.iter().map(object).collect()
}

/// The first of all texts that come after every one that begins with `prefix`; none when there is no such text.
fn behind(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The order of code points is that of their bytes in UTF-8; the surrogates are none.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_prefix_is_the_first_text_that_does_not_begin_with_it() {
        let check = |prefix: &str, expect: Option<&str>| assert_eq!(behind(prefix).as_deref(), expect, "{prefix:?}");
        check("", None);
        check("a", Some("b"));
        check("a/", Some("a0"));
        check("a\u{10ffff}", Some("b"));
        check("\u{10ffff}", None);
        check("\u{d7ff}", Some("\u{e000}"));
    }
}

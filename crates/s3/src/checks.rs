//! What a client says of the bytes it sends, held against the bytes that came.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::Checksum;
use s3s::{S3Result, TrailingHeaders, s3_error};

use crate::error::invalid;

const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// What is expected, and what has come so far.
pub(crate) struct Checks {
    /// In base64.
    expected: BTreeMap<&'static str, String>,
    content_md5: Option<String>,
    trailing: Option<TrailingHeaders>,
    md5: Md5,
    hasher: ChecksumHasher,
}

/// The bytes are what the client said.
pub(crate) struct Checked {
    /// In hexadecimal: the entity tag.
    pub md5: String,
    /// By algorithm, in base64.
    pub checksums: BTreeMap<String, String>,
}

/// The checksums that several operations take under the same names.
macro_rules! expected {
    ($input:expr) => {
        [
            ("crc32", $input.checksum_crc32.clone()),
            ("crc32c", $input.checksum_crc32c.clone()),
            ("crc64nvme", $input.checksum_crc64nvme.clone()),
            ("sha1", $input.checksum_sha1.clone()),
            ("sha256", $input.checksum_sha256.clone()),
        ]
    };
}
pub(crate) use expected;

impl Checks {
    /// `trailer` is the header that names what comes behind the bytes.
    pub fn new(
        expected: [(&'static str, Option<String>); 5],
        content_md5: Option<String>,
        trailer: Option<&str>,
        trailing: Option<TrailingHeaders>,
    ) -> S3Result<Self> {
        if content_md5.as_ref().is_some_and(|text| STANDARD.decode(text).map_or(0, |bytes| bytes.len()) != 16) {
            return Err(s3_error!(InvalidDigest, "The Content-MD5 that you specified is not valid."));
        }
        let expected: BTreeMap<_, _> = expected.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let announced = announced(trailer)?;
        let is_wanted = |name: &str| expected.contains_key(name) || announced.contains(&name);
        let hasher = ChecksumHasher {
            crc32: is_wanted("crc32").then(Crc32::new),
            crc32c: is_wanted("crc32c").then(Crc32c::new),
            crc64nvme: is_wanted("crc64nvme").then(Crc64Nvme::new),
            sha1: is_wanted("sha1").then(Sha1::new),
            sha256: is_wanted("sha256").then(Sha256::new),
        };
        let trailing = trailing.filter(|_| !announced.is_empty());
        Ok(Self { expected, content_md5, trailing, md5: Md5::new(), hasher })
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.hasher.update(bytes);
    }

    pub fn finish(mut self) -> S3Result<Checked> {
        self.take_trailing()?;
        let md5 = self.md5.finalize();
        if self.content_md5.is_some_and(|expected| expected != STANDARD.encode(md5)) {
            return Err(s3_error!(BadDigest, "The Content-MD5 that you specified did not match what was received."));
        }
        let checksums = by_name(self.hasher.finalize());
        for (name, expected) in &self.expected {
            if checksums.get(*name) != Some(expected) {
                return Err(s3_error!(BadDigest, "The {name} that you specified did not match what was received."));
            }
        }
        Ok(Checked { md5: hex::encode(md5), checksums })
    }

    fn take_trailing(&mut self) -> S3Result<()> {
        let Some(trailing) = &self.trailing else { return Ok(()) };
        let missing = || s3_error!(IncompleteBody, "the checksum that was to come behind the bytes did not");
        let headers = trailing.take().ok_or_else(missing)?;
        for name in ALGORITHMS {
            let value = headers.get(format!("x-amz-checksum-{name}")).and_then(|value| value.to_str().ok());
            self.expected.extend(value.map(|value| (name, value.to_owned())));
        }
        if self.expected.is_empty() { Err(missing()) } else { Ok(()) }
    }
}

fn announced(trailer: Option<&str>) -> S3Result<Vec<&'static str>> {
    let Some(trailer) = trailer else { return Ok(Vec::new()) };
    let known = |text: &str| {
        let name = text.trim().to_ascii_lowercase();
        let algorithm = name.strip_prefix("x-amz-checksum-")?.to_owned();
        ALGORITHMS.into_iter().find(|known| *known == algorithm)
    };
    let find = |text: &str| known(text).ok_or_else(|| invalid(format!("the trailer {text:?} is not known here")));
    trailer.split(',').map(find).collect()
}

fn by_name(sums: Checksum) -> BTreeMap<String, String> {
    let all = [
        ("crc32", sums.checksum_crc32),
        ("crc32c", sums.checksum_crc32c),
        ("crc64nvme", sums.checksum_crc64nvme),
        ("sha1", sums.checksum_sha1),
        ("sha256", sums.checksum_sha256),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [(&str, Option<String>); 5] =
        [("crc32", None), ("crc32c", None), ("crc64nvme", None), ("sha1", None), ("sha256", None)];

    fn checked(expected: [(&'static str, Option<String>); 5], md5: Option<&str>) -> Result<Checked, String> {
        let code = |error: s3s::S3Error| error.code().as_str().to_owned();
        let mut checks = Checks::new(expected, md5.map(str::to_owned), None, None).map_err(code)?;
        checks.update(b"hel");
        checks.update(b"lo");
        checks.finish().map_err(code)
    }

    #[test]
    fn the_entity_tag_is_the_md5_of_the_bytes() {
        assert_eq!(checked(NONE, None).unwrap().md5, "5d41402abc4b2a76b9719d911017c592");
        assert!(checked(NONE, Some("XUFAKrxLKna5cZ2REBfFkg==")).is_ok());
        assert_eq!(checked(NONE, Some("AAAAAAAAAAAAAAAAAAAAAA==")).err().unwrap(), "BadDigest");
        assert_eq!(checked(NONE, Some("not base64")).err().unwrap(), "InvalidDigest");
    }

    #[test]
    fn a_checksum_that_was_given_must_be_that_of_the_bytes() {
        let with = |value: &str| {
            let mut expected = NONE;
            expected[0].1 = Some(value.to_owned());
            checked(expected, None)
        };
        // The CRC-32 of `hello` is 3610a686.
        assert_eq!(with("NhCmhg==").unwrap().checksums["crc32"], "NhCmhg==");
        assert_eq!(with("AAAAAA==").err().unwrap(), "BadDigest");
    }

    #[test]
    fn an_unknown_trailer_is_refused() {
        assert_eq!(announced(Some("x-amz-checksum-crc32, X-Amz-Checksum-SHA256")).unwrap(), ["crc32", "sha256"]);
        assert!(announced(Some("x-amz-trailer-signature-of-mine")).is_err());
    }
}

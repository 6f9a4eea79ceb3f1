//! Objects of a store: found by their keys, and brought here one at a time, each as it was when it was found.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use bedplate_kinds::DatasetSource;
use bedplate_lake::source::{Pattern, SourceFile, is_hidden, layout};
use bedplate_types::Digest;
use futures::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::located::Located;
use super::spool::{MOST_BYTES, Spool};
use super::transport::{Transport, patience};
use super::{Access, Credentials, ElsewhereError};
use crate::source::find::{MOST_FILES, MOST_NAMES};
use crate::source::{FoundFile, Opened, SourceError};

/// A store that is asked for the files of one source.
pub(crate) struct Store {
    client: Box<dyn ObjectStore>,
    /// What stands before a key: `s3://bucket/`.
    prefix: String,
    meant: Meant,
    credentials: Option<Credentials>,
}

enum Meant {
    Keys(Pattern),
    One(Key),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.prefix)
    }
}

impl Store {
    pub fn new(source: &DatasetSource, access: &Access) -> Result<Self, SourceError> {
        let credentials = access.credentials.clone();
        let refused =
            |error: object_store::Error| ElsewhereError::Refused { place: source.path.clone(), why: error.to_string() };
        Ok(match Located::of(source, &access.hosts)? {
            Located::S3 { bucket, endpoint, region, pattern } => {
                let builder = AmazonS3Builder::new()
                    .with_bucket_name(&bucket)
                    .with_endpoint(endpoint.as_str().trim_end_matches('/'))
                    .with_region(region)
                    .with_allow_http(true)
                    .with_retry(patience())
                    .with_http_connector(transport(credentials.as_ref(), None)?);
                let client = signed(builder, credentials.as_ref())?.build().map_err(refused)?;
                let prefix = format!("s3://{bucket}/");
                Self { client: Box::new(client), prefix, meant: Meant::Keys(pattern), credentials }
            }
            Located::Web { server, file } => {
                let bearer = credentials.as_ref().map(|held| held.get("BEARER_TOKEN")).transpose()?.flatten();
                let builder = HttpBuilder::new()
                    .with_url(server.as_str())
                    .with_retry(patience())
                    .with_http_connector(transport(credentials.as_ref(), bearer)?);
                let key = Key::from_url_path(file.path());
                let key = key.map_err(|error| refused(object_store::Error::from(error)))?;
                let client = Box::new(builder.build().map_err(refused)?);
                Self { client, prefix: server.to_string(), meant: Meant::One(key), credentials }
            }
        })
    }

    /// The files that are meant, in the order of their keys.
    pub async fn find(&self, source: &DatasetSource) -> Result<Vec<FoundFile>, SourceError> {
        let mut files = match &self.meant {
            Meant::One(key) => vec![self.found(&self.head(key).await?)],
            Meant::Keys(pattern) if pattern.rest.is_empty() => self.literal(pattern, source).await?,
            Meant::Keys(pattern) => self.listed(source, pattern, |names| pattern.leads_to(names)).await?,
        };
        if files.is_empty() {
            return Err(SourceError::NoFiles { path: source.path.clone(), why: "no object matches it".into() });
        }
        files.sort();
        Ok(files)
    }

    /// A key is an object, or what stands before others.
    async fn literal(&self, pattern: &Pattern, source: &DatasetSource) -> Result<Vec<FoundFile>, SourceError> {
        let key = self.key(pattern)?;
        if !key.as_ref().is_empty() && !source.path.ends_with('/') {
            match self.head(&key).await {
                Err(ElsewhereError::Missing { .. }) => {}
                found => return Ok(vec![self.found(&found?)]),
            }
        }
        let meant = |names: &[&str]| matches!(names, [name] if !is_hidden(name) && layout(name, source).is_ok());
        self.listed(source, pattern, meant).await
    }

    /// The objects below the pattern's base whose names from there on are meant.
    async fn listed(
        &self,
        source: &DatasetSource,
        pattern: &Pattern,
        meant: impl Fn(&[&str]) -> bool,
    ) -> Result<Vec<FoundFile>, SourceError> {
        let (base, mut files, mut names) = (self.key(pattern)?, Vec::new(), 0);
        let mut objects = self.client.list(Some(&base));
        while let Some(object) = objects.next().await {
            let object = object.map_err(|error| self.failed(&source.path, &error))?;
            names += 1;
            let Some(below) = below(object.location.as_ref(), base.as_ref()) else { continue };
            if meant(&below.split('/').collect::<Vec<_>>()) {
                files.push(self.found(&object));
            }
            for (what, are, limit) in [("names", names, MOST_NAMES), ("files", files.len(), MOST_FILES)] {
                if are > limit {
                    return Err(SourceError::TooMany { path: source.path.clone(), what, limit });
                }
            }
        }
        Ok(files)
    }

    fn key(&self, pattern: &Pattern) -> Result<Key, ElsewhereError> {
        let base = pattern.base.to_string_lossy();
        let wrong = |error: object_store::path::Error| ElsewhereError::Refused {
            place: format!("{}{base}", self.prefix),
            why: error.to_string(),
        };
        Key::parse(base.as_ref()).map_err(wrong)
    }

    async fn head(&self, key: &Key) -> Result<ObjectMeta, ElsewhereError> {
        self.client.head(key).await.map_err(|error| self.failed(&self.place(key), &error))
    }

    fn place(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    fn found(&self, object: &ObjectMeta) -> FoundFile {
        FoundFile {
            path: PathBuf::from(self.place(&object.location)),
            bytes: object.size,
            modified: object.last_modified.timestamp_micros().max(0),
            tag: Some(tag(object)),
        }
    }

    /// Brings an object here. One that is another than was found is not read.
    pub async fn fetch(
        &self,
        file: &FoundFile,
        folder: &Path,
        cancel: &CancellationToken,
    ) -> Result<Opened, SourceError> {
        let place = file.path.to_string_lossy().into_owned();
        if file.bytes > MOST_BYTES {
            return Err(ElsewhereError::TooLarge { place, bytes: file.bytes, limit: MOST_BYTES }.into());
        }
        tokio::select! {
            () = cancel.cancelled() => Err(ElsewhereError::Cancelled { place }.into()),
            fetched = self.bring(file, &place, folder) => fetched,
        }
    }

    async fn bring(&self, file: &FoundFile, place: &str, folder: &Path) -> Result<Opened, SourceError> {
        let other = || SourceError::Unsteady { path: file.path.clone() };
        let failed = |error: object_store::Error| match error {
            object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. } => other(),
            error => self.failed(place, &error).into(),
        };
        let key = Key::parse(place.strip_prefix(&self.prefix).unwrap_or(place));
        let key = key.map_err(|error| failed(error.into()))?;
        let options = GetOptions { if_match: file.tag.as_deref().and_then(condition), ..GetOptions::default() };
        let got = self.client.get_opts(&key, options).await.map_err(failed)?;
        // Of when it was written a list tells more than an answer.
        if (got.meta.size, Some(tag(&got.meta))) != (file.bytes, file.tag.clone()) {
            return Err(other());
        }
        let mut spool = Spool::new(folder, place)?;
        let mut pieces = got.into_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(failed)?;
            if let Err(error) = spool.write_all(&piece) {
                return Err(spool.failed(error).into());
            }
        }
        if spool.bytes != file.bytes {
            return Err(other());
        }
        Ok(spool.open(file.modified, file.tag.clone(), None)?)
    }

    fn failed(&self, place: &str, error: &object_store::Error) -> ElsewhereError {
        let causes = causes(error);
        let why = match &self.credentials {
            Some(credentials) => credentials.hidden(told(&causes)),
            None => told(&causes),
        };
        let place = place.to_owned();
        match error {
            object_store::Error::NotFound { .. } => ElsewhereError::Missing { place, why },
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                ElsewhereError::Denied { place, why }
            }
            object_store::Error::Generic { .. } if is_refusal(&causes) => ElsewhereError::Refused { place, why },
            object_store::Error::Generic { .. } => ElsewhereError::Unreached { place, why },
            _ => ElsewhereError::Refused { place, why },
        }
    }
}

/// The store's tag; where there is none, the moment the object was written stands for its bytes.
fn tag(object: &ObjectMeta) -> String {
    match &object.e_tag {
        Some(tag) => tag.trim_matches('"').to_owned(),
        None => format!("{AT}{}", object.last_modified.timestamp_micros()),
    }
}

const AT: &str = "at ";

/// The tag as a condition. A weak one does not promise the same bytes and is none (RFC 9110, 13.1.1).
fn condition(tag: &str) -> Option<String> {
    (!tag.starts_with("W/") && !tag.starts_with(AT)).then(|| format!("\"{tag}\""))
}

/// Stands for the bytes of a file of a store that was not brought here: its length and its tag.
pub(crate) fn surrogate(file: SourceFile) -> SourceFile {
    let Some(tag) = &file.tag else { return file };
    let digest = Sha256::digest(format!("{} {tag}", file.bytes));
    SourceFile { digest: Digest::from_sha256(digest.into()), ..file }
}

fn below<'a>(key: &'a str, base: &str) -> Option<&'a str> {
    if base.is_empty() { Some(key) } else { key.strip_prefix(base)?.strip_prefix('/') }
}

fn transport(credentials: Option<&Credentials>, bearer: Option<&str>) -> Result<Transport, ElsewhereError> {
    let Some(credentials) = credentials else {
        return Transport::new(None, None)
            .map_err(|why| ElsewhereError::Refused { place: "a client of stores".into(), why });
    };
    let wrong = |why: String| credentials.wrong(format!("cannot be used: {why}"));
    Transport::new(credentials.get("ca.crt")?, bearer).map_err(wrong)
}

/// Without keys nothing is signed; the keys of the machine are never looked for.
fn signed(builder: AmazonS3Builder, credentials: Option<&Credentials>) -> Result<AmazonS3Builder, ElsewhereError> {
    let Some(credentials) = credentials else { return Ok(builder.with_skip_signature(true)) };
    if credentials.get("AWS_ACCESS_KEY_ID")?.is_none() && credentials.get("ca.crt")?.is_some() {
        return Ok(builder.with_skip_signature(true));
    }
    let builder = builder
        .with_access_key_id(credentials.need("AWS_ACCESS_KEY_ID")?)
        .with_secret_access_key(credentials.need("AWS_SECRET_ACCESS_KEY")?);
    Ok(match credentials.get("AWS_SESSION_TOKEN")? {
        Some(token) => builder.with_token(token),
        None => builder,
    })
}

/// What an error came of, the closest cause last.
fn causes(error: &object_store::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

/// The status that a store answered with, where one answered: `403 Forbidden`.
fn status(causes: &[String]) -> Option<&str> {
    let (_, after) = causes.iter().find_map(|cause| cause.split_once("status code: "))?;
    Some(after.split(':').next().unwrap_or(after).trim())
}

fn is_refusal(causes: &[String]) -> bool {
    let led_away = || causes.iter().any(|cause| cause.contains("Received redirect"));
    status(causes).map_or_else(led_away, |status| status.starts_with(['3', '4']))
}

/// What the store says by code and message, or its status, or why it was not reached; never how often it was asked.
fn told(causes: &[String]) -> String {
    let said = causes.iter().find_map(|cause| Some((between(cause, "Code")?, between(cause, "Message"))));
    match (said, status(causes)) {
        (Some((code, Some(message))), _) => format!("{code}: {message}"),
        (Some((code, None)), _) => code.to_owned(),
        (None, Some(status)) => format!("it answers {status}"),
        (None, None) => {
            let last = causes.last().map(String::as_str).unwrap_or_default();
            last.lines().next().unwrap_or_default().chars().take(300).collect()
        }
    }
}

fn between<'a>(text: &'a str, element: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("<{element}>"))?;
    after.split_once(&format!("</{element}>")).map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cause: &str, expect: &str, refusal: bool) {
        let causes = vec!["Generic S3 error: Error performing GET x in 1.2s".to_owned(), cause.to_owned()];
        assert_eq!((told(&causes).as_str(), is_refusal(&causes)), (expect, refusal), "{cause}");
    }

    #[test]
    fn a_store_is_quoted_by_code_and_message() {
        let body = "<Error><Code>AccessDenied</Code><Message>No.</Message><HostId>a1</HostId></Error>";
        let status = "Server returned non-2xx status code: ";
        check(&format!("{status}403 Forbidden: {body}"), "AccessDenied: No.", true);
        check(&format!("{status}400 Bad Request: "), "it answers 400 Bad Request", true);
        check(&format!("{status}503 Service Unavailable: <Code>SlowDown</Code>"), "SlowDown", false);
        check("Received redirect without LOCATION", "Received redirect without LOCATION", true);
        check("Connection refused (os error 111)", "Connection refused (os error 111)", false);
    }

    #[test]
    fn another_length_or_tag_is_another_file() {
        let file = |bytes, tag: &str| SourceFile {
            path: "s3://b/x".into(),
            digest: Digest::from_sha256([1; 32]),
            bytes,
            modified: 0,
            tag: Some(tag.into()),
        };
        let digest = |bytes, tag: &str| surrogate(file(bytes, tag)).digest;
        assert_eq!(digest(1, "a"), digest(1, "a"));
        assert_ne!(digest(1, "a"), digest(2, "a"));
        assert_ne!(digest(1, "a"), digest(1, "b"));
        let local = SourceFile { tag: None, ..file(1, "") };
        assert_eq!(surrogate(local.clone()), local);
    }

    #[test]
    fn what_is_below_a_key_begins_after_its_slash() {
        assert_eq!(below("a/b/c", "a/b"), Some("c"));
        assert_eq!(below("a/bc", "a/b"), None);
        assert_eq!(below("a", ""), Some("a"));
    }
}

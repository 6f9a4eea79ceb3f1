//! Where a URL leads: which host is asked, and what of it is meant.

use bedplate_kinds::{DatasetSource, ObjectStore};
use bedplate_lake::source::{BadPattern, Pattern};
use url::Url;

use super::{ElsewhereError, Hosts};
use crate::source::SourceError;

/// A URL that is allowed, taken apart.
#[derive(Debug)]
pub(super) enum Located {
    /// Keys of a bucket.
    S3 { bucket: String, endpoint: Url, region: String, pattern: Pattern },
    /// One file.
    Web { server: Url, file: Url },
}

impl Located {
    pub fn of(source: &DatasetSource, hosts: &Hosts) -> Result<Self, SourceError> {
        let store = source.store.clone().unwrap_or_default();
        let located = match source.path.strip_prefix("s3://") {
            Some(rest) => Self::s3(rest, &store, &source.path)?,
            None => Self::web(&source.path)?,
        };
        located.allowed(hosts)?;
        Ok(located)
    }

    fn s3(rest: &str, store: &ObjectStore, path: &str) -> Result<Self, SourceError> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let region = store.region.clone().unwrap_or_else(|| "us-east-1".into());
        let usual = format!("https://s3.{region}.amazonaws.com");
        let endpoint = store.endpoint.clone().unwrap_or(usual);
        let pattern = Pattern::parse(key).map_err(|error| BadPattern { path: path.to_owned(), why: error.why })?;
        Ok(Self::S3 { bucket: bucket.to_owned(), endpoint: url(&endpoint)?, region, pattern })
    }

    fn web(path: &str) -> Result<Self, SourceError> {
        let file = url(path)?;
        let mut server = file.clone();
        server.set_path("");
        Ok(Self::Web { server, file })
    }

    fn allowed(&self, hosts: &Hosts) -> Result<(), ElsewhereError> {
        let (Self::S3 { endpoint: server, .. } | Self::Web { server, .. }) = self;
        let host = server.host_str().unwrap_or_default();
        let port = server.port_or_known_default().unwrap_or_default();
        if server.scheme() == "https" { hosts.allow(host, port) } else { hosts.allow_plain(host, port) }
    }
}

fn url(text: &str) -> Result<Url, SourceError> {
    let wrong = |why: String| BadPattern { path: text.to_owned(), why };
    Ok(Url::parse(text).map_err(|error| wrong(error.to_string()))?)
}

#[cfg(test)]
mod tests {
    use bedplate_types::{ErrorKind, Explained};

    use super::*;

    fn located(path: &str, endpoint: Option<&str>, hosts: &[&str]) -> Result<Located, SourceError> {
        let store = ObjectStore { endpoint: endpoint.map(Into::into), ..ObjectStore::default() };
        let source = DatasetSource { store: Some(store), ..DatasetSource::at(path) };
        Located::of(&source, &hosts.iter().map(|host| host.parse::<super::super::Host>().unwrap()).collect())
    }

    #[test]
    fn the_host_that_is_asked_must_be_allowed() {
        let denied = |path: &str, endpoint, hosts: &[&str], words: &str| {
            let error = located(path, endpoint, hosts).unwrap_err();
            let told = format!("{error} {}", error.fix().unwrap());
            assert!(error.kind() == ErrorKind::Denied && told.contains(words), "{told}");
        };
        denied("s3://b/x", None, &[], "--source-host s3.us-east-1.amazonaws.com:443");
        denied("s3://b/x", Some("http://10.0.0.1:9000"), &["10.0.0.1"], "without TLS");
        denied("s3://b/x", Some("https://evil.example"), &["s3.us-east-1.amazonaws.com"], "evil.example:443");
        denied("https://h.example/x.csv", None, &["h.example:8443"], "h.example:443");
        assert!(located("s3://b/x", None, &["s3.us-east-1.amazonaws.com"]).is_ok());
        assert!(located("s3://b/x", Some("http://127.0.0.1:7072"), &["127.0.0.1"]).is_ok());
        assert!(located("http://h/x", None, &["http://h"]).is_ok());
    }

    #[test]
    fn a_url_is_taken_apart() {
        let Located::S3 { bucket, pattern, .. } =
            located("s3://b/y/2013/*.csv", None, &["s3.us-east-1.amazonaws.com"]).unwrap()
        else {
            panic!("it is S3")
        };
        assert_eq!((bucket.as_str(), pattern.base.to_str()), ("b", Some("y/2013")));
        assert_eq!(pattern.rest.len(), 1);
    }
}

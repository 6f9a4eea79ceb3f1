//! How the store of a URL is reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset_source::{DatasetSource, Format};
use crate::validate::{FieldError, not_empty};

/// How the store of `s3://…` or `https://…` is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStore {
    /// A Secret of the same namespace with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and perhaps `AWS_SESSION_TOKEN`; for
    /// https, with `BEARER_TOKEN`. In either, `ca.crt` names whom to trust besides the machine's own authorities. Unsaid, the
    /// store is asked as nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Where S3 is spoken, when that is not Amazon: `https://minio.example:9000`. Buckets are named in the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region that requests are signed for; unsaid, us-east-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

const ENDPOINT: &str = "spec.source.store.endpoint";

impl ObjectStore {
    fn check(&self, is_s3: bool) -> Vec<FieldError> {
        let mut errors: Vec<FieldError> =
            self.credentials.iter().filter_map(|name| not_empty("spec.source.store.credentials", name)).collect();
        if let Some(endpoint) = &self.endpoint {
            let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
            if host.is_none_or(|host| host.trim_end_matches('/').is_empty() || host.contains(['@', '?', '#'])) {
                errors.push(FieldError::new(ENDPOINT, "must be https://host or http://host, perhaps with a port"));
            }
        }
        for (field, said) in [("endpoint", self.endpoint.is_some()), ("region", self.region.is_some())] {
            if said && !is_s3 {
                errors.push(FieldError::new(format!("spec.source.store.{field}"), "is for s3:// alone"));
            }
        }
        errors
    }
}

/// Whether a path is the URL of something elsewhere.
pub(crate) fn is_url(path: &str) -> bool {
    path.contains("://")
}

/// What is wrong with a path that is a URL, and with how its store is reached.
pub(crate) fn check(source: &DatasetSource) -> Vec<FieldError> {
    let Some((scheme, rest)) = source.path.split_once("://") else {
        let stray = source
            .store
            .as_ref()
            .map(|_| FieldError::new("spec.source.store", "is for a path that begins with s3:// or https://"));
        return stray.into_iter().collect();
    };
    let mut errors: Vec<FieldError> = check_path(scheme, rest).into_iter().collect();
    if source.format == Some(Format::Delta) || source.version.is_some() {
        let why = "Delta tables are read from folders of this machine; name the table's Parquet files";
        errors.push(FieldError::new("spec.source.format", why));
    }
    errors.extend(source.store.iter().flat_map(|store| store.check(scheme == "s3")));
    errors
}

fn check_path(scheme: &str, rest: &str) -> Option<FieldError> {
    let wrong = |why: &str| Some(FieldError::new("spec.source.path", why));
    let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
    match scheme {
        "s3" if host.is_empty() || host.contains(['*', '?', '[', '@', ':']) => {
            wrong("must be s3://bucket/key, and the bucket has no wildcard")
        }
        "s3" => None,
        "https" | "http" if host.contains('@') => wrong("must hold no password; name a Secret in spec.source.store"),
        "https" | "http" if rest.contains(['?', '#']) => wrong(
            "must have no ? or #: what stands there may be a secret, and a path is shown; wildcards are for s3://",
        ),
        "https" | "http" if host.is_empty() || key.is_empty() => wrong("must be https://host/file"),
        "https" | "http" if rest.contains(['*', '[']) => wrong("is one file: wildcards are for s3://"),
        "https" | "http" => None,
        _ => wrong("must be a path, or begin with s3:// or https://"),
    }
}

//! The in-toto statement of a model signature (predicate `https://model_signing/signature/v1.0`).

use std::collections::BTreeMap;

use bedplate_types::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::VerifyError;
use crate::files::{Files, signed_files};

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Debug, Serialize, Deserialize)]
struct Resource {
    name: String,
    digest: String,
    algorithm: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
    #[serde(default)]
    allow_symlinks: bool,
    /// Written empty; not honoured when read: a file that is there must be signed.
    #[serde(default)]
    ignore_paths: Vec<String>,
}

impl Statement {
    pub fn of(model: &str, files: &Files) -> Self {
        let resource = |(name, digest): (&String, &Digest)| Resource {
            name: name.clone(),
            digest: digest.hex(),
            algorithm: "sha256".to_owned(),
        };
        let root = root(signed_files(files).map(|(_, digest)| digest));
        let digest = BTreeMap::from([("sha256".to_owned(), root.hex())]);
        let serialization = Serialization {
            method: "files".to_owned(),
            hash_type: "sha256".to_owned(),
            allow_symlinks: false,
            ignore_paths: Vec::new(),
        };
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject { name: model.to_owned(), digest }],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate { resources: signed_files(files).map(resource).collect(), serialization },
        }
    }

    /// The files the statement speaks of, after checking that it is of the one known form and agrees with itself.
    pub fn files(&self) -> Result<Files, VerifyError> {
        self.check_form()?;
        let mut files = Files::new();
        let mut digests = Vec::new();
        for resource in &self.predicate.resources {
            let digest = digest(resource)?;
            digests.push(digest);
            if files.insert(resource.name.clone(), digest).is_some() {
                return Err(not_a_bundle(format!("{:?} is listed twice", resource.name)));
            }
        }
        let stated = self.subject[0].digest.get("sha256");
        if stated == Some(&root(&digests).hex()) { Ok(files) } else { Err(not_a_bundle("the root digest is wrong")) }
    }

    fn check_form(&self) -> Result<(), VerifyError> {
        let serialization = &self.predicate.serialization;
        let forms = [
            ("_type", &self.kind, STATEMENT_TYPE),
            ("predicateType", &self.predicate_type, PREDICATE_TYPE),
            ("serialization.method", &serialization.method, "files"),
            ("serialization.hash_type", &serialization.hash_type, "sha256"),
        ];
        if let Some((field, found, expected)) = forms.iter().find(|(_, found, expected)| found != expected) {
            return Err(not_a_bundle(format!("{field} is {found:?}, not {expected:?}")));
        }
        if self.subject.len() == 1 { Ok(()) } else { Err(not_a_bundle("it has not exactly one subject")) }
    }
}

fn digest(resource: &Resource) -> Result<Digest, VerifyError> {
    let text = format!("{}:{}", resource.algorithm, resource.digest);
    text.parse().map_err(|_| not_a_bundle(format!("{text:?} of {:?} is no SHA-256", resource.name)))
}

/// SHA-256 over the raw digests one after the other, in the order listed.
fn root<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut hasher = Sha256::new();
    for digest in digests {
        hasher.update(digest.as_bytes());
    }
    Digest::from_sha256(hasher.finalize().into())
}

pub(crate) fn not_a_bundle(why: impl Into<String>) -> VerifyError {
    VerifyError::NotABundle(why.into())
}

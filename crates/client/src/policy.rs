//! `policy`: what was decided and why, and policies with their tests, read from files.

use std::path::{Path, PathBuf};

use bedplate_kinds::{PolicySpec, RoleBindingSpec};
use bedplate_policy::{Cases, Grant, Role, Source};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ClientError;
use crate::manifest::{self, Manifest, ManifestError};
use crate::request::{JSON, get, query, send};

/// How a file of cases ends.
pub const CASES: &str = ".policytest.yaml";

/// Decisions, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Decisions<'a> {
    /// All namespaces, when left out.
    pub namespace: Option<&'a str>,
    pub principal: Option<&'a str>,
    pub denied_only: bool,
    pub limit: u32,
}

pub async fn policy_decisions(client: &Client, wanted: &Decisions<'_>) -> Result<Value, ClientError> {
    let limit = wanted.limit.to_string();
    let denied = wanted.denied_only.then_some("true");
    let asked = query(&[
        ("namespace", wanted.namespace),
        ("principal", wanted.principal),
        ("denied", denied),
        ("limit", Some(&limit)),
    ]);
    send(client, get(&format!("/bedplate/v1/policy/decisions{asked}"), JSON)?).await
}

/// What the policy would say: `pairs` are the question's, as the platform names them.
pub async fn policy_why(client: &Client, pairs: &[(&str, Option<&str>)]) -> Result<Value, ClientError> {
    send(client, get(&format!("/bedplate/v1/policy/why{}", query(pairs)), JSON)?).await
}

/// What the files of a folder, or one file, declare about policies.
#[derive(Clone, Debug, Default)]
pub struct PolicyFiles {
    /// Each with the file it was read from.
    pub sources: Vec<(PathBuf, Source)>,
    /// Those that RoleBindings beside the policies give.
    pub grants: Vec<Grant>,
    pub cases: Vec<(PathBuf, Cases)>,
}

/// Reads Policies and RoleBindings from manifests, policies from files ending in `.cedar` (of `namespace`, named after the
/// file), and cases from files ending in [`CASES`].
///
/// # Errors
/// [`ManifestError`] for what cannot be read; what a policy says is not judged here.
pub fn policy_files(path: &Path, namespace: &str) -> Result<PolicyFiles, ManifestError> {
    let files = if path.is_dir() { manifest::all_files_in(path)? } else { vec![path.to_owned()] };
    let mut found = PolicyFiles::default();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(CASES) {
            found.cases.push((file.clone(), cases(&file)?));
        } else if let Some(stem) = name.strip_suffix(".cedar") {
            let cedar = manifest::read(&file)?;
            found.sources.push((file, Source { namespace: namespace.into(), name: stem.into(), cedar }));
        } else if [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end)) {
            for manifest in manifest::parse_manifests(&manifest::read(&file)?, &file)? {
                found.add(&manifest)?;
            }
        }
    }
    Ok(found)
}

impl PolicyFiles {
    fn add(&mut self, manifest: &Manifest) -> Result<(), ManifestError> {
        let spec = &manifest.object.data["spec"];
        let namespace = manifest.object.metadata.namespace.as_deref().unwrap_or("default");
        let malformed = |error: serde_json::Error| ManifestError::Malformed {
            file: manifest.file.clone(),
            line: manifest.line,
            why: format!("the spec of {} {}: {error}", manifest.kind(), manifest.name()),
        };
        match manifest.kind() {
            "Policy" => {
                let spec = PolicySpec::deserialize(spec).map_err(malformed)?;
                let source = Source { namespace: namespace.into(), name: manifest.name().into(), cedar: spec.cedar };
                self.sources.push((manifest.file.clone(), source));
            }
            "RoleBinding" => {
                let spec = RoleBindingSpec::deserialize(spec).map_err(malformed)?;
                let role = match spec.role {
                    bedplate_kinds::BoundRole::Viewer => Role::Viewer,
                    bedplate_kinds::BoundRole::Editor => Role::Editor,
                    bedplate_kinds::BoundRole::Owner => Role::Owner,
                };
                let subjects = spec.subjects.iter();
                self.grants.extend(subjects.map(|subject| Grant::new(subject.principal(namespace), namespace, role)));
            }
            _ => {}
        }
        Ok(())
    }
}

fn cases(file: &Path) -> Result<Cases, ManifestError> {
    serde_saphyr::from_str(&manifest::read(file)?).map_err(|error| ManifestError::Malformed {
        file: file.to_owned(),
        line: manifest::line_of(&error) + 1,
        why: manifest::first_line(&error.to_string()),
    })
}

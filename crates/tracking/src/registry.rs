//! Versions of one model, as its status lists them.

use bedplate_kinds::{ModelStatus, ModelVersion};
use bedplate_types::{Digest, ErrorKind, Explained};

/// What registering a model comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// These bytes are new and get this number.
    New(u32),
    /// These bytes are this version already.
    AlreadyRegistered(u32),
}

impl Registration {
    #[must_use]
    pub const fn version(self) -> u32 {
        match self {
            Self::New(version) | Self::AlreadyRegistered(version) => version,
        }
    }
}

/// No version is what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    #[error("the model has no version yet")]
    NoVersions,
    #[error("the model has no version {asked}; it has {}", list(have))]
    NoSuchVersion { asked: u32, have: Vec<u32> },
}

fn list(versions: &[u32]) -> String {
    versions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

impl Explained for RegistryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoVersions => ErrorKind::NotReady,
            Self::NoSuchVersion { .. } => ErrorKind::NotFound,
        }
    }

    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::NoVersions => "see why no training run passed its gates: bedplate get trainingrecipes".into(),
            Self::NoSuchVersion { .. } => "set spec.version to one of these, or leave it out for the newest".into(),
        })
    }
}

/// The version the bytes with this digest are, or become. Numbers start at 1 and are never used again, also not when
/// `latest` remembers one whose version is gone.
#[must_use]
pub fn next_version(status: &ModelStatus, candidate: &Digest) -> Registration {
    let digest = candidate.to_string();
    match status.versions.iter().find(|version| version.digest == digest) {
        Some(known) => Registration::AlreadyRegistered(known.version),
        None => Registration::New(highest(status).saturating_add(1)),
    }
}

fn highest(status: &ModelStatus) -> u32 {
    status.versions.iter().map(|version| version.version).chain(status.latest).max().unwrap_or(0)
}

/// The version of that number; the one of the highest number when none is given.
///
/// # Errors
/// [`RegistryError::NoVersions`] when there is none at all, [`RegistryError::NoSuchVersion`] when not that one.
pub fn resolve(status: &ModelStatus, version: Option<u32>) -> Result<&ModelVersion, RegistryError> {
    let newest = status.versions.iter().max_by_key(|known| known.version).ok_or(RegistryError::NoVersions)?;
    let Some(asked) = version else { return Ok(newest) };
    let found = status.versions.iter().find(|known| known.version == asked);
    found.ok_or_else(|| RegistryError::NoSuchVersion {
        asked,
        have: status.versions.iter().map(|v| v.version).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedplate_types::Timestamp;

    fn digest(byte: u8) -> Digest {
        Digest::from_sha256([byte; 32])
    }

    fn version(number: u32, byte: u8) -> ModelVersion {
        ModelVersion {
            version: number,
            digest: digest(byte).to_string(),
            location: String::new(),
            recipe: String::new(),
            run_id: String::new(),
            training_set: String::new(),
            view_versions: Default::default(),
            metrics: Default::default(),
            gates: Vec::new(),
            signed: true,
            tags: None,
            created_at: Timestamp::from_micros(0),
        }
    }

    fn model(versions: Vec<ModelVersion>) -> ModelStatus {
        ModelStatus { versions, ..ModelStatus::default() }
    }

    #[test]
    fn the_same_bytes_are_the_same_version() {
        let status = model(vec![version(1, 0xa), version(2, 0xb)]);
        assert_eq!(next_version(&status, &digest(0xa)), Registration::AlreadyRegistered(1));
        assert_eq!(next_version(&status, &digest(0xc)), Registration::New(3));
        assert_eq!(next_version(&model(vec![]), &digest(0xc)), Registration::New(1));
    }

    #[test]
    fn a_number_is_never_used_again() {
        let status = ModelStatus { latest: Some(7), ..model(vec![version(2, 0xa)]) };
        assert_eq!(next_version(&status, &digest(0xc)), Registration::New(8));
    }

    #[test]
    fn resolves_the_newest_a_number_or_says_what_there_is() {
        let status = model(vec![version(3, 0xb), version(1, 0xa)]);
        assert_eq!(resolve(&status, None).map(|v| v.version), Ok(3));
        assert_eq!(resolve(&status, Some(1)).map(|v| v.version), Ok(1));
        let error = resolve(&status, Some(2)).unwrap_err();
        assert_eq!(error.to_string(), "the model has no version 2; it has 3, 1");
        assert_eq!(
            (error.kind(), resolve(&model(vec![]), None)),
            (ErrorKind::NotFound, Err(RegistryError::NoVersions))
        );
    }
}

//! The file a plan is kept in: what it is, of which version, how long, and a digest over it, so that a damaged one is never
//! carried out. The layout: [`MAGIC`]; version (u32, little-endian); length of the body (u64, little-endian); SHA-256 of
//! version, length and body; the body, JSON of a [`Saved`].

use bedplate_types::{ErrorKind, Explained};
use sha2::{Digest as _, Sha256};

use crate::carry_out::Saved;
use crate::document::VERSION;

/// What every plan file begins with.
pub const MAGIC: &[u8; 14] = b"bedplate plan\n";
/// The largest file that is read.
pub const LARGEST: u64 = 16 << 20;
const HEAD: usize = MAGIC.len() + 4 + 8 + 32;

/// A file that is not a plan that can be carried out.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("it is no plan of bedplate")]
    NoPlan,
    #[error("it is a plan of version {found}, this bedplate knows {VERSION}")]
    Version { found: u32 },
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("it is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("it cannot be written as JSON: {0}")]
    Body(String),
}

impl Explained for FileError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPlan | Self::Version { .. } => ErrorKind::Invalid,
            Self::Damaged(_) => ErrorKind::Corrupt,
            Self::TooLarge => ErrorKind::TooLarge,
            Self::Body(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        Some("plan again: bedplate plan -f DIR -o plan.bin".to_owned())
    }
}

/// The file's bytes. They hold what Secrets hold: the file is for its owner only.
///
/// # Errors
/// [`FileError::TooLarge`].
pub fn write(saved: &Saved) -> Result<Vec<u8>, FileError> {
    let body = serde_json::to_vec(saved).map_err(|error| FileError::Body(error.to_string()))?;
    let (version, length) = (VERSION.to_le_bytes(), (body.len() as u64).to_le_bytes());
    let digest = digest(&version, &length, &body);
    let bytes = [MAGIC.as_slice(), &version, &length, &digest, &body].concat();
    if bytes.len() as u64 > LARGEST { Err(FileError::TooLarge) } else { Ok(bytes) }
}

/// Reads such a file.
///
/// # Errors
/// [`FileError`]; a single changed byte is found.
pub fn read(bytes: &[u8]) -> Result<Saved, FileError> {
    if bytes.len() as u64 > LARGEST {
        return Err(FileError::TooLarge);
    }
    if !bytes.starts_with(MAGIC) {
        return Err(FileError::NoPlan);
    }
    let head = bytes.get(MAGIC.len()..HEAD).ok_or(FileError::Damaged("it ends within its head"))?;
    let (version, rest) = head.split_first_chunk::<4>().ok_or(FileError::NoPlan)?;
    let (length, known) = rest.split_first_chunk::<8>().ok_or(FileError::NoPlan)?;
    let found = u32::from_le_bytes(*version);
    if found != VERSION {
        return Err(FileError::Version { found });
    }
    let body = &bytes[HEAD..];
    if u64::from_le_bytes(*length) != body.len() as u64 {
        return Err(FileError::Damaged("it is not as long as it says"));
    }
    if digest(version, length, body) != known {
        return Err(FileError::Damaged("its bytes are not those that were written"));
    }
    serde_json::from_slice(body).map_err(|_| FileError::Damaged("its body is no plan"))
}

fn digest(version: &[u8], length: &[u8], body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(version).chain_update(length).chain_update(body).finalize().into()
}

#[cfg(test)]
mod tests {
    use bedplate_types::Timestamp;

    use super::*;
    use crate::document::{Outcome, Plan, Summary};
    use crate::planner::Asked;

    fn saved() -> Saved {
        let plan = Plan {
            version: VERSION,
            digest: "sha256:x".into(),
            at: Timestamp::from_micros(0),
            principal: "user:ana".into(),
            currency: "EUR".into(),
            steps: Vec::new(),
            budgets: Vec::new(),
            summary: Summary::default(),
            verdict: Outcome::NoChange,
            exit_code: 0,
        };
        Saved { plan, asked: Asked::default() }
    }

    #[test]
    fn a_plan_comes_back_as_it_was_written() {
        let bytes = write(&saved()).unwrap();
        assert_eq!(read(&bytes).unwrap().plan, saved().plan);
    }

    #[test]
    fn no_byte_can_change_unseen_and_none_be_missing() {
        let bytes = write(&saved()).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(read(&other).is_err(), "byte {at}");
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(read(&[bytes.as_slice(), b" "].concat()).is_err());
    }

    #[test]
    fn what_is_no_plan_and_what_is_of_another_version_are_told_apart() {
        assert!(matches!(read(b"apiVersion: v1"), Err(FileError::NoPlan)));
        let mut newer = write(&saved()).unwrap();
        newer[MAGIC.len()] = 9;
        assert!(matches!(read(&newer), Err(FileError::Version { found: 9 })));
    }
}

//! The keys a home holds, or the folder that its replicas share: made once, from the machine's randomness, readable by the owner only.

use bedplate_trust::SigningKey;
use bedplate_types::{ErrorKind, Problem};

use crate::home::{Home, write_private};

/// `N` bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Problem::new(ErrorKind::Internal, "the machine's randomness", error.to_string()))?;
    Ok(bytes)
}

/// The key models are signed with; its public half is written beside it for verifiers.
pub fn model_signing(home: &Home) -> Result<SigningKey, Problem> {
    let pem = home.secret("keys/model-signing.pem", || {
        let of = |error: bedplate_trust::KeyError| Problem::of("a new signing key", &error);
        SigningKey::from_random(&random()?).and_then(|key| key.to_pem()).map(String::into_bytes).map_err(of)
    })?;
    let text = String::from_utf8_lossy(&pem);
    let key = SigningKey::from_pem(&text).map_err(|error| Problem::of("keys/model-signing.pem", &error))?;
    let public = key.public_pem().map_err(|error| Problem::of("keys/model-signing.pem", &error))?;
    write_private(&home.path("keys/model-signing.pub"), public.as_bytes())?;
    Ok(key)
}

/// The key Secrets are sealed with.
pub fn secrets(home: &Home) -> Result<[u8; 32], Problem> {
    let key = home.secret("keys/secrets.key", || Ok(random::<32>()?.to_vec()))?;
    key.try_into().map_err(|_| {
        Problem::new(ErrorKind::Corrupt, "keys/secrets.key", "is not 32 bytes long")
            .with_fix("put back the file from a backup: without it the stored Secrets cannot be read")
    })
}

/// The key that pseudonyms in SQL are made with: with another one they are others.
pub fn sql(home: &Home) -> Result<[u8; 32], Problem> {
    let key = home.secret("keys/sql.key", || Ok(random::<32>()?.to_vec()))?;
    key.try_into().map_err(|_| {
        Problem::new(ErrorKind::Corrupt, "keys/sql.key", "is not 32 bytes long")
            .with_fix("put back the file from a backup, or delete it: masked columns then get other pseudonyms")
    })
}

/// The seed of the key that signs the audit log's checkpoints.
pub fn audit_seed(home: &Home) -> Result<[u8; 32], Problem> {
    let seed = home.secret("keys/audit-signing.seed", || Ok(random::<32>()?.to_vec()))?;
    seed.try_into().map_err(|_| Problem::new(ErrorKind::Corrupt, "keys/audit-signing.seed", "is not 32 bytes long"))
}

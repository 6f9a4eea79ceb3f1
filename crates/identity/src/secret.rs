//! The token itself: `bp_` and 256 bits, in base64url (RFC 4648 section 5) without padding.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::IdentityError;

const PREFIX: &str = "bp_";

/// SHA-256 of a well-formed token: what is stored, and what is looked up. 256 random bits need no slow hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn hex(self) -> String {
        hex::encode(self.0)
    }

    /// As [`TokenHash::hex`] wrote it.
    pub(crate) fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The name of a token, safe to show.
    pub(crate) fn id(self) -> String {
        hex::encode(&self.0[..8])
    }
}

/// The id under which a token is listed and revoked.
///
/// # Errors
/// [`IdentityError::Malformed`].
pub fn token_id(token: &str) -> Result<String, IdentityError> {
    hash(token).map(TokenHash::id)
}

pub(crate) fn token(random: [u8; 32]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
}

pub(crate) fn hash(token: &str) -> Result<TokenHash, IdentityError> {
    let body = token.strip_prefix(PREFIX).ok_or(IdentityError::Malformed)?;
    let raw = URL_SAFE_NO_PAD.decode(body).map_err(|_| IdentityError::Malformed)?;
    if raw.len() != 32 {
        return Err(IdentityError::Malformed);
    }
    Ok(TokenHash(Sha256::digest(token.as_bytes()).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_tokens_and_no_others() {
        let token = token([7; 32]);
        assert_eq!((token.len(), &token[..6]), (46, "bp_Bwc"));
        assert_eq!(token_id(&token).unwrap().len(), 16);
        let known = hash(&token).unwrap();
        assert!(TokenHash::parse(&known.hex()) == Some(known) && TokenHash::parse("00").is_none());
        for bad in ["", "bp_", "bp_short", &token[3..], &format!("{token}A"), &token.replace("Bw", "B+")] {
            assert!(matches!(hash(bad), Err(IdentityError::Malformed)), "{bad}");
        }
    }
}

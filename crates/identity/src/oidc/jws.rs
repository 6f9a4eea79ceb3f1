//! The compact form of a signed token (RFC 7515 section 3.1), and the few signatures that are accepted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::OidcError;

/// No ID token is longer, with all the groups somebody may be in.
const LONGEST: usize = 32 * 1024;

/// A token taken apart; nothing in it is believed yet.
pub(super) struct Parts<'a> {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    /// What was signed.
    pub message: &'a str,
    pub signature: Vec<u8>,
    payload: Vec<u8>,
}

/// Public keys only: with `none` or a shared secret anybody could have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that must be understood: none is.
    crit: Option<Value>,
}

pub(super) fn read(token: &str) -> Result<Parts<'_>, OidcError> {
    if token.len() > LONGEST {
        return Err(OidcError::Malformed("it is too long"));
    }
    let (message, signature) = token.rsplit_once('.').ok_or(OidcError::Malformed("it is not in three parts"))?;
    let (header, payload) = message.split_once('.').ok_or(OidcError::Malformed("it is not in three parts"))?;
    let header: Header =
        serde_json::from_slice(&decoded(header)?).map_err(|_| OidcError::Malformed("its header is not understood"))?;
    let algorithm = Algorithm::named(&header.alg).ok_or(OidcError::Algorithm(header.alg))?;
    if header.crit.is_some() || header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(OidcError::Malformed("it is no ID token"));
    }
    Ok(Parts { algorithm, kid: header.kid, message, signature: decoded(signature)?, payload: decoded(payload)? })
}

impl Parts<'_> {
    pub fn claims(&self) -> Result<Map<String, Value>, OidcError> {
        serde_json::from_slice(&self.payload).map_err(|_| OidcError::Malformed("its claims are not a JSON object"))
    }
}

pub(super) fn decoded(text: &str) -> Result<Vec<u8>, OidcError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| OidcError::Malformed("a part is not base64url"))
}

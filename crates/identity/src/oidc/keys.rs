//! The provider's public keys (JWKS), and what they say of a signature.

use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

use super::OidcError;
use super::jws::{Algorithm, Parts, decoded};

const MOST: usize = 200;

/// Keys that may sign, as the provider published them.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    kid: Option<String>,
    /// The only algorithm it is for, if it says so.
    alg: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads the document. Keys for something else, or of a kind not known here, are left out.
    ///
    /// # Errors
    /// [`OidcError::Keys`].
    pub fn read(document: &[u8]) -> Result<Self, OidcError> {
        let jwks: Jwks = serde_json::from_slice(document).map_err(|error| OidcError::Keys(error.to_string()))?;
        if jwks.keys.len() > MOST {
            return Err(OidcError::Keys(format!("there are more than {MOST} of them")));
        }
        Ok(Self(jwks.keys.iter().filter_map(Key::of).collect()))
    }

    pub(super) fn verify(&self, parts: &Parts<'_>) -> Result<(), OidcError> {
        let fitting = self.0.iter().filter(|key| key.fits(parts));
        let mut found = false;
        for key in fitting {
            found = true;
            if key.material.verify(parts).is_ok() {
                return Ok(());
            }
        }
        match found {
            true => Err(OidcError::Signature),
            false => Err(OidcError::UnknownKey { kid: parts.kid.clone().unwrap_or_default() }),
        }
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |field: &Option<String>| field.as_deref().and_then(|text| decoded(text).ok());
        let point = |size: usize| {
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            // SEC 1, section 2.3.3: uncompressed.
            (x.len() == size && y.len() == size).then(|| [vec![4], x, y].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { n: bytes(&jwk.n)?, e: bytes(&jwk.e)? },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&jwk.x)?),
            _ => return None,
        };
        Some(Self { kid: jwk.kid.clone(), alg: jwk.alg.clone(), material })
    }

    /// A token that names its key is verified with that one and no other.
    fn fits(&self, parts: &Parts<'_>) -> bool {
        let named = parts.kid.is_none() || self.kid == parts.kid;
        let meant = self.alg.as_deref().is_none_or(|alg| Algorithm::named(alg) == Some(parts.algorithm));
        named && meant && self.material.is_for(parts.algorithm)
    }
}

impl Material {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256),
            Self::P256(_) => algorithm == Es256,
            Self::P384(_) => algorithm == Es384,
            Self::Ed25519(_) => algorithm == EdDsa,
        }
    }

    fn verify(&self, parts: &Parts<'_>) -> Result<(), ring::error::Unspecified> {
        let (message, signed) = (parts.message.as_bytes(), parts.signature.as_slice());
        let plain = |algorithm: &'static dyn VerificationAlgorithm, key: &Vec<u8>| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signed)
        };
        match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(rsa(parts.algorithm), message, signed),
            Self::P256(key) => plain(&ECDSA_P256_SHA256_FIXED, key),
            Self::P384(key) => plain(&ECDSA_P384_SHA384_FIXED, key),
            Self::Ed25519(key) => plain(&ED25519, key),
        }
    }
}

/// All of them refuse moduli of less than 2048 bits.
fn rsa(algorithm: Algorithm) -> &'static RsaParameters {
    match algorithm {
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        _ => &signature::RSA_PKCS1_2048_8192_SHA256,
    }
}

//! Keys that sign requests instead of being shown, for clients that know nothing else (AWS Signature Version 4).

use ring::hmac;

use crate::IdentityError;
use crate::secret::{self, TokenHash};

/// Makes the secret that belongs to a token: of the token's hash and a key that is not in the database. It is kept nowhere,
/// ends with the token, and cannot be had from the database alone; the token cannot be had from it.
#[derive(Clone)]
pub struct AccessKeys(hmac::Key);

impl AccessKeys {
    /// Replicas that share the key make the same secrets.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, b"secrets of access keys").as_ref()))
    }

    /// The secret of the access key whose id is that of the token.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn secret(&self, token: &str) -> Result<String, IdentityError> {
        Ok(self.secret_of(secret::hash(token)?))
    }

    pub(crate) fn secret_of(&self, hash: TokenHash) -> String {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, hash.hex().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_one_secret_and_each_key_makes_others() {
        let (one, two) = (secret::token([1; 32]), secret::token([2; 32]));
        let keys = AccessKeys::new(&[7; 32]);
        assert_eq!(keys.secret(&one).unwrap(), AccessKeys::new(&[7; 32]).secret(&one).unwrap());
        assert_eq!(keys.secret(&one).unwrap().len(), 43);
        assert_ne!(keys.secret(&one).unwrap(), keys.secret(&two).unwrap());
        assert_ne!(keys.secret(&one).unwrap(), AccessKeys::new(&[8; 32]).secret(&one).unwrap());
        assert!(keys.secret("bp_x").is_err());
    }
}

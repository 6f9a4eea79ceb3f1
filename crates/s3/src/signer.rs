//! Who signed a request, and whether they may do it: asked before anything of the request is read but its head.

use bedplate_identity::{AccessKeys, Authenticator, IdentityError};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::error::internal;
use crate::guard::Guard;
use crate::{Caller, operation};

/// Looks up secrets. Those of tokens that ended too: only who knows the secret is told that it did.
pub(crate) struct Secrets {
    pub authenticator: Authenticator,
    pub keys: AccessKeys,
}

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let (authenticator, keys, id) = (self.authenticator.clone(), self.keys.clone(), access_key.to_owned());
        let found = tokio::task::spawn_blocking(move || authenticator.secret_access_key(&keys, &id)).await;
        match found.map_err(|error| internal(&error))? {
            Ok(secret) => Ok(SecretKey::from(secret)),
            Err(error) if error.may_be_a_guess() => {
                Err(s3_error!(InvalidAccessKeyId, "The access key ID that you provided does not exist."))
            }
            Err(error) => Err(internal(&error)),
        }
    }
}

/// Lets in who may, and tells the handlers who it is.
pub(crate) struct Doorkeeper {
    pub authenticator: Authenticator,
    pub guard: Guard,
}

#[async_trait::async_trait]
impl S3Access for Doorkeeper {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = cx.credentials() else {
            return Err(s3_error!(AccessDenied, "nothing is answered without a signature"));
        };
        let access_key = credentials.access_key.clone();
        let (authenticator, id) = (self.authenticator.clone(), access_key.clone());
        let holder = tokio::task::spawn_blocking(move || authenticator.holder(&id)).await;
        let principal = holder.map_err(|error| internal(&error))?.map_err(|error| ended(&error))?;
        let Some(known) = operation::find(cx.s3_op().name()) else {
            return Err(S3Error::with_message(
                S3ErrorCode::NotImplemented,
                format!("{} is not an operation there is here", cx.s3_op().name()),
            ));
        };
        let caller = Caller { principal, access_key };
        let path = cx.s3_path();
        if let Some(bucket) = path.get_bucket_name() {
            self.guard.check(&caller, known, bucket, path.get_object_key())?;
        }
        cx.extensions_mut().insert(caller);
        Ok(())
    }
}

fn ended(error: &IdentityError) -> S3Error {
    match error {
        IdentityError::Expired { .. } => {
            s3_error!(ExpiredToken, "The token that the access key belongs to has expired.")
        }
        IdentityError::Revoked { .. } | IdentityError::Unknown => {
            s3_error!(InvalidAccessKeyId, "The token that the access key belongs to was revoked.")
        }
        other => internal(other),
    }
}

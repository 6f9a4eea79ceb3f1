//! The way from a header to a principal, with a short memory.

use std::collections::HashMap;
use std::sync::Arc;

use bedplate_db::Db;
use bedplate_types::{Clock, Timestamp};
use parking_lot::Mutex;

use crate::access_key::AccessKeys;
use crate::admission::{Admission, Connections, SCHEME};
use crate::certificate::{self, ClientCertificate};
use crate::header::token_in;
use crate::secret::{self, TokenHash};
use crate::token::{self, TokenInfo};
use crate::{IdentityError, Principal};

/// How long a token revoked behind the authenticator's back, by another process for example, may still be believed.
const REMEMBERED_MICROS: i64 = 500_000;
const REMEMBERED_TOKENS: usize = 10_000;

/// Believes tokens. Clones share what they remember.
#[derive(Clone)]
pub struct Authenticator {
    db: Db,
    clock: Arc<dyn Clock>,
    memory: Arc<Mutex<Memory>>,
    connections: Connections,
}

#[derive(Default)]
struct Memory {
    known: HashMap<TokenHash, (Arc<TokenInfo>, Timestamp)>,
    /// Fingerprints of certificates that were not revoked then.
    good: HashMap<String, Timestamp>,
    /// By the ids of tokens.
    hashes: HashMap<String, TokenHash>,
    /// Counts the times everything was forgotten: what was read before must not be remembered after.
    age: u64,
}

impl Authenticator {
    #[must_use]
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock, memory: Arc::default(), connections: Arc::default() }
    }

    /// One that has seen nothing yet and believes the same: for whoever must not believe a moment longer.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self { memory: Arc::default(), ..self.clone() }
    }

    /// Lets a certificate that was verified stand for the requests of its connection, until that is dropped.
    #[must_use]
    pub fn admit(&self, certificate: ClientCertificate, random: [u8; 32]) -> Admission {
        Admission::new(&self.connections, certificate, random)
    }

    /// Who sent this `Authorization` header. Costs a hash when the token was seen within the last half second, else a read.
    ///
    /// # Errors
    /// [`IdentityError::Missing`] without a header, and as [`crate::authenticate`].
    pub fn authenticate(&self, header: Option<&str>) -> Result<Principal, IdentityError> {
        let now = self.clock.now();
        if let Some(secret) = header.and_then(|text| text.strip_prefix(SCHEME)) {
            return self.connected(secret.trim(), now);
        }
        Ok(self.info(secret::hash(&token_in(header)?)?, now)?.bearer())
    }

    /// The token, if it is good. Costs as much as [`Authenticator::authenticate`].
    ///
    /// # Errors
    /// As [`crate::authenticate`].
    pub fn token(&self, token: &str) -> Result<Arc<TokenInfo>, IdentityError> {
        self.info(secret::hash(token)?, self.clock.now())
    }

    /// The secret of an access key: of a token that ended as well, so that only who knows it is told that it did. May block
    /// for a read.
    ///
    /// # Errors
    /// [`IdentityError::Unknown`], [`IdentityError::Db`].
    pub fn secret_access_key(&self, keys: &AccessKeys, id: &str) -> Result<String, IdentityError> {
        self.hash_of(id).map(|hash| keys.secret_of(hash))
    }

    /// Who holds the token of that id: for whoever knows that they do. May block for a read.
    ///
    /// # Errors
    /// As [`crate::authenticate`].
    pub fn holder(&self, id: &str) -> Result<Principal, IdentityError> {
        Ok(self.info(self.hash_of(id)?, self.clock.now())?.bearer())
    }

    fn info(&self, hash: TokenHash, now: Timestamp) -> Result<Arc<TokenInfo>, IdentityError> {
        let info = match self.remembered(hash, now) {
            Some(info) => info,
            None => self.look_up(hash, now)?,
        };
        token::check(&info, now)?;
        Ok(info)
    }

    /// A token keeps its hash for ever, and one that was found was not made up.
    fn hash_of(&self, id: &str) -> Result<TokenHash, IdentityError> {
        if let Some(hash) = self.memory.lock().hashes.get(id) {
            return Ok(*hash);
        }
        let hash = self.db.read(|tx| token::hash_of(tx, id))?;
        let mut memory = self.memory.lock();
        if memory.hashes.len() >= REMEMBERED_TOKENS {
            memory.hashes.clear();
        }
        memory.hashes.insert(id.to_owned(), hash);
        Ok(hash)
    }

    /// As [`crate::revoke`], effective at once for this authenticator and its clones. Blocks for one commit.
    ///
    /// # Errors
    /// [`IdentityError::Db`].
    pub fn revoke(&self, token_id: &str) -> Result<bool, IdentityError> {
        let id = token_id.to_owned();
        let outcome = self.db.write(move |tx| token::revoke(tx, &id));
        self.forget();
        outcome
    }

    /// As [`crate::revoke_principal`], effective at once for this authenticator and its clones. Blocks for one commit.
    ///
    /// # Errors
    /// [`IdentityError::Db`].
    pub fn revoke_principal(&self, name: &str) -> Result<usize, IdentityError> {
        let name = name.to_owned();
        let outcome = self.db.write(move |tx| token::revoke_principal(tx, &name));
        self.forget();
        outcome
    }

    /// Forgets what it remembers: call it after revoking in a transaction of your own.
    pub fn forget(&self) {
        let mut memory = self.memory.lock();
        memory.known.clear();
        memory.good.clear();
        memory.age += 1;
    }

    fn connected(&self, secret: &str, now: Timestamp) -> Result<Principal, IdentityError> {
        let certificate = self.connections.lock().get(secret).cloned().ok_or(IdentityError::Unknown)?;
        let principal = certificate.principal;
        if certificate.not_after <= now {
            return Err(IdentityError::CertificateExpired { principal: principal.name, at: certificate.not_after });
        }
        if !self.is_good(&certificate.fingerprint, now)? {
            return Err(IdentityError::CertificateRevoked { principal: principal.name });
        }
        Ok(principal)
    }

    fn is_good(&self, fingerprint: &str, now: Timestamp) -> Result<bool, IdentityError> {
        let age = {
            let memory = self.memory.lock();
            if memory.good.get(fingerprint).is_some_and(|since| is_recent(*since, now)) {
                return Ok(true);
            }
            memory.age
        };
        let good = !self.db.read(|tx| certificate::is_revoked(tx, fingerprint))?;
        let mut memory = self.memory.lock();
        if good && memory.age == age {
            if memory.good.len() >= REMEMBERED_TOKENS {
                memory.good.clear();
            }
            memory.good.insert(fingerprint.to_owned(), now);
        }
        Ok(good)
    }

    fn remembered(&self, hash: TokenHash, now: Timestamp) -> Option<Arc<TokenInfo>> {
        let memory = self.memory.lock();
        let (info, since) = memory.known.get(&hash)?;
        is_recent(*since, now).then(|| info.clone())
    }

    fn look_up(&self, hash: TokenHash, now: Timestamp) -> Result<Arc<TokenInfo>, IdentityError> {
        let age = self.memory.lock().age;
        let info = Arc::new(self.db.read(|tx| token::look_up(tx, hash))?);
        let mut memory = self.memory.lock();
        if memory.age == age {
            if memory.known.len() >= REMEMBERED_TOKENS {
                memory.known.clear();
            }
            memory.known.insert(hash, (info.clone(), now));
        }
        Ok(info)
    }
}

/// A clock that was set back makes the age negative: better to read again.
fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    (0..REMEMBERED_MICROS).contains(&now.micros_since(since))
}

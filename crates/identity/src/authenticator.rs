//! The way from a header to a principal, with a short memory.

use std::collections::HashMap;
use std::sync::Arc;

use bedplate_db::Db;
use bedplate_types::{Clock, Timestamp};
use parking_lot::Mutex;

use crate::header::token_in;
use crate::secret::{self, TokenHash};
use crate::token::{self, TokenInfo};
use crate::{IdentityError, Principal};

/// How long a token revoked behind the authenticator's back may still be believed.
const REMEMBERED_MICROS: i64 = 1_000_000;
const REMEMBERED_TOKENS: usize = 10_000;

/// Believes tokens. Clones share what they remember.
#[derive(Clone)]
pub struct Authenticator {
    db: Db,
    clock: Arc<dyn Clock>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    known: HashMap<TokenHash, (TokenInfo, Timestamp)>,
    /// Counts the times everything was forgotten: what was read before must not be remembered after.
    age: u64,
}

impl Authenticator {
    #[must_use]
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock, memory: Arc::default() }
    }

    /// Who sent this `Authorization` header. Costs a hash when the token was seen in the last second, else a read.
    ///
    /// # Errors
    /// [`IdentityError::Missing`] without a header, and as [`crate::authenticate`].
    pub fn authenticate(&self, header: Option<&str>) -> Result<Principal, IdentityError> {
        let hash = secret::hash(&token_in(header)?)?;
        let now = self.clock.now();
        let info = match self.remembered(hash, now) {
            Some(info) => info,
            None => self.look_up(hash, now)?,
        };
        token::check(&info, now)?;
        Ok(info.principal)
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
        memory.age += 1;
    }

    fn remembered(&self, hash: TokenHash, now: Timestamp) -> Option<TokenInfo> {
        let memory = self.memory.lock();
        let (info, since) = memory.known.get(&hash)?;
        // A clock that was set back makes the age negative: better to read again.
        (0..REMEMBERED_MICROS).contains(&now.micros_since(*since)).then(|| info.clone())
    }

    fn look_up(&self, hash: TokenHash, now: Timestamp) -> Result<TokenInfo, IdentityError> {
        let age = self.memory.lock().age;
        let info = self.db.read(|tx| token::look_up(tx, hash))?;
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

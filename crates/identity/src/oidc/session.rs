//! Somebody has signed in at the provider and gets a token of the platform's own.

use bedplate_db::Tx;
use bedplate_types::Timestamp;
use sha2::{Digest, Sha256};

use super::Person;
use crate::{IdentityError, NewToken, issue};

/// Issues a token that lasts until then; an ID token does so once.
///
/// # Errors
/// [`IdentityError::Used`], [`IdentityError::Db`].
pub fn open_session(
    tx: &mut dyn Tx,
    person: &Person,
    id_token: &str,
    now: Timestamp,
    until: Timestamp,
    random: [u8; 32],
) -> Result<String, IdentityError> {
    let hash = hex::encode(Sha256::digest(id_token.as_bytes()));
    // It is not believed after it has expired, give or take a minute; nor need its use be remembered for longer.
    let forget = person.expires_at.micros().saturating_add(120_000_000);
    tx.execute("DELETE FROM identity_used WHERE until < $1", &[now.micros().into()])?;
    let sql = "INSERT INTO identity_used (hash, until) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    if tx.execute(sql, &[hash.into(), forget.into()])? != 1 {
        return Err(IdentityError::Used);
    }
    let new = NewToken { expires_at: Some(until), ..NewToken::new(person.principal.clone(), "signed in") };
    issue(tx, &new, now, random)
}

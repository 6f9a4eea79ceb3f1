//! Tokens as they are kept: issued, looked up, revoked, listed.

use bedplate_db::{Row, Tx};
use bedplate_types::{Scope, Timestamp};
use serde::Serialize;

use crate::secret::{self, TokenHash};
use crate::{IdentityError, Principal};

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    pub principal: Principal,
    /// `None`: until it is revoked.
    pub expires_at: Option<Timestamp>,
    pub description: String,
    /// The rights of the principal it carries; `None`: all of them.
    pub scope: Option<Scope>,
    /// The run it dies with: see [`crate::end_run`].
    pub run: Option<String>,
}

impl NewToken {
    /// With all rights, until it is revoked.
    #[must_use]
    pub fn new(principal: Principal, description: impl Into<String>) -> Self {
        Self { principal, expires_at: None, description: description.into(), scope: None, run: None }
    }
}

/// What is known of a token, without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    pub id: String,
    pub principal: Principal,
    pub description: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl TokenInfo {
    /// Who its bearer is: the principal, with what the token narrows it to.
    #[must_use]
    pub fn bearer(&self) -> Principal {
        self.principal.clone().narrowed(self.scope.as_ref())
    }
}

/// Makes a token from 32 bytes of the system's randomness and returns it, for the only time.
///
/// # Errors
/// [`IdentityError::Db`], also when the same bytes were used before.
pub fn issue(tx: &mut dyn Tx, new: &NewToken, now: Timestamp, random: [u8; 32]) -> Result<String, IdentityError> {
    let token = secret::token(random);
    let hash = secret::hash(&token)?;
    let groups = serde_json::Value::from(new.principal.groups.clone()).to_string();
    tx.execute(
        "INSERT INTO identity_tokens (id, hash, principal, groups_json, description, created_at, expires_at, scope, run)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            hash.id().into(),
            hash.hex().into(),
            (&new.principal.name).into(),
            groups.into(),
            (&new.description).into(),
            now.micros().into(),
            new.expires_at.map(Timestamp::micros).into(),
            new.scope.as_ref().map(ToString::to_string).into(),
            new.run.clone().into(),
        ],
    )?;
    Ok(token)
}

/// Who holds this token.
///
/// # Errors
/// [`IdentityError::Malformed`], [`IdentityError::Unknown`], [`IdentityError::Expired`], [`IdentityError::Revoked`].
pub fn authenticate(tx: &mut dyn Tx, bearer: &str, now: Timestamp) -> Result<Principal, IdentityError> {
    let info = look_up(tx, secret::hash(bearer)?)?;
    check(&info, now)?;
    Ok(info.bearer())
}

const COLUMNS: &str = "id, principal, groups_json, description, created_at, expires_at, revoked, scope, run";

pub(crate) fn look_up(tx: &mut dyn Tx, hash: TokenHash) -> Result<TokenInfo, IdentityError> {
    let rows = tx.query(&format!("SELECT {COLUMNS} FROM identity_tokens WHERE hash = $1"), &[hash.hex().into()])?;
    rows.first().map_or(Err(IdentityError::Unknown), info)
}

/// The hash of the token of that id, whether it still counts or not.
pub(crate) fn hash_of(tx: &mut dyn Tx, id: &str) -> Result<TokenHash, IdentityError> {
    let rows = tx.query("SELECT hash FROM identity_tokens WHERE id = $1", &[id.into()])?;
    let hash = rows.first().map(|row| row.text(0)).transpose()?.and_then(TokenHash::parse);
    hash.ok_or(IdentityError::Unknown)
}

pub(crate) fn check(info: &TokenInfo, now: Timestamp) -> Result<(), IdentityError> {
    let whose = || (info.id.clone(), info.principal.name.clone());
    match info.expires_at {
        _ if info.revoked => {
            let (id, principal) = whose();
            Err(IdentityError::Revoked { id, principal })
        }
        Some(at) if at <= now => {
            let (id, principal) = whose();
            Err(IdentityError::Expired { id, principal, at })
        }
        _ => Ok(()),
    }
}

/// Ends one token. False when there is none of that id, or it was revoked before.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn revoke(tx: &mut dyn Tx, token_id: &str) -> Result<bool, IdentityError> {
    let ended =
        tx.execute("UPDATE identity_tokens SET revoked = 1 WHERE id = $1 AND revoked = 0", &[token_id.into()])?;
    Ok(ended == 1)
}

/// Ends every token of a principal and returns how many there were.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn revoke_principal(tx: &mut dyn Tx, name: &str) -> Result<usize, IdentityError> {
    let sql = "UPDATE identity_tokens SET revoked = 1 WHERE principal = $1 AND revoked = 0";
    Ok(tx.execute(sql, &[name.into()])?)
}

/// All tokens, the oldest first.
///
/// # Errors
/// [`IdentityError::Db`], [`IdentityError::Groups`].
pub fn list(tx: &mut dyn Tx) -> Result<Vec<TokenInfo>, IdentityError> {
    let sql = format!("SELECT {COLUMNS} FROM identity_tokens ORDER BY created_at, id");
    tx.query(&sql, &[])?.iter().map(info).collect()
}

fn info(row: &Row) -> Result<TokenInfo, IdentityError> {
    let id = row.text(0)?.to_owned();
    let groups =
        serde_json::from_str(row.text(2)?).map_err(|source| IdentityError::Groups { id: id.clone(), source })?;
    Ok(TokenInfo {
        principal: Principal { name: row.text(1)?.to_owned(), groups },
        description: row.text(3)?.to_owned(),
        created_at: Timestamp::from_micros(row.int(4)?),
        expires_at: row.opt_int(5)?.map(Timestamp::from_micros),
        revoked: row.int(6)? != 0,
        scope: scope(&id, row.opt_text(7)?)?,
        run: row.opt_text(8)?.map(ToOwned::to_owned),
        id,
    })
}

/// A token whose scope cannot be read is not believed: without it, it would carry more than it should.
fn scope(id: &str, stored: Option<&str>) -> Result<Option<Scope>, IdentityError> {
    let read = stored.map(str::parse::<Scope>).transpose();
    read.map_err(|source| IdentityError::Scope { id: id.to_owned(), source })
}

//! Tokens that die with a run: kept alive while it lasts, ended when it ends, and by themselves when nobody is left to do so.

use bedplate_db::Tx;
use bedplate_types::Timestamp;

use crate::IdentityError;

/// Lets the run's tokens last until then. Whoever runs it calls this again and again, well before that.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn keep_run(tx: &mut dyn Tx, run: &str, until: Timestamp) -> Result<usize, IdentityError> {
    let sql = "UPDATE identity_tokens SET expires_at = $2 WHERE run = $1 AND revoked = 0 AND expires_at < $2";
    Ok(tx.execute(sql, &[run.into(), until.micros().into()])?)
}

/// Ends the run's tokens, however the run ended, and returns how many there were.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn end_run(tx: &mut dyn Tx, run: &str) -> Result<usize, IdentityError> {
    Ok(tx.execute("UPDATE identity_tokens SET revoked = 1 WHERE run = $1 AND revoked = 0", &[run.into()])?)
}

/// Ends those of every run: for whoever begins to run things, before the first, because who ran them before is gone.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn end_all_runs(tx: &mut dyn Tx) -> Result<usize, IdentityError> {
    Ok(tx.execute("UPDATE identity_tokens SET revoked = 1 WHERE run IS NOT NULL AND revoked = 0", &[])?)
}

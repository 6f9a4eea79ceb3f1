//! Certificates of machines: which were issued, which were revoked, and who one stands for while a connection lasts.

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;
use serde::Serialize;

use crate::{IdentityError, Principal};

/// A certificate whose issuer and dates were verified: what is left is whose it is, and whether it still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub principal: Principal,
    /// SHA-256 of the DER form, in hexadecimal.
    pub fingerprint: String,
    pub not_after: Timestamp,
}

/// One that was issued here, or revoked here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateInfo {
    pub fingerprint: String,
    pub principal: String,
    pub serial: String,
    pub issued_at: Timestamp,
    pub not_after: Timestamp,
    pub revoked: bool,
}

/// Writes down that it was issued.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn record_certificate(tx: &mut dyn Tx, issued: &CertificateInfo) -> Result<(), IdentityError> {
    tx.execute(
        "INSERT INTO identity_certificates (fingerprint, principal, serial, issued_at, not_after) VALUES ($1, $2, $3, $4, $5)",
        &[
            (&issued.fingerprint).into(),
            (&issued.principal).into(),
            (&issued.serial).into(),
            issued.issued_at.micros().into(),
            issued.not_after.micros().into(),
        ],
    )?;
    Ok(())
}

/// Ends one, also one that another authority issued. False when it was revoked before.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn revoke_certificate(tx: &mut dyn Tx, fingerprint: &str, now: Timestamp) -> Result<bool, IdentityError> {
    let changed = tx.execute(
        "INSERT INTO identity_certificates (fingerprint, principal, serial, issued_at, not_after, revoked)
         VALUES ($1, '', '', $2, $2, 1)
         ON CONFLICT (fingerprint) DO UPDATE SET revoked = 1 WHERE identity_certificates.revoked = 0",
        &[fingerprint.into(), now.micros().into()],
    )?;
    Ok(changed == 1)
}

pub(crate) fn is_revoked(tx: &mut dyn Tx, fingerprint: &str) -> Result<bool, IdentityError> {
    let sql = "SELECT revoked FROM identity_certificates WHERE fingerprint = $1 AND revoked = 1";
    Ok(!tx.query(sql, &[fingerprint.into()])?.is_empty())
}

/// All that are known, the oldest first.
///
/// # Errors
/// [`IdentityError::Db`].
pub fn list_certificates(tx: &mut dyn Tx) -> Result<Vec<CertificateInfo>, IdentityError> {
    let sql = "SELECT fingerprint, principal, serial, issued_at, not_after, revoked FROM identity_certificates
               ORDER BY issued_at, fingerprint";
    tx.query(sql, &[])?.iter().map(info).collect()
}

fn info(row: &Row) -> Result<CertificateInfo, IdentityError> {
    Ok(CertificateInfo {
        fingerprint: row.text(0)?.to_owned(),
        principal: row.text(1)?.to_owned(),
        serial: row.text(2)?.to_owned(),
        issued_at: Timestamp::from_micros(row.int(3)?),
        not_after: Timestamp::from_micros(row.int(4)?),
        revoked: row.int(5)? != 0,
    })
}

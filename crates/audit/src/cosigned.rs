//! What witnesses said of the log: kept, handed out with the checkpoints, and told.

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;
use serde::Serialize;

use crate::store::{count, int};
use crate::{AuditError, Checkpoint, latest_checkpoint};

/// The path of the newest checkpoint that a witness cosigned. It is beside what tlog-tiles asks for.
pub const COSIGNED: &str = "cosigned";
/// So many lines are kept for one checkpoint.
const LINES: i64 = 100;

/// How it stands with a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Nothing was heard yet.
    New,
    /// It cosigned what it was last sent.
    Cosigned,
    /// It cannot be reached, or cannot answer now.
    Unreachable,
    /// It answers, and does not cosign: it does not know the log, or not its key.
    Refused,
    /// It saw the log longer than it is: an older state was restored, or leaves were cut off.
    RolledBack,
    /// It saw another log: leaves that it saw were changed, or two logs are signed with one key.
    Forked,
}

impl Standing {
    const ALL: [Self; 6] =
        [Self::New, Self::Cosigned, Self::Unreachable, Self::Refused, Self::RolledBack, Self::Forked];

    const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cosigned => "cosigned",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::RolledBack => "rolledBack",
            Self::Forked => "forked",
        }
    }

    /// Whether the witness has seen another past of this log: that is what witnesses are for.
    #[must_use]
    pub const fn is_evidence(self) -> bool {
        matches!(self, Self::RolledBack | Self::Forked)
    }
}

/// A witness, and how it stands with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    pub url: String,
    /// The name it last cosigned under; empty before it did.
    pub name: String,
    /// How many leaves it is known to have seen.
    pub known: u64,
    /// How many of the signed leaves it has not cosigned.
    pub behind: u64,
    /// When it last cosigned.
    pub cosigned_at: Option<Timestamp>,
    pub standing: Standing,
    /// What it said, in words; empty when all is well.
    pub why: String,
    /// When it was last asked.
    pub asked_at: Timestamp,
}

/// Every witness that was ever asked, by its address.
///
/// # Errors
/// [`AuditError::Db`], [`AuditError::Checkpoint`].
pub fn witnesses(tx: &mut dyn Tx) -> Result<Vec<Witness>, AuditError> {
    let signed = latest_checkpoint(tx)?.map_or(0, |checkpoint| checkpoint.size);
    let rows = tx.query(
        "SELECT url, name, known, cosigned_size, cosigned_at, standing, why, asked_at FROM audit_witnesses ORDER BY url LIMIT 100",
        &[],
    )?;
    rows.iter().map(|row| witness(row, signed)).collect()
}

fn witness(row: &Row, signed: u64) -> Result<Witness, AuditError> {
    let standing = row.text(5)?;
    Ok(Witness {
        url: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        known: count(row, 2)?,
        behind: signed.saturating_sub(count(row, 3)?),
        cosigned_at: row.opt_int(4)?.map(Timestamp::from_micros),
        standing: Standing::ALL.into_iter().find(|one| one.as_str() == standing).unwrap_or(Standing::New),
        why: row.text(6)?.to_owned(),
        asked_at: Timestamp::from_micros(row.int(7)?),
    })
}

/// How many leaves the witness at this address is known to have seen.
pub(crate) fn known(tx: &mut dyn Tx, url: &str) -> Result<u64, AuditError> {
    let rows = tx.query("SELECT known FROM audit_witnesses WHERE url = $1", &[url.into()])?;
    rows.first().map_or(Ok(0), |row| count(row, 0))
}

/// How many leaves it has cosigned.
pub(crate) fn cosigned_size(tx: &mut dyn Tx, url: &str) -> Result<u64, AuditError> {
    let rows = tx.query("SELECT cosigned_size FROM audit_witnesses WHERE url = $1", &[url.into()])?;
    rows.first().map_or(Ok(0), |row| count(row, 0))
}

pub(crate) fn heard(
    tx: &mut dyn Tx,
    url: &str,
    standing: Standing,
    why: &str,
    known: u64,
    now: Timestamp,
) -> Result<(), AuditError> {
    tx.execute(
        "INSERT INTO audit_witnesses (url, name, known, cosigned_size, cosigned_at, standing, why, asked_at)
         VALUES ($1, '', $2, 0, NULL, $3, $4, $5) ON CONFLICT (url) DO UPDATE
         SET known = excluded.known, standing = excluded.standing, why = excluded.why, asked_at = excluded.asked_at",
        &[url.into(), int(known), standing.as_str().into(), why.into(), now.micros().into()],
    )?;
    Ok(())
}

/// Keeps lines of signatures, each with its newline left out, for the checkpoint of this size.
pub(crate) fn keep(
    tx: &mut dyn Tx,
    url: &str,
    (size, name): (u64, &str),
    lines: &[String],
    now: Timestamp,
) -> Result<(), AuditError> {
    heard(tx, url, Standing::Cosigned, "", size, now)?;
    tx.execute(
        "UPDATE audit_witnesses SET name = $2, cosigned_size = $3, cosigned_at = $4 WHERE url = $1",
        &[url.into(), name.into(), int(size), now.micros().into()],
    )?;
    for line in lines {
        tx.execute(
            "INSERT INTO audit_cosignatures (size, line) VALUES ($1, $2) ON CONFLICT (size, line) DO NOTHING",
            &[int(size), line.into()],
        )?;
    }
    Ok(())
}

/// The checkpoint with the cosignatures that were kept for it.
pub(crate) fn with_kept(tx: &mut dyn Tx, mut checkpoint: Checkpoint) -> Result<Checkpoint, AuditError> {
    let sql = "SELECT line FROM audit_cosignatures WHERE size = $1 ORDER BY line LIMIT $2";
    for row in tx.query(sql, &[int(checkpoint.size), LINES.into()])? {
        checkpoint.note.push_str(row.text(0)?);
        checkpoint.note.push('\n');
    }
    Ok(checkpoint)
}

/// The newest checkpoint that a witness cosigned, with its cosignatures; none before there was one.
///
/// # Errors
/// [`AuditError::Db`], [`AuditError::Checkpoint`].
pub fn cosigned_checkpoint(tx: &mut dyn Tx) -> Result<Option<Checkpoint>, AuditError> {
    let rows = tx.query(
        "SELECT c.size, c.note FROM audit_checkpoints c WHERE EXISTS
             (SELECT 1 FROM audit_cosignatures s WHERE s.size = c.size) ORDER BY c.size DESC LIMIT 1",
        &[],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let checkpoint = crate::checkpoint::stored(count(row, 0)?, row.text(1)?)?;
    with_kept(tx, checkpoint).map(Some)
}

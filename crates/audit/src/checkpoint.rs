//! Signed statements of how far the log had grown: C2SP tlog-checkpoint in a signed note.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_db::Tx;
use bedplate_types::Digest;

use crate::store::{count, int};
use crate::{AuditError, PublicKey, Signer, head};

/// What a checkpoint says, and its text as it is kept and handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, and the name of the key that signed.
    pub origin: String,
    pub size: u64,
    pub root: Digest,
    /// The whole signed note.
    pub note: String,
}

/// Signs the log as it is now and keeps the note. Signing the same size again replaces the note.
///
/// # Errors
/// [`AuditError::Origin`] when `origin` cannot name a key, and as [`head`].
pub fn sign_checkpoint(tx: &mut dyn Tx, signer: &Signer, origin: &str) -> Result<Checkpoint, AuditError> {
    if origin.is_empty() || origin.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(AuditError::Origin(origin.to_owned()));
    }
    let head = head(tx)?;
    let text = format!("{origin}\n{}\n{}\n", head.leaves, STANDARD.encode(head.root.as_bytes()));
    let signature = [&signer.public_key().id(origin)[..], &signer.sign(&text)].concat();
    let note = format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(signature));
    tx.execute(
        "INSERT INTO audit_checkpoints (size, note) VALUES ($1, $2) ON CONFLICT (size) DO UPDATE SET note = excluded.note",
        &[int(head.leaves), (&note).into()],
    )?;
    Ok(Checkpoint { origin: origin.to_owned(), size: head.leaves, root: head.root, note })
}

/// The newest checkpoint that was kept; its signature is not checked here.
///
/// # Errors
/// [`AuditError::Checkpoint`] when what is kept is not a checkpoint any more.
pub fn latest_checkpoint(tx: &mut dyn Tx) -> Result<Option<Checkpoint>, AuditError> {
    Ok(kept(tx)?.pop())
}

/// All checkpoints that were kept, the oldest first.
pub(crate) fn kept(tx: &mut dyn Tx) -> Result<Vec<Checkpoint>, AuditError> {
    let rows = tx.query("SELECT size, note FROM audit_checkpoints ORDER BY size", &[])?;
    rows.iter().map(|row| stored(count(row, 0)?, row.text(1)?)).collect()
}

fn stored(size: u64, note: &str) -> Result<Checkpoint, AuditError> {
    let rewritten = |why: String| AuditError::Checkpoint { size, why };
    let checkpoint = Checkpoint::parse(note).map_err(|error| rewritten(error.to_string()))?;
    if checkpoint.size != size {
        return Err(rewritten(format!("it now speaks of {} leaves", checkpoint.size)));
    }
    Ok(checkpoint)
}

impl Checkpoint {
    /// Reads a signed note without believing it: see [`Checkpoint::is_signed_by`].
    ///
    /// # Errors
    /// [`AuditError::Note`].
    pub fn parse(note: &str) -> Result<Self, AuditError> {
        let (text, _) = note.split_once("\n\n").ok_or(AuditError::Note("no signature follows an empty line"))?;
        let mut lines = text.lines();
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(AuditError::Note("no origin"))?;
        let size = lines.next().and_then(|line| line.parse().ok()).ok_or(AuditError::Note("no size"))?;
        let root = lines.next().and_then(|line| STANDARD.decode(line).ok()).and_then(|raw| raw.try_into().ok());
        let root = root.map(Digest::from_sha256).ok_or(AuditError::Note("no root hash"))?;
        Ok(Self { origin: origin.to_owned(), size, root, note: note.to_owned() })
    }

    /// Whether the note carries a valid signature of this key in the name of its origin.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let Some((text, signatures)) = self.note.split_once("\n\n") else { return false };
        let mine = format!("\u{2014} {} ", self.origin);
        let signatures = signatures.lines().filter_map(|line| STANDARD.decode(line.strip_prefix(&mine)?).ok());
        signatures.into_iter().any(|raw| self.is_signature(key, text, &raw))
    }

    fn is_signature(&self, key: &PublicKey, text: &str, raw: &[u8]) -> bool {
        let Some((id, signature)) = raw.split_at_checked(4) else { return false };
        let Ok(signature) = <&[u8; 64]>::try_from(signature) else { return false };
        id == key.id(&self.origin) && key.verifies(&format!("{text}\n"), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_checkpoint() {
        let root = STANDARD.encode([0; 32]);
        for bad in
            ["", "a\n1\n\n", &format!("\n1\n{root}\n\n"), &format!("a\n-1\n{root}\n\n"), &format!("a\n1\n{root}\n")]
        {
            assert!(matches!(Checkpoint::parse(bad), Err(AuditError::Note(_))), "{bad}");
        }
        let unsigned = Checkpoint::parse(&format!("a\n1\n{root}\n\n\u{2014} a AAAA\n")).unwrap();
        assert!(!unsigned.is_signed_by(&Signer::from_seed([0; 32]).public_key()));
    }
}

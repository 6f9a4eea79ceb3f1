//! Signed statements of how far the log had grown: C2SP tlog-checkpoint in a signed note.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_db::Tx;
use bedplate_types::Digest;

use crate::note::{Note, decimal, is_key_name, signature_line};
use crate::store::{count, int};
use crate::{AuditError, PublicKey, Signer, VerifierKey, head};

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
    if !is_key_name(origin) {
        return Err(AuditError::Origin(origin.to_owned()));
    }
    let head = head(tx)?;
    let text = format!("{origin}\n{}\n{}\n", head.leaves, STANDARD.encode(head.root.as_bytes()));
    let id = VerifierKey::of_log(origin, signer.public_key()).id();
    let note = format!("{text}\n{}\n", signature_line(origin, id, &signer.sign(&text)));
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
    let rows = tx.query("SELECT size, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1", &[])?;
    rows.first().map(|row| stored(count(row, 0)?, row.text(1)?)).transpose()
}

/// All checkpoints that were kept, the oldest first.
pub(crate) fn kept(tx: &mut dyn Tx) -> Result<Vec<Checkpoint>, AuditError> {
    let rows = tx.query("SELECT size, note FROM audit_checkpoints ORDER BY size", &[])?;
    rows.iter().map(|row| stored(count(row, 0)?, row.text(1)?)).collect()
}

pub(crate) fn stored(size: u64, note: &str) -> Result<Checkpoint, AuditError> {
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
        let text = Note::parse(note)?.text;
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(AuditError::Note("no origin"))?;
        let size = lines.next().and_then(decimal).ok_or(AuditError::Note("no size"))?;
        let root = lines.next().and_then(|line| STANDARD.decode(line).ok()).and_then(|raw| raw.try_into().ok());
        let root = root.map(Digest::from_sha256).ok_or(AuditError::Note("no root hash"))?;
        if lines.any(str::is_empty) {
            return Err(AuditError::Note("an extension line is empty"));
        }
        Ok(Self { origin: origin.to_owned(), size, root, note: note.to_owned() })
    }

    /// Whether the note carries a valid signature of this key in the name of its origin.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.is_signed(&VerifierKey::of_log(&self.origin, *key))
    }

    /// Whether the note is of the log whose key this is.
    #[must_use]
    pub fn is_signed(&self, key: &VerifierKey) -> bool {
        self.origin == key.name && Note::parse(&self.note).is_ok_and(|note| key.signed(&note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_checkpoint() {
        let root = STANDARD.encode([0; 32]);
        let signature = "\u{2014} a AAAAAAE=\n";
        for bad in ["", "a\n1\n", "\n1\nROOT\n", "a\n-1\nROOT\n", "a\n+1\nROOT\n", "a\n01\nROOT\n", "a\n1\nROOT\n\nx\n"]
        {
            let bad = format!("{}\n{signature}", bad.replace("ROOT", &root));
            assert!(matches!(Checkpoint::parse(&bad), Err(AuditError::Note(_))), "{bad}");
        }
        assert!(matches!(Checkpoint::parse(&format!("a\n1\n{root}\n")), Err(AuditError::Note(_))));
        let unsigned = Checkpoint::parse(&format!("a\n1\n{root}\n\n{signature}")).unwrap();
        assert!(!unsigned.is_signed_by(&Signer::from_seed([0; 32]).public_key()));
    }

    #[test]
    fn another_logs_checkpoint_is_not_believed_for_the_name_it_is_signed_under() {
        let signer = Signer::from_seed([1; 32]);
        let key = VerifierKey::of_log("a", signer.public_key());
        let note = |origin: &str| {
            let text = format!("{origin}\n1\n{}\n", STANDARD.encode([0; 32]));
            format!("{text}\n{}\n", signature_line("a", key.id(), &signer.sign(&text)))
        };
        assert!(Checkpoint::parse(&note("a")).unwrap().is_signed(&key));
        assert!(!Checkpoint::parse(&note("b")).unwrap().is_signed(&key));
    }
}

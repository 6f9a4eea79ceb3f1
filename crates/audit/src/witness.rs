//! What is said to a witness and what it answers (C2SP tlog-witness, tlog-cosignature). Sending it is up to others;
//! `submit.rs` decides what an answer means.
//!
//! `POST <submission prefix>/add-checkpoint` with [`add_checkpoint`]; 200 is read by [`cosignatures`], 409 by
//! [`known_size`], after which one asks again with a proof from that size.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::note::{Note, Signature, decimal, signature_lines};
use crate::{AuditError, Checkpoint, Consistency, VerifierKey};

/// More hashes no consistency proof has, and no witness takes.
const MAX_HASHES: usize = 63;
/// A witness may answer with this much at most.
const MAX_ANSWER: usize = 1 << 16;

/// A witness's statement that it saw the log grow to this checkpoint and never saw it shrink or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub witness: String,
    /// When it signed, in seconds since 1970.
    pub at: u64,
    /// The line of the note, without its newline.
    line: String,
}

/// The body of an `add-checkpoint` request: the size the witness knows, the proof from there, the checkpoint.
///
/// # Errors
/// [`AuditError::Witness`] when the proof is not one to this checkpoint.
pub fn add_checkpoint(proof: &Consistency, checkpoint: &Checkpoint) -> Result<String, AuditError> {
    if proof.new != checkpoint.size || proof.hashes.len() > MAX_HASHES {
        return Err(AuditError::Witness("the proof does not lead to the checkpoint that was to be cosigned"));
    }
    let hashes: String = proof.hashes.iter().map(|hash| STANDARD.encode(hash.as_bytes()) + "\n").collect();
    Ok(format!("old {}\n{hashes}\n{}", proof.old, checkpoint.note))
}

/// The size a witness knows, from its answer 409.
///
/// # Errors
/// [`AuditError::Witness`] when it is no number.
pub fn known_size(answer: &str) -> Result<u64, AuditError> {
    let size = answer.strip_suffix('\n').and_then(decimal);
    size.ok_or(AuditError::Witness("the witness did not say which size it knows"))
}

/// The cosignatures of the witnesses one trusts, from an answer 200; those of others are left out.
///
/// # Errors
/// [`AuditError::Witness`] when the answer is malformed, when a trusted witness's signature does not hold, and when
/// there is none of a trusted witness.
pub fn cosignatures(
    checkpoint: &Checkpoint,
    answer: &str,
    witnesses: &[VerifierKey],
) -> Result<Vec<Cosignature>, AuditError> {
    if answer.len() > MAX_ANSWER {
        return Err(AuditError::Witness("the witness's answer is too long"));
    }
    let lines = signature_lines(answer).map_err(|_| AuditError::Witness("the witness's answer is malformed"))?;
    let found = trusted(checkpoint, &lines, witnesses)?;
    if found.is_empty() { Err(AuditError::Witness("no trusted witness cosigned the checkpoint")) } else { Ok(found) }
}

impl Cosignature {
    pub(crate) fn line(&self) -> &str {
        &self.line
    }
}

/// The lines of an answer 200 that are not the log's own, unverified, and the name in the first of them.
pub(crate) fn own_lines(checkpoint: &Checkpoint, answer: &str) -> Result<(String, Vec<String>), AuditError> {
    if answer.len() > MAX_ANSWER {
        return Err(AuditError::Witness("the witness's answer is too long"));
    }
    let lines = signature_lines(answer).map_err(|_| AuditError::Witness("the witness's answer is malformed"))?;
    let mut others = lines.iter().filter(|line| line.name != checkpoint.origin).peekable();
    let name = others.peek().map(|line| line.name.to_owned());
    let name = name.ok_or(AuditError::Witness("the witness's answer holds no cosignature"))?;
    Ok((name, others.map(|line| line.line.to_owned()).collect()))
}

impl Checkpoint {
    /// The cosignatures of the witnesses one trusts among the note's signatures.
    ///
    /// # Errors
    /// [`AuditError::Witness`] when one of a trusted witness does not hold, [`AuditError::Note`].
    pub fn cosigned_by(&self, witnesses: &[VerifierKey]) -> Result<Vec<Cosignature>, AuditError> {
        trusted(self, &Note::parse(&self.note)?.signatures, witnesses)
    }

    /// The same checkpoint with these cosignatures on it. One that is there already is not put there twice.
    #[must_use]
    pub fn with_cosignatures(mut self, cosignatures: &[Cosignature]) -> Self {
        for Cosignature { line, .. } in cosignatures {
            if !self.note.split('\n').any(|present| present == line) {
                self.note.push_str(line);
                self.note.push('\n');
            }
        }
        self
    }
}

fn trusted(
    checkpoint: &Checkpoint,
    lines: &[Signature<'_>],
    witnesses: &[VerifierKey],
) -> Result<Vec<Cosignature>, AuditError> {
    let text = Note::parse(&checkpoint.note)?.text;
    let known = lines.iter().filter_map(|line| {
        let key = witnesses.iter().find(|key| key.is_witness() && key.name == line.name && key.id() == line.id())?;
        Some(cosignature(text, line, key))
    });
    known.collect::<Option<Vec<_>>>().ok_or(AuditError::Witness("the signature of a trusted witness does not hold"))
}

fn cosignature(text: &str, line: &Signature<'_>, key: &VerifierKey) -> Option<Cosignature> {
    let (at, signature) = line.bytes().split_first_chunk::<8>()?;
    let at = u64::from_be_bytes(*at);
    let message = format!("cosignature/v1\ntime {at}\n{text}");
    let holds = (1..=i64::MAX.unsigned_abs()).contains(&at) && key.key.verifies(&message, signature.try_into().ok()?);
    holds.then(|| Cosignature { witness: key.name.clone(), at, line: line.line.to_owned() })
}

//! One entry with everything that shows it to be logged, in one text (C2SP tlog-proof).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_db::Tx;
use bedplate_types::Digest;
use serde_json::{Value, json};

use crate::cosigned::with_kept;
use crate::note::decimal;
use crate::{AuditError, Checkpoint, Proof, VerifierKey, latest_checkpoint, leaf_hash, prove, store};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A receipt may be this long at most: a leaf in base64, 63 hashes and a note.
const MAX_BYTES: usize = 1 << 19;

/// A leaf, its inclusion proof and the checkpoint whose root it leads to. The leaf is the `extra` data of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The leaf as it was hashed: an entry as canonical JSON.
    pub body: Vec<u8>,
    pub proof: Proof,
    pub checkpoint: Checkpoint,
}

/// A receipt for leaf `index` under the newest checkpoint.
///
/// # Errors
/// [`AuditError::OutOfRange`] when there is no such leaf or it is not signed yet, [`AuditError::Leaf`],
/// [`AuditError::Node`].
pub fn receipt(tx: &mut dyn Tx, index: u64) -> Result<Receipt, AuditError> {
    let leaves = store::size(tx)?;
    let beyond = |size| AuditError::OutOfRange { index, size, leaves };
    let checkpoint = latest_checkpoint(tx)?.ok_or(beyond(0))?;
    let checkpoint = with_kept(tx, checkpoint)?;
    let proof = prove(tx, index, checkpoint.size)?;
    let leaf = store::leaves(tx, index, 1)?.pop().filter(|(found, _)| *found == index);
    let body = leaf.and_then(|(_, body)| body).ok_or(AuditError::Leaf { index })?;
    Ok(Receipt { body, proof, checkpoint })
}

impl Receipt {
    /// Reads a receipt without believing it: see [`Receipt::verify`].
    ///
    /// # Errors
    /// [`AuditError::Proof`], [`AuditError::Note`].
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let wrong = AuditError::Proof;
        if text.len() > MAX_BYTES {
            return Err(wrong("it is too long"));
        }
        let (head, note) = text.split_once("\n\n").ok_or(wrong("no checkpoint follows an empty line"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(wrong("its first line is not c2sp.org/tlog-proof@v1"));
        }
        let extra =
            lines.next().and_then(|line| line.strip_prefix("extra ")).and_then(|line| STANDARD.decode(line).ok());
        let body = extra.ok_or(wrong("it does not carry the leaf as extra data"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or(wrong("it has no index"))?;
        let hashes = lines.map(|line| hash(line).ok_or(wrong("a line is no hash"))).collect::<Result<_, _>>()?;
        let checkpoint = Checkpoint::parse(note)?;
        Ok(Self { body, proof: Proof { index, size: checkpoint.size, hashes }, checkpoint })
    }

    /// Checks that `key` signed the checkpoint and that the leaf is in its log.
    ///
    /// # Errors
    /// [`AuditError::Checkpoint`], [`AuditError::Proof`].
    pub fn verify(&self, key: &VerifierKey) -> Result<(), AuditError> {
        let size = self.checkpoint.size;
        if !self.checkpoint.is_signed(key) {
            return Err(AuditError::Checkpoint { size, why: format!("it is not signed by {key}") });
        }
        if self.proof.size != size || !self.proof.verify(&self.body, &self.checkpoint.root) {
            return Err(AuditError::Proof("the leaf and the hashes do not lead to the signed root"));
        }
        Ok(())
    }

    /// For programs: `{"leaf", "size", "entry", "leafHash", "hashes", "checkpoint", "tlogProof"}`; hashes are
    /// `sha256:<hex>`, the entry is null when the leaf is not JSON, and `tlogProof` is the text this is made of.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let entry: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        json!({ "leaf": self.proof.index, "size": self.proof.size, "entry": entry, "leafHash": leaf_hash(&self.body),
            "hashes": self.proof.hashes, "checkpoint": self.checkpoint.note, "tlogProof": self.to_string() })
    }
}

impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{HEADER}\nextra {}\nindex {}\n", STANDARD.encode(&self.body), self.proof.index)?;
        for hash in &self.proof.hashes {
            writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint.note)
    }
}

pub(crate) fn hash(line: &str) -> Option<Digest> {
    Some(Digest::from_sha256(STANDARD.decode(line).ok()?.try_into().ok()?))
}

//! One turn of the talk with a witness: what is sent, and what the answer means (C2SP tlog-witness).

use bedplate_db::Tx;
use bedplate_types::Timestamp;

use crate::cosigned::{self, Standing};
use crate::witness::{add_checkpoint, cosignatures, known_size, own_lines};
use crate::{AuditError, Checkpoint, VerifierKey, latest_checkpoint, prove_consistency};

/// What is sent: `POST <url>/add-checkpoint` with [`Submission::body`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    pub checkpoint: Checkpoint,
    /// The size the witness is taken to know.
    pub old: u64,
    pub body: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A status and the beginning of the body.
    Said { status: u16, body: String },
    /// Nothing, for this reason.
    Nothing { why: String },
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait for the log to grow.
    Done,
    /// Ask again at once: the witness said which size it knows.
    Again,
    /// Ask again after a while.
    Later,
}

/// What is to be sent to the witness at this address; none when it has cosigned all that is signed, or nothing is.
///
/// # Errors
/// [`AuditError::Node`] when hashes the proof needs were lost, [`AuditError::Db`], [`AuditError::Checkpoint`].
pub fn submission(tx: &mut dyn Tx, url: &str) -> Result<Option<Submission>, AuditError> {
    let Some(checkpoint) = latest_checkpoint(tx)?.filter(|checkpoint| checkpoint.size > 0) else { return Ok(None) };
    if cosigned::cosigned_size(tx, url)? >= checkpoint.size {
        return Ok(None);
    }
    // One that knows more than there is is asked all the same: so it is noticed when that was a mistake.
    let old = cosigned::known(tx, url)?.min(checkpoint.size);
    let proof = prove_consistency(tx, old, checkpoint.size)?;
    let body = add_checkpoint(&proof, &checkpoint)?;
    Ok(Some(Submission { checkpoint, old, body }))
}

/// Writes down what the answer means. With `keys` a cosignature by one of them must be there, and is verified before it is
/// kept; without any, whatever lines it sent are kept for those who have the witness's key.
///
/// # Errors
/// [`AuditError::Db`].
pub fn hear(
    tx: &mut dyn Tx,
    url: &str,
    sent: &Submission,
    answer: &Answer,
    keys: &[VerifierKey],
    now: Timestamp,
) -> Result<Next, AuditError> {
    match meaning(sent, answer, keys) {
        Meaning::Cosigned { name, lines } => {
            cosigned::keep(tx, url, (sent.checkpoint.size, &name), &lines, now)?;
            Ok(Next::Done)
        }
        Meaning::Knows(size) => {
            let why = format!("it knows {size} leaves and is asked again from there");
            cosigned::heard(tx, url, Standing::New, &why, size, now)?;
            Ok(Next::Again)
        }
        Meaning::Stands { standing, why, known } => {
            cosigned::heard(tx, url, standing, &why, known, now)?;
            Ok(Next::Later)
        }
    }
}

enum Meaning {
    Cosigned { name: String, lines: Vec<String> },
    Knows(u64),
    Stands { standing: Standing, why: String, known: u64 },
}

fn meaning(sent: &Submission, answer: &Answer, keys: &[VerifierKey]) -> Meaning {
    let stands = |standing, why: String| Meaning::Stands { standing, why, known: sent.old };
    let (status, body) = match answer {
        Answer::Nothing { why } => return stands(Standing::Unreachable, why.clone()),
        Answer::Said { status, body } => (*status, body.as_str()),
    };
    let size = sent.checkpoint.size;
    match status {
        200 => accepted(sent, body, keys).unwrap_or_else(|error| stands(Standing::Refused, error.to_string())),
        409 => match known_size(body) {
            Ok(knows) if knows > size => {
                Meaning::Stands { standing: Standing::RolledBack, why: rolled_back(knows, size), known: knows }
            }
            Ok(knows) if knows == sent.old => stands(Standing::Forked, forked(knows)),
            Ok(knows) => Meaning::Knows(knows),
            Err(error) => stands(Standing::Refused, error.to_string()),
        },
        422 => stands(Standing::Forked, forked(sent.old)),
        403 => stands(Standing::Refused, said("it does not trust the key this log is signed with", body)),
        404 => stands(Standing::Refused, said(&format!("it does not know the log {:?}", sent.checkpoint.origin), body)),
        429 | 500.. => stands(Standing::Unreachable, said(&format!("it answered {status}"), body)),
        _ => stands(Standing::Refused, said(&format!("it answered {status}"), body)),
    }
}

fn accepted(sent: &Submission, body: &str, keys: &[VerifierKey]) -> Result<Meaning, AuditError> {
    if keys.is_empty() {
        let (name, lines) = own_lines(&sent.checkpoint, body)?;
        return Ok(Meaning::Cosigned { name, lines });
    }
    let found = cosignatures(&sent.checkpoint, body, keys)?;
    let name = found.first().map(|one| one.witness.clone()).unwrap_or_default();
    Ok(Meaning::Cosigned { name, lines: found.iter().map(|one| one.line().to_owned()).collect() })
}

fn rolled_back(knows: u64, size: u64) -> String {
    format!(
        "it saw this log with {knows} leaves, and here it has {size} that are signed: an older state of the platform was \
         restored, or leaves were cut off"
    )
}

fn forked(old: u64) -> String {
    format!(
        "it saw another log: the {old} leaves it saw are not the beginning of this one; leaves were changed, or an older state \
         was restored and has grown since, or two logs are signed with one key"
    )
}

/// What the witness said behind what it means, cut to a line.
fn said(what: &str, body: &str) -> String {
    let line: String = body.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    if line.is_empty() { what.to_owned() } else { format!("{what}: {line}") }
}

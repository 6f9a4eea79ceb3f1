//! Entries that somebody looks for.

use bedplate_db::Tx;
use bedplate_types::Timestamp;

use crate::{AuditError, Entry, entries};

/// What an entry must be like; what is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The principal: `user:ana`.
    pub actor: Option<String>,
    /// The word: `ingest`.
    pub action: Option<String>,
    /// A part of what it is about: `datasets/flights/`.
    pub object: Option<String>,
    /// From then on (inclusive).
    pub since: Option<Timestamp>,
}

/// What was found, and where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub entries: Vec<(u64, Entry)>,
    /// The leaf to go on from; none when the log's end was reached.
    pub next: Option<u64>,
}

/// A search reads so many leaves at most before it hands back what it has.
const READ: u64 = 50_000;
const PIECE: u32 = 1_000;

/// At most `limit` entries like `filter` from leaf `from` on. The log has no index: every leaf is read, 50,000 for one answer
/// at most, so that an answer may hold few entries or none and still have a `next`.
///
/// # Errors
/// As [`entries`].
pub fn search(tx: &mut dyn Tx, filter: &Filter, from: u64, limit: u32) -> Result<Page, AuditError> {
    let mut found = Vec::new();
    let (mut next, last) = (from, from.saturating_add(READ));
    while next < last {
        let piece = entries(tx, next, PIECE)?;
        let whole = piece.len() == PIECE as usize;
        for (leaf, entry) in piece {
            if found.len() == limit as usize {
                return Ok(Page { entries: found, next: Some(leaf) });
            }
            next = leaf + 1;
            if filter.fits(&entry) {
                found.push((leaf, entry));
            }
        }
        if !whole {
            return Ok(Page { entries: found, next: None });
        }
    }
    Ok(Page { entries: found, next: Some(next) })
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        same(&self.actor, &entry.actor)
            && same(&self.action, &entry.action)
            && self.object.as_ref().is_none_or(|part| entry.object.contains(part))
            && self.since.is_none_or(|since| since <= entry.at)
    }
}

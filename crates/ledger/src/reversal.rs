//! Corrections: the opposite is posted, and what was wrong stays to be seen.

use bedplate_db::Tx;
use bedplate_types::{Money, Timestamp};

use crate::sheet::Price;
use crate::transaction::{Kind, entry, post_reversal};
use crate::{LedgerError, event};

/// Posts the opposite of what was posted for an event, at the price it had; at `at`, so that a day that is past keeps its
/// figure. False when it was reversed before. What is right is recorded as an event of its own.
///
/// # Errors
/// [`LedgerError::Unknown`] when there is no such event, [`LedgerError::NotPosted`] when it has no price yet.
pub fn reverse(tx: &mut dyn Tx, event: &str, reason: &str, at: Timestamp) -> Result<bool, LedgerError> {
    let unknown = || LedgerError::Unknown { id: event.to_owned() };
    let usage = event::find(tx, event)?.ok_or_else(unknown)?;
    if entry(tx, &Kind::Reversal.entry_of(event))?.is_some() {
        return Ok(false);
    }
    let posted = entry(tx, &Kind::Usage.entry_of(event))?;
    let posted = posted.ok_or_else(|| LedgerError::NotPosted { id: event.to_owned() })?;
    let price = Price {
        sheet: posted.sheet,
        generation: posted.generation,
        currency: posted.currency,
        unit: Money(posted.price.0),
    };
    post_reversal(tx, &usage, &price, at, reason)?;
    Ok(true)
}

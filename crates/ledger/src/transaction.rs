//! What is posted: never changed once it is there, and balanced or refused.

use std::collections::BTreeMap;

use bedplate_db::Tx;
use bedplate_types::{Money, Timestamp};

use crate::balance::{self, Change};
use crate::sheet::Price;
use crate::{Account, LedgerError, UsageEvent, cost, day};

/// Money on one account. What an account bears is positive, what it is given negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    pub account: Account,
    pub currency: String,
    pub amount: Money,
}

/// Postings that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction(Vec<Posting>);

impl Transaction {
    /// # Errors
    /// [`LedgerError::Unbalanced`] when there are fewer than two postings, or those of a currency do not sum to zero.
    pub fn new(entry: &str, postings: Vec<Posting>) -> Result<Self, LedgerError> {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for posting in &postings {
            *sums.entry(&posting.currency).or_default() += i128::from(posting.amount.0);
        }
        let off = sums.into_iter().find(|(_, sum)| *sum != 0).map(|(currency, sum)| format!("{sum} in {currency}"));
        match off {
            Some(by) => Err(LedgerError::Unbalanced { entry: entry.to_owned(), by }),
            None if postings.len() < 2 => {
                Err(LedgerError::Unbalanced { entry: entry.to_owned(), by: format!("{} posting", postings.len()) })
            }
            None => Ok(Self(postings)),
        }
    }

    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.0
    }

    /// The same with every sign turned.
    fn turned(self) -> Self {
        let turn = |posting: Posting| Posting { amount: Money(-posting.amount.0), ..posting };
        Self(self.0.into_iter().map(turn).collect())
    }
}

/// An entry of the ledger without its postings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    /// The event it is about.
    pub usage_id: String,
    /// The event's own time, or when it was reversed.
    pub at: Timestamp,
    /// The price sheet that was used, and which edition of it.
    pub sheet: String,
    pub generation: i64,
    /// Of one unit.
    pub price: Money,
    pub currency: String,
    /// What the cost centre bears.
    pub cost: Money,
    /// Of a reversal.
    pub reason: String,
}

/// The entry of this id: `usage:<event>` or `reversal:<event>`.
///
/// # Errors
/// [`LedgerError::Db`].
pub fn entry(tx: &mut dyn Tx, id: &str) -> Result<Option<Entry>, LedgerError> {
    let rows = tx.query(
        "SELECT e.id, e.usage_id, e.at, e.sheet, e.generation, e.price_micro, e.reason, p.currency, p.amount_micro
         FROM ledger_entries e JOIN ledger_postings p ON p.entry = e.id
         WHERE e.id = $1 AND p.account LIKE 'centre:%' ORDER BY p.account LIMIT 1",
        &[id.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Entry {
        id: row.text(0)?.to_owned(),
        usage_id: row.text(1)?.to_owned(),
        at: Timestamp::from_micros(row.int(2)?),
        sheet: row.text(3)?.to_owned(),
        generation: row.int(4)?,
        price: Money(row.int(5)?),
        reason: row.text(6)?.to_owned(),
        currency: row.text(7)?.to_owned(),
        cost: Money(row.int(8)?),
    }))
}

/// The two kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Usage,
    Reversal,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Reversal => "reversal",
        }
    }

    pub fn entry_of(self, event: &str) -> String {
        format!("{}:{event}", self.as_str())
    }
}

/// Posts what the event costs at this price.
pub(crate) fn post_usage(tx: &mut dyn Tx, event: &UsageEvent, price: &Price) -> Result<(), LedgerError> {
    post(tx, event, price, Kind::Usage, event.at, "")
}

/// Posts the opposite of what was posted for the event.
pub(crate) fn post_reversal(
    tx: &mut dyn Tx,
    event: &UsageEvent,
    price: &Price,
    at: Timestamp,
    reason: &str,
) -> Result<(), LedgerError> {
    post(tx, event, price, Kind::Reversal, at, reason)
}

fn post(
    tx: &mut dyn Tx,
    event: &UsageEvent,
    price: &Price,
    kind: Kind,
    at: Timestamp,
    reason: &str,
) -> Result<(), LedgerError> {
    let cost = cost(event.amount_micro, price.unit).filter(|cost| cost.0 != i64::MIN);
    let cost = cost.ok_or_else(|| LedgerError::overflow(event))?;
    let id = kind.entry_of(&event.id);
    let usage = Transaction::new(&id, sides(event, &price.currency, cost))?;
    let transaction = if kind == Kind::Usage { usage } else { usage.turned() };
    write(tx, &id, event, price, kind, at, reason)?;
    for posting in transaction.postings() {
        write_posting(tx, &id, posting)?;
    }
    let sign = if kind == Kind::Usage { 1 } else { -1 };
    let change = Change { events: sign, amount_micro: sign * event.amount_micro, cost: Money(sign * cost.0) };
    balance::add(tx, event, day::of(at), &price.currency, change)
}

/// The cost centre bears what the provider is given.
fn sides(event: &UsageEvent, currency: &str, cost: Money) -> Vec<Posting> {
    let centre = Account::CostCentre { namespace: event.namespace.clone(), team: event.team.clone() };
    let provider = Account::Provider { resource: event.resource.clone() };
    let posting = |account, amount| Posting { account, currency: currency.to_owned(), amount };
    vec![posting(centre, cost), posting(provider, Money(-cost.0))]
}

fn write(
    tx: &mut dyn Tx,
    id: &str,
    event: &UsageEvent,
    price: &Price,
    kind: Kind,
    at: Timestamp,
    reason: &str,
) -> Result<(), LedgerError> {
    tx.execute(
        "INSERT INTO ledger_entries (id, usage_id, kind, at, sheet, generation, price_micro, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            id.into(),
            (&event.id).into(),
            kind.as_str().into(),
            at.micros().into(),
            (&price.sheet).into(),
            price.generation.into(),
            price.unit.0.into(),
            reason.into(),
        ],
    )?;
    Ok(())
}

fn write_posting(tx: &mut dyn Tx, entry: &str, posting: &Posting) -> Result<(), LedgerError> {
    tx.execute(
        "INSERT INTO ledger_postings (entry, account, currency, amount_micro) VALUES ($1, $2, $3, $4)",
        &[entry.into(), posting.account.to_string().into(), (&posting.currency).into(), posting.amount.0.into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posting(resource: &str, currency: &str, amount: i64) -> Posting {
        let account = Account::Provider { resource: resource.into() };
        Posting { account, currency: currency.into(), amount: Money(amount) }
    }

    #[test]
    fn what_does_not_sum_to_zero_for_each_currency_is_refused() {
        let new = |postings| Transaction::new("usage:e", postings);
        assert!(new(vec![posting("a", "EUR", 3), posting("b", "EUR", -3)]).is_ok());
        for off in [
            vec![posting("a", "EUR", 3), posting("b", "EUR", -2)],
            vec![posting("a", "EUR", 3), posting("b", "USD", -3)],
            vec![posting("a", "EUR", 0)],
            Vec::new(),
            vec![posting("a", "EUR", i64::MAX), posting("b", "EUR", i64::MAX), posting("c", "EUR", 2)],
        ] {
            let error = new(off.clone()).unwrap_err();
            assert!(matches!(&error, LedgerError::Unbalanced { entry, .. } if entry == "usage:e"), "{off:?}: {error}");
        }
    }
}

//! One use of one resource, and how it enters the ledger.

use bedplate_db::{Row, Tx};
use bedplate_types::Timestamp;

use crate::transaction::post_usage;
use crate::{LedgerError, backlog, sheet};

/// Somebody used something. A negative amount takes back an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageEvent {
    /// Given by whoever measured; recording the same id again changes nothing.
    pub id: String,
    pub at: Timestamp,
    pub namespace: String,
    /// Who answers for what used it; the namespace's name where nobody is named.
    pub team: String,
    /// What it was used for, for example `run:…` or `endpoint:ns/name`.
    pub subject: String,
    /// For example `cpu_seconds`, `stored_gigabytes`, `predictions`.
    pub resource: String,
    /// Millionths of the resource's unit.
    pub amount_micro: i64,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is new, and its cost is posted.
    Priced,
    /// It is new and kept; no sheet has a price for it at its time.
    Unpriced,
    /// It was recorded before.
    Before,
}

/// Writes the event down and posts its cost by the sheet of its own time. An event recorded before stands as it was, with
/// the time and the team it was first told with: they may differ when a step is told again after a crash.
///
/// # Errors
/// [`LedgerError::Conflict`] when an event of this id says something else, [`LedgerError::Overflow`], [`LedgerError::Db`].
pub fn record(tx: &mut dyn Tx, event: &UsageEvent) -> Result<Recorded, LedgerError> {
    let event = &UsageEvent { team: event.team_or_namespace().to_owned(), ..event.clone() };
    if !insert(tx, event)? {
        return before(tx, event);
    }
    match sheet::price_at(tx, event.at, &event.resource)? {
        Some(price) => post_usage(tx, event, &price).map(|()| Recorded::Priced),
        None => backlog::keep(tx, event).map(|()| Recorded::Unpriced),
    }
}

fn before(tx: &mut dyn Tx, event: &UsageEvent) -> Result<Recorded, LedgerError> {
    let known = find(tx, &event.id)?.ok_or_else(|| LedgerError::Unknown { id: event.id.clone() })?;
    if known.content() == event.content() {
        return Ok(Recorded::Before);
    }
    Err(LedgerError::Conflict { id: event.id.clone(), known: known.told(), told: event.told() })
}

impl UsageEvent {
    fn team_or_namespace(&self) -> &str {
        if self.team.is_empty() { &self.namespace } else { &self.team }
    }

    /// What an event of the same id must say again.
    fn content(&self) -> (&str, &str, &str, i64) {
        (&self.namespace, &self.subject, &self.resource, self.amount_micro)
    }

    fn told(&self) -> String {
        let Self { namespace, subject, resource, amount_micro, .. } = self;
        format!("{amount_micro} millionths of {resource} for {subject} in {namespace}")
    }
}

fn insert(tx: &mut dyn Tx, event: &UsageEvent) -> Result<bool, LedgerError> {
    let inserted = tx.execute(
        "INSERT INTO ledger_usage (id, at, namespace, team, subject, resource, amount_micro)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        &[
            (&event.id).into(),
            event.at.micros().into(),
            (&event.namespace).into(),
            (&event.team).into(),
            (&event.subject).into(),
            (&event.resource).into(),
            event.amount_micro.into(),
        ],
    )?;
    Ok(inserted == 1)
}

/// The event of this id.
///
/// # Errors
/// [`LedgerError::Db`].
pub fn find(tx: &mut dyn Tx, id: &str) -> Result<Option<UsageEvent>, LedgerError> {
    let sql = "SELECT id, at, namespace, team, subject, resource, amount_micro FROM ledger_usage WHERE id = $1";
    tx.query(sql, &[id.into()])?.first().map(read).transpose()
}

/// id, at, namespace, team, subject, resource, amount_micro
pub(crate) fn read(row: &Row) -> Result<UsageEvent, LedgerError> {
    Ok(UsageEvent {
        id: row.text(0)?.to_owned(),
        at: Timestamp::from_micros(row.int(1)?),
        namespace: row.text(2)?.to_owned(),
        team: row.text(3)?.to_owned(),
        subject: row.text(4)?.to_owned(),
        resource: row.text(5)?.to_owned(),
        amount_micro: row.int(6)?,
    })
}

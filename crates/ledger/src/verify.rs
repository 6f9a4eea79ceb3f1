//! The ledger counted again.

use bedplate_db::Tx;
use serde::Serialize;

use crate::LedgerError;

/// A ledger that adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub events: i64,
    pub entries: i64,
    pub postings: i64,
    /// Events without a price.
    pub unpriced: i64,
}

/// Entries whose postings do not sum to zero for a currency, or that have fewer than two.
const UNBALANCED: &str = "SELECT entry, currency, CAST(SUM(amount_micro) AS BIGINT) FROM ledger_postings
    GROUP BY entry, currency HAVING SUM(amount_micro) <> 0 OR COUNT(*) < 2 ORDER BY entry LIMIT 1";
/// Entries without postings, and postings without their entry.
const ORPHANS: &str = "SELECT e.id FROM ledger_entries e WHERE NOT EXISTS
        (SELECT 1 FROM ledger_postings p WHERE p.entry = e.id)
    UNION SELECT p.entry FROM ledger_postings p WHERE NOT EXISTS
        (SELECT 1 FROM ledger_entries e WHERE e.id = p.entry)
    UNION SELECT e.id FROM ledger_entries e WHERE NOT EXISTS (SELECT 1 FROM ledger_usage u WHERE u.id = e.usage_id)
    ORDER BY 1 LIMIT 1";
/// Events that are neither priced nor waiting for a price, or both.
const LOST: &str = "SELECT u.id FROM ledger_usage u
    LEFT JOIN ledger_entries e ON e.id = 'usage:' || u.id
    LEFT JOIN ledger_unpriced b ON b.usage_id = u.id
    WHERE (e.id IS NULL) = (b.usage_id IS NULL) ORDER BY u.id LIMIT 1";
/// Reversals of what was never posted.
const REVERSALS: &str = "SELECT r.id FROM ledger_entries r LEFT JOIN ledger_entries e ON e.id = 'usage:' || r.usage_id
    WHERE r.kind = 'reversal' AND e.id IS NULL ORDER BY r.id LIMIT 1";
/// The balances as the postings and the waiting events make them.
const COUNTED: &str = "
    SELECT (at - ((at % 86400000000) + 86400000000) % 86400000000) / 86400000000 AS day,
        namespace, team, subject, resource, currency, CAST(SUM(sign) AS BIGINT) AS events,
        CAST(SUM(sign * used) AS BIGINT) AS amount_micro, CAST(SUM(cost) AS BIGINT) AS cost_micro
    FROM (
        SELECT e.at AS at, u.namespace AS namespace, u.team AS team, u.subject AS subject, u.resource AS resource,
            p.currency AS currency, CASE WHEN e.kind = 'usage' THEN 1 ELSE -1 END AS sign,
            u.amount_micro AS used, p.amount_micro AS cost
        FROM ledger_entries e JOIN ledger_usage u ON u.id = e.usage_id
        JOIN ledger_postings p ON p.entry = e.id AND p.account LIKE 'centre:%'
        UNION ALL
        SELECT u.at, u.namespace, u.team, u.subject, u.resource, '', 1, u.amount_micro, 0
        FROM ledger_unpriced b JOIN ledger_usage u ON u.id = b.usage_id
    ) AS told
    GROUP BY 1, namespace, team, subject, resource, currency";
const KEPT: &str = "
    SELECT day, namespace, team, subject, resource, currency, events, amount_micro, cost_micro FROM ledger_balances";

/// Counts everything again, in the database: every entry balanced, every event priced once or waiting, and every balance
/// what the postings make it.
///
/// # Errors
/// [`LedgerError::Wrong`] with what does not add up, [`LedgerError::Db`].
pub fn verify(tx: &mut dyn Tx) -> Result<Verified, LedgerError> {
    none(tx, UNBALANCED, |id| format!("the postings of the entry {id:?} do not sum to zero"))?;
    none(tx, ORPHANS, |id| format!("the entry {id:?} has lost its postings, its event or itself"))?;
    none(tx, LOST, |id| format!("usage {id:?} is not priced exactly once"))?;
    none(tx, REVERSALS, |id| format!("the entry {id:?} reverses what was never posted"))?;
    for (one, other) in [(COUNTED, KEPT), (KEPT, COUNTED)] {
        none(tx, &only_in(one, other), |subject| {
            format!("the balance of {subject:?} is not what its postings sum to")
        })?;
    }
    Ok(Verified {
        events: count(tx, "ledger_usage")?,
        entries: count(tx, "ledger_entries")?,
        postings: count(tx, "ledger_postings")?,
        unpriced: count(tx, "ledger_unpriced")?,
    })
}

/// The subject of a balance that one side has and the other has not. A balance that came to nothing may be there or not.
fn only_in(one: &str, other: &str) -> String {
    let something = "events <> 0 OR amount_micro <> 0 OR cost_micro <> 0";
    format!(
        "WITH one AS ({one}), other AS ({other}), odd AS
             (SELECT * FROM one WHERE {something} EXCEPT SELECT * FROM other WHERE {something})
         SELECT subject FROM odd ORDER BY subject LIMIT 1"
    )
}

fn none(tx: &mut dyn Tx, sql: &str, wrong: impl Fn(&str) -> String) -> Result<(), LedgerError> {
    match tx.query(sql, &[])?.first() {
        Some(row) => Err(LedgerError::Wrong(wrong(row.text(0)?))),
        None => Ok(()),
    }
}

fn count(tx: &mut dyn Tx, table: &str) -> Result<i64, LedgerError> {
    let rows = tx.query(&format!("SELECT COUNT(*) FROM {table}"), &[])?;
    Ok(rows.first().map_or(Ok(0), |row| row.int(0))?)
}

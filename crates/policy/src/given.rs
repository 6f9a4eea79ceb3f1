//! Decisions written down: who was told what of which thing by which policies, minute by minute, for a while.

use bedplate_db::{Row, Tx, Value};
use bedplate_types::Timestamp;
use serde::Serialize;

use crate::PolicyError;
use crate::memory::Known;

const MINUTE: i64 = 60_000_000;
/// How long decisions are kept, and how many rows of them at most.
const KEPT_MICROS: i64 = 7 * 24 * 60 * MINUTE;
const KEPT_ROWS: i64 = 200_000;
/// What is longer is cut: names come from callers.
const LONGEST: usize = 253;

/// What was decided since it was last asked, to be written down.
#[derive(Clone, Debug, Default)]
pub struct Given {
    rows: Vec<Line>,
    /// How many decisions there was no room for.
    pub lost: u64,
}

/// One decision with how often it was given.
#[derive(Clone, Debug)]
struct Line {
    words: [String; 9],
    allowed: bool,
    times: u32,
}

impl Given {
    pub(crate) fn new(given: &[(std::sync::Arc<Known>, u32)], lost: u64) -> Self {
        Self { rows: given.iter().map(|(known, times)| line(known, *times)).collect(), lost }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.lost == 0
    }

    /// How many decisions these are.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.rows.iter().map(|line| u64::from(line.times)).sum()
    }

    /// # Errors
    /// [`PolicyError::Db`].
    pub fn write(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<(), PolicyError> {
        let minute = now.micros().div_euclid(MINUTE) * MINUTE;
        for line in &self.rows {
            let mut args: Vec<Value> = vec![minute.into(), now.micros().into()];
            args.extend(line.words.iter().map(Value::from));
            args.extend([Value::from(i64::from(line.allowed)), Value::from(i64::from(line.times))]);
            tx.execute(
                "INSERT INTO policy_decisions (minute, last_at, principal, action, kind, namespace, name, purpose, site,
                     policies, why, allowed, times)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 ON CONFLICT (minute, principal, action, kind, namespace, name, purpose, site, policies, allowed)
                 DO UPDATE SET times = policy_decisions.times + excluded.times, last_at = excluded.last_at",
                &args,
            )?;
        }
        if self.lost > 0 {
            let lost = i64::try_from(self.lost).unwrap_or(i64::MAX);
            tx.execute("UPDATE policy_decisions_lost SET times = times + $1 WHERE id = 1", &[lost.into()])?;
        }
        Ok(())
    }
}

fn line(known: &Known, times: u32) -> Line {
    let (asked, decision) = (&known.asked, &known.decision);
    let policies = decision.policies.join(" ");
    let optional = |text: &Option<String>| tidy(text.as_deref().unwrap_or_default());
    Line {
        words: [
            tidy(&asked.principal),
            asked.action.to_string(),
            tidy(crate::kind::Kinds::known().find(&asked.kind).unwrap_or(&asked.kind)),
            optional(&asked.namespace),
            optional(&asked.name),
            optional(&asked.circumstances.purpose),
            optional(&asked.circumstances.site),
            tidy(&policies),
            if decision.allowed {
                String::new()
            } else {
                decision.why().chars().filter(|c| !c.is_control()).take(1_000).collect()
            },
        ],
        allowed: decision.allowed,
        times,
    }
}

fn tidy(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Forgets what is older than a week, and the oldest of what is too much.
///
/// # Errors
/// [`PolicyError::Db`].
pub fn forget_old_decisions(tx: &mut dyn Tx, now: Timestamp) -> Result<(), PolicyError> {
    let oldest = now.micros() - KEPT_MICROS;
    tx.execute("DELETE FROM policy_decisions WHERE minute < $1", &[oldest.into()])?;
    let sql = "SELECT minute FROM policy_decisions ORDER BY minute DESC LIMIT 1 OFFSET $1";
    if let Some(row) = tx.query(sql, &[KEPT_ROWS.into()])?.first() {
        let minute = row.int(0)?;
        tx.execute("DELETE FROM policy_decisions WHERE minute <= $1", &[minute.into()])?;
    }
    Ok(())
}

/// Which decisions are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// `Some("")`: those about no namespace, or all of them.
    pub namespace: Option<String>,
    pub principal: Option<String>,
    pub denied_only: bool,
    pub limit: u32,
}

/// A decision as it was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredDecision {
    pub at: Timestamp,
    pub principal: String,
    pub action: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub purpose: String,
    pub site: String,
    pub allowed: bool,
    pub policies: Vec<String>,
    /// On a denial, what was answered.
    pub why: String,
    /// How often, within one minute.
    pub times: i64,
}

/// The newest first.
///
/// # Errors
/// [`PolicyError::Db`].
pub fn decisions(tx: &mut dyn Tx, wanted: &Wanted) -> Result<Vec<StoredDecision>, PolicyError> {
    let any = |text: &Option<String>| (i64::from(text.is_none()), text.clone().unwrap_or_default());
    let ((all_places, namespace), (all_people, principal)) = (any(&wanted.namespace), any(&wanted.principal));
    let rows = tx.query(
        "SELECT last_at, principal, action, kind, namespace, name, purpose, site, allowed, policies, why, times
         FROM policy_decisions
         WHERE ($1 = 1 OR namespace = $2) AND ($3 = 1 OR principal = $4) AND ($5 = 0 OR allowed = 0)
         ORDER BY last_at DESC, principal, action, kind, namespace, name LIMIT $6",
        &[
            all_places.into(),
            namespace.into(),
            all_people.into(),
            principal.into(),
            i64::from(wanted.denied_only).into(),
            wanted.limit.into(),
        ],
    )?;
    rows.iter().map(read).collect()
}

/// How many decisions there was no room for, ever.
///
/// # Errors
/// [`PolicyError::Db`].
pub fn lost_decisions(tx: &mut dyn Tx) -> Result<i64, PolicyError> {
    let rows = tx.query("SELECT times FROM policy_decisions_lost WHERE id = 1", &[])?;
    Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or_default())
}

fn read(row: &Row) -> Result<StoredDecision, PolicyError> {
    let text = |at: usize| row.text(at).map(str::to_owned);
    Ok(StoredDecision {
        at: Timestamp::from_micros(row.int(0)?),
        principal: text(1)?,
        action: text(2)?,
        kind: text(3)?,
        namespace: text(4)?,
        name: text(5)?,
        purpose: text(6)?,
        site: text(7)?,
        allowed: row.int(8)? == 1,
        policies: row.text(9)?.split_whitespace().map(str::to_owned).collect(),
        why: text(10)?,
        times: row.int(11)?,
    })
}

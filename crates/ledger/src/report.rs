//! Sums over what was posted.

use std::collections::BTreeMap;
use std::str::FromStr;

use bedplate_db::{Row, Tx, Value};
use bedplate_types::{Money, Timestamp};
use serde::Serialize;

use crate::backlog::{self, Unpriced};
use crate::{LedgerError, day};

/// What costs can be told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    Namespace,
    Team,
    Subject,
    Resource,
    /// In UTC.
    Day,
    Month,
}

impl Dimension {
    pub const ALL: [Self; 6] = [Self::Namespace, Self::Team, Self::Subject, Self::Resource, Self::Day, Self::Month];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Team => "team",
            Self::Subject => "subject",
            Self::Resource => "resource",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Month => "day",
            other => other.name(),
        }
    }

    fn read(self, row: &Row, column: usize) -> Result<String, LedgerError> {
        Ok(match self {
            Self::Day => day::name(row.int(column)?),
            Self::Month => day::month(row.int(column)?),
            _ => row.text(column)?.to_owned(),
        })
    }
}

impl FromStr for Dimension {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| {
            format!("costs are not told by {text:?}; there are {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// Which costs, and how they are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Of one namespace; of all when left out.
    pub namespace: Option<String>,
    /// From the day this lies in (UTC).
    pub from: Option<Timestamp>,
    /// To before the day that begins then; a moment within a day takes that day in.
    pub to: Option<Timestamp>,
    /// One line for each combination; one for all when empty.
    pub by: Vec<Dimension>,
}

/// What was used and what that cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// A value for each dimension asked for, in that order.
    pub key: Vec<String>,
    pub currency: String,
    /// How many events were priced, less those reversed.
    pub events: i64,
    /// Millionths of the resource's unit; none when several resources are in one line.
    pub amount_micro: Option<i64>,
    pub cost: Money,
}

/// Costs, exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// In the order of their keys.
    pub lines: Vec<Line>,
    /// The sum of all lines of each currency.
    pub totals: BTreeMap<String, Money>,
    /// What has no price yet, and is in no line.
    pub unpriced: Vec<Unpriced>,
}

/// A statement has this many lines at most.
const LINES: usize = 50_000;

/// The costs a query asks for.
///
/// # Errors
/// [`LedgerError::TooMany`], [`LedgerError::Db`], also when a sum is beyond 64 bits.
pub fn statement(tx: &mut dyn Tx, query: &Query) -> Result<Statement, LedgerError> {
    let mut lines: BTreeMap<(Vec<String>, String), Line> = BTreeMap::new();
    for row in tx.query(&sql(&query.by), &args(query))? {
        let line = line(&row, &query.by)?;
        lines.entry((line.key.clone(), line.currency.clone())).and_modify(|sum| sum.add(&line)).or_insert(line);
    }
    if lines.len() > LINES {
        return Err(LedgerError::TooMany { limit: LINES });
    }
    let mut totals: BTreeMap<String, Money> = BTreeMap::new();
    for line in lines.values() {
        *totals.entry(line.currency.clone()).or_default() += line.cost;
    }
    let unpriced = backlog::unpriced(tx, query.namespace.as_deref())?;
    Ok(Statement { lines: lines.into_values().collect(), totals, unpriced })
}

impl Line {
    /// Days of one month.
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.cost += other.cost;
        self.amount_micro = self.amount_micro.zip(other.amount_micro).map(|(one, other)| one.saturating_add(other));
    }
}

fn sql(by: &[Dimension]) -> String {
    let columns: String = by.iter().map(|dimension| format!("{}, ", dimension.column())).collect();
    format!(
        "SELECT {columns}currency, CAST(SUM(events) AS BIGINT), CAST(SUM(amount_micro) AS BIGINT),
             CAST(SUM(cost_micro) AS BIGINT)
         FROM ledger_balances
         WHERE currency <> '' AND ($1 = '' OR namespace = $1) AND $2 <= day AND day < $3
         GROUP BY {columns}currency ORDER BY {columns}currency LIMIT $4"
    )
}

fn args(query: &Query) -> [Value; 4] {
    // By month, as many rows as there are days in one may make a line.
    let rows = if query.by.contains(&Dimension::Month) { 32 * LINES } else { LINES + 1 };
    [
        query.namespace.as_deref().unwrap_or_default().into(),
        query.from.map_or(i64::MIN, day::of).into(),
        query.to.map_or(i64::MAX, day::end).into(),
        i64::try_from(rows).unwrap_or(i64::MAX).into(),
    ]
}

fn line(row: &Row, by: &[Dimension]) -> Result<Line, LedgerError> {
    let key = by.iter().enumerate().map(|(place, dimension)| dimension.read(row, place));
    let key = key.collect::<Result<_, _>>()?;
    let one_resource = by.contains(&Dimension::Resource);
    Ok(Line {
        key,
        currency: row.text(by.len())?.to_owned(),
        events: row.int(by.len() + 1)?,
        amount_micro: if one_resource { Some(row.int(by.len() + 2)?) } else { None },
        cost: Money(row.int(by.len() + 3)?),
    })
}

/// What everything cost, or one namespace, in one currency.
///
/// # Errors
/// As [`statement`].
pub fn total(tx: &mut dyn Tx, namespace: Option<&str>, currency: &str) -> Result<Money, LedgerError> {
    let query = Query { namespace: namespace.map(str::to_owned), ..Query::default() };
    Ok(statement(tx, &query)?.totals.get(currency).copied().unwrap_or_default())
}

/// What has been spent since the month of `now` began (UTC), in each currency.
///
/// # Errors
/// As [`statement`].
pub fn month_to_date(
    tx: &mut dyn Tx,
    namespace: Option<&str>,
    now: Timestamp,
) -> Result<BTreeMap<String, Money>, LedgerError> {
    let begin = Timestamp::from_micros(day::month_begin(now).saturating_mul(day::MICROS));
    let tomorrow = Timestamp::from_micros((day::of(now) + 1).saturating_mul(day::MICROS));
    let query =
        Query { namespace: namespace.map(str::to_owned), from: Some(begin), to: Some(tomorrow), by: Vec::new() };
    Ok(statement(tx, &query)?.totals)
}

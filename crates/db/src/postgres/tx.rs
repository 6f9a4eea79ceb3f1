//! PostgreSQL behind [`Tx`]. A failed statement undoes itself and nothing else, as on SQLite: each runs in a savepoint.

use super::connection::{Answer, Connection, Want};
use super::error::{Failure, Fate, running};
use super::value::Cell;
use crate::error::shorten;
use crate::statement::{placeholders, refuse_control};
use crate::{DbError, Row, Tx, Value};

const NEXT: &str = "RELEASE statement; SAVEPOINT statement";

/// A transaction on a connection, begun and ended by whoever holds it.
pub(super) struct PostgresTx<'a> {
    connection: &'a mut Connection,
    /// What is sent before the next statement.
    before: String,
    touched: bool,
    broken: Option<(Fate, String)>,
}

impl<'a> PostgresTx<'a> {
    /// `before` is sent along with the first statement, if there is one.
    pub(super) fn new(connection: &'a mut Connection, before: &str) -> Self {
        Self { connection, before: format!("{before}SAVEPOINT statement"), touched: false, broken: None }
    }

    /// Whether any statement was sent, `before` with it.
    pub(super) fn touched(&self) -> bool {
        self.touched
    }

    /// Why the transaction cannot be committed, if so, and what was said.
    pub(super) fn broken(self) -> Option<(Fate, String)> {
        self.broken
    }

    fn ask(&mut self, sql: &str, args: &[Value], want: Want) -> Result<Answer, DbError> {
        check(sql, args)?;
        if let Some((_, why)) = &self.broken {
            return Err(DbError::Commit { why: why.clone() });
        }
        self.touched = true;
        let before = std::mem::replace(&mut self.before, NEXT.to_owned());
        match self.connection.ask(before, sql, args, want) {
            Err(failure) => {
                let fate = if failure.fate() == Fate::GoesOn { Fate::Gone } else { failure.fate() };
                Err(self.end(fate, sql, &failure))
            }
            Ok(Err(failure)) if failure.fate() != Fate::GoesOn => Err(self.end(failure.fate(), sql, &failure)),
            Ok(Err(failure)) => Err(self.undo(sql, &failure)),
            Ok(Ok(answer)) => Ok(answer),
        }
    }

    fn undo(&mut self, sql: &str, failure: &Failure) -> DbError {
        let told = running(self.connection.server(), sql, failure);
        match self.connection.run("ROLLBACK TO statement") {
            Ok(()) => told,
            Err(failure) => self.end(Fate::Gone, sql, &failure),
        }
    }

    fn end(&mut self, fate: Fate, sql: &str, failure: &Failure) -> DbError {
        self.broken = Some((fate, failure.words()));
        // One of them may be what is in the way: its table was changed.
        self.connection.forget_statements();
        running(self.connection.server(), sql, failure)
    }
}

fn check(sql: &str, args: &[Value]) -> Result<(), DbError> {
    refuse_control(sql)?;
    let wanted = placeholders(sql);
    if wanted != args.len() {
        return Err(DbError::Arguments { sql: shorten(sql), wanted, given: args.len() });
    }
    let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if args.iter().any(has_nul) {
        let why = "PostgreSQL keeps no NUL character in text".to_owned();
        return Err(DbError::Unstorable { sql: shorten(sql), why });
    }
    Ok(())
}

impl Tx for PostgresTx<'_> {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<usize, DbError> {
        match self.ask(sql, args, Want::Change)? {
            Answer::Changed(rows) => Ok(usize::try_from(rows).unwrap_or(usize::MAX)),
            _ => Err(DbError::Statement { sql: shorten(sql), source: "it has an answer".into() }),
        }
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, DbError> {
        match self.ask(sql, args, Want::Rows)? {
            Answer::Rows(rows) => rows.iter().map(|row| read(sql, row)).collect(),
            _ => Ok(Vec::new()),
        }
    }
}

fn read(sql: &str, row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let cells = (0..row.len()).map(|column| row.try_get::<_, Cell>(column).map(|cell| cell.0));
    let values = cells.collect::<Result<Vec<Value>, _>>();
    values.map(Row::new).map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        DbError::Statement { sql: shorten(sql), source: why.into() }
    })
}

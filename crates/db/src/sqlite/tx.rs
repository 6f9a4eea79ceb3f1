//! SQLite behind [`Tx`]: connections as we want them, and arguments bound by their number.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, Statement, ToSql};

use crate::error::shorten;
use crate::statement::refuse_control;
use crate::{DbError, Row, Tx, Value};

const BUSY: Duration = Duration::from_secs(5);
/// How soon a file that is busy is asked for again.
const AGAIN: Duration = Duration::from_millis(5);
const CACHED_STATEMENTS: usize = 256;

/// A connection that may write, and that has seen that the file is a database.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, DbError> {
    let connect = || {
        let conn = Connection::open(path)?;
        conn.busy_timeout(BUSY)?;
        write_ahead(&conn)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        prepare(&conn)?;
        Ok(conn)
    };
    connect().map_err(|error| DbError::opening(path, error))
}

/// Turns the log on. While another process does so, SQLite says "busy" at once instead of waiting.
fn write_ahead(conn: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + BUSY;
    loop {
        let outcome = conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
        let is_busy = outcome.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !is_busy || Instant::now() >= until {
            return outcome;
        }
        std::thread::sleep(AGAIN);
    }
}

/// A connection that refuses to write.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, DbError> {
    let connect = || {
        let conn = Connection::open(path)?;
        conn.busy_timeout(BUSY)?;
        prepare(&conn)?;
        conn.pragma_update(None, "query_only", "ON")?;
        Ok(conn)
    };
    connect().map_err(|error| DbError::opening(path, error))
}

fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "foreign_keys", "ON")?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Without this guarantee a statement with `LIMIT $1` or `LIKE $1` is planned anew each time it is bound.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// One statement that begins or ends a transaction, or looks without wanting to see anything.
pub(crate) fn control(conn: &Connection, sql: &str) -> Result<(), DbError> {
    let step = || conn.prepare_cached(sql)?.raw_query().next().map(|_| ());
    step().map_err(|error| DbError::running(sql, error))
}

/// Statements the engine itself understands, parsed each time: a migration, a pragma.
pub(crate) fn run(conn: &Connection, sql: &str) -> Result<(), DbError> {
    conn.execute_batch(sql).map_err(|error| DbError::running(sql, error))
}

/// A transaction on `conn`, begun and ended by whoever holds it.
pub(crate) struct SqliteTx<'a>(pub(crate) &'a Connection);

impl SqliteTx<'_> {
    fn bound(&self, sql: &str, args: &[Value]) -> Result<CachedStatement<'_>, DbError> {
        refuse_control(sql)?;
        let mut statement = self.0.prepare_cached(sql).map_err(|error| DbError::running(sql, error))?;
        let numbers = placeholders(&statement);
        let wanted = numbers.iter().copied().max().unwrap_or(0);
        if wanted != args.len() {
            return Err(DbError::Arguments { sql: shorten(sql), wanted, given: args.len() });
        }
        for (position, number) in numbers.into_iter().enumerate() {
            let bind = statement.raw_bind_parameter(position + 1, &args[number - 1]);
            bind.map_err(|error| DbError::running(sql, error))?;
        }
        Ok(statement)
    }
}

/// For each parameter in SQLite's own order (that of first appearance), the number after its `$`.
fn placeholders(statement: &Statement<'_>) -> Vec<usize> {
    (1..=statement.parameter_count())
        .map(|position| {
            let name = statement.parameter_name(position).unwrap_or_default();
            name.get(1..).and_then(|digits| digits.parse().ok()).filter(|n| *n > 0).unwrap_or(position)
        })
        .collect()
}

impl Tx for SqliteTx<'_> {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<usize, DbError> {
        self.bound(sql, args)?.raw_execute().map_err(|error| DbError::running(sql, error))
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, DbError> {
        let mut statement = self.bound(sql, args)?;
        collect(&mut statement).map_err(|error| DbError::running(sql, error))
    }
}

fn collect(statement: &mut Statement<'_>) -> rusqlite::Result<Vec<Row>> {
    let columns = statement.column_count();
    let mut answer = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = answer.next()? {
        let values: rusqlite::Result<Vec<Value>> = (0..columns).map(|i| row.get_ref(i)?.try_into()).collect();
        rows.push(Row::new(values?));
    }
    Ok(rows)
}

impl TryFrom<ValueRef<'_>> for Value {
    type Error = rusqlite::Error;

    fn try_from(value: ValueRef<'_>) -> rusqlite::Result<Self> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(n) => Self::Int(n),
            ValueRef::Real(x) => Self::Real(x),
            ValueRef::Text(_) => Self::Text(value.as_str()?.to_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        })
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Real(x) => ValueRef::Real(*x),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, args: &[Value], expect: Result<Vec<Value>, &str>) {
        let conn = Connection::open_in_memory().unwrap();
        let answer = SqliteTx(&conn).query(sql, args);
        match (answer, expect) {
            (Ok(rows), Ok(values)) => assert_eq!(rows, [Row::new(values)]),
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
            (answer, expect) => panic!("{answer:?} is not {expect:?}"),
        }
    }

    #[test]
    fn binds_by_the_number_and_not_by_the_order() {
        check("SELECT $2, $1, $2", &["a".into(), 1.into()], Ok(vec![1.into(), "a".into(), 1.into()]));
        check("SELECT ?, ?", &["a".into(), 1.into()], Ok(vec!["a".into(), 1.into()]));
        check("SELECT 1", &[], Ok(vec![1.into()]));
    }

    #[test]
    fn refuses_the_wrong_number_of_arguments_and_a_second_statement() {
        check("SELECT $1", &[], Err("takes 1 arguments, 0 were given"));
        check("SELECT $1", &[1.into(), 2.into()], Err("takes 1 arguments, 2 were given"));
        check("SELECT 1; SELECT 2", &[], Err("SELECT 1; SELECT 2"));
        check("SELEC 1", &[], Err("SELEC 1"));
    }

    #[test]
    fn nothing_is_planned_anew_for_being_bound() {
        let folder = tempfile::tempdir().unwrap();
        let conn = open_writer(&folder.path().join("it.db")).unwrap();
        run(&conn, "CREATE TABLE t (a TEXT PRIMARY KEY)").unwrap();
        let tx = SqliteTx(&conn);
        for _ in 0..3 {
            let args = ["a%".into(), "b".into(), 7.into()];
            let mut statement = tx.bound("SELECT a FROM t WHERE a LIKE $1 AND a > $2 LIMIT $3", &args).unwrap();
            collect(&mut statement).unwrap();
            assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn every_type_comes_back_as_it_went_in() {
        let values = [Value::Null, Value::Int(i64::MIN), 0.1.into(), "é\0z".into(), vec![0u8, 255].into()];
        check("SELECT $1, $2, $3, $4, $5", &values, Ok(values.to_vec()));
    }
}

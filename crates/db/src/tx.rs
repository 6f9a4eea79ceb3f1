//! The port every store of bedplate is written against.

use crate::{DbError, Row, Value};

/// A transaction on some SQL engine. Placeholders are `$1`, `$2`, …; each may be used several times.
pub trait Tx {
    /// Runs a statement without an answer and returns how many rows it changed.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when a key was taken, [`DbError::Arguments`] when the arguments do not fit the
    /// placeholders, or what the engine says.
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<usize, DbError>;

    /// Runs a statement and returns its whole answer: bound it with `LIMIT`.
    ///
    /// # Errors
    /// As [`Tx::execute`].
    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, DbError>;
}

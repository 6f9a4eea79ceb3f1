//! One row of an answer, read by column position.

use crate::{DbError, Value};

/// One row of an answer. Accessors fail, naming the column, when the value has another type.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(Vec<Value>);

impl Row {
    /// A row as an engine delivers it.
    #[must_use]
    pub fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// # Errors
    /// [`DbError::Column`] when the row has no such column.
    pub fn value(&self, column: usize) -> Result<&Value, DbError> {
        self.0.get(column).ok_or(DbError::Column { column, wanted: "value", found: "no such column" })
    }

    /// # Errors
    /// [`DbError::Column`] when it is missing, null or not an integer.
    pub fn int(&self, column: usize) -> Result<i64, DbError> {
        match self.value(column)? {
            Value::Int(n) => Ok(*n),
            other => Err(mismatch(column, "integer", other)),
        }
    }

    /// # Errors
    /// [`DbError::Column`] when it is missing or neither null nor an integer.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, DbError> {
        self.unless_null(column, Self::int)
    }

    /// # Errors
    /// [`DbError::Column`] when it is missing, null or not text.
    pub fn text(&self, column: usize) -> Result<&str, DbError> {
        match self.value(column)? {
            Value::Text(text) => Ok(text),
            other => Err(mismatch(column, "text", other)),
        }
    }

    /// # Errors
    /// [`DbError::Column`] when it is missing or neither null nor text.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>, DbError> {
        self.unless_null(column, Self::text)
    }

    /// A number; whole numbers count too, since SQLite stores `1.0` as it likes.
    ///
    /// # Errors
    /// [`DbError::Column`] when it is missing, null or not a number.
    pub fn real(&self, column: usize) -> Result<f64, DbError> {
        match self.value(column)? {
            Value::Real(x) => Ok(*x),
            #[expect(clippy::cast_precision_loss, reason = "asked for as a floating point number")]
            Value::Int(n) => Ok(*n as f64),
            other => Err(mismatch(column, "real", other)),
        }
    }

    /// # Errors
    /// [`DbError::Column`] when it is missing or neither null nor a number.
    pub fn opt_real(&self, column: usize) -> Result<Option<f64>, DbError> {
        self.unless_null(column, Self::real)
    }

    /// # Errors
    /// [`DbError::Column`] when it is missing, null or not a blob.
    pub fn blob(&self, column: usize) -> Result<&[u8], DbError> {
        match self.value(column)? {
            Value::Blob(bytes) => Ok(bytes),
            other => Err(mismatch(column, "blob", other)),
        }
    }

    fn unless_null<'a, T>(
        &'a self,
        column: usize,
        read: impl FnOnce(&'a Self, usize) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => read(self, column).map(Some),
        }
    }
}

fn mismatch(column: usize, wanted: &'static str, found: &Value) -> DbError {
    DbError::Column { column, wanted, found: found.type_name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_names_what_is_not() {
        let row = Row::new(vec![Value::Int(7), Value::Null, Value::Text("a".into()), Value::Real(0.5)]);
        assert_eq!((row.int(0).unwrap(), row.opt_int(1).unwrap(), row.real(0).unwrap()), (7, None, 7.0));
        assert_eq!((row.text(2).unwrap(), row.opt_text(1).unwrap()), ("a", None));
        assert_eq!(row.opt_real(3).unwrap(), Some(0.5));
        assert_eq!(row.int(2).unwrap_err().to_string(), "column 2 holds text where integer was expected");
        assert_eq!(row.text(9).unwrap_err().to_string(), "column 9 holds no such column where value was expected");
        assert!(row.blob(1).is_err());
    }
}

//! Rows as they come over the wire, gathered into batches of the declared columns.

use std::error::Error;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bedplate_kinds::ColumnType;
use tokio_postgres::types::{FromSql, Type};

use super::plan::How;

/// Microseconds from 1970 to 2000, where PostgreSQL begins.
pub(super) const EPOCH: i64 = 946_684_800_000_000;

/// A value as it came.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a>(pub &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(bytes))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The whole number or the moment, in microseconds since 1970, that the bytes are.
pub(super) fn number(how: How, bytes: &[u8]) -> Result<i64, String> {
    match how {
        How::Integer => integer(bytes),
        How::Instant => instant(bytes),
        How::Whole => whole(text(bytes)?),
        _ => Err(unexpected(bytes)),
    }
}

fn integer(bytes: &[u8]) -> Result<i64, String> {
    if let Ok(bytes) = bytes.try_into() {
        return Ok(i16::from_be_bytes(bytes).into());
    }
    if let Ok(bytes) = bytes.try_into() {
        return Ok(i32::from_be_bytes(bytes).into());
    }
    bytes.try_into().map(i64::from_be_bytes).map_err(|_| unexpected(bytes))
}

fn instant(bytes: &[u8]) -> Result<i64, String> {
    let micros = bytes.try_into().map(i64::from_be_bytes).map_err(|_| unexpected(bytes))?;
    if micros == i64::MIN || micros == i64::MAX {
        return Err("is infinity, which is no moment".into());
    }
    micros.checked_add(EPOCH).ok_or_else(|| "is a moment out of range".into())
}

fn float(bytes: &[u8]) -> Result<f64, String> {
    if let Ok(bytes) = bytes.try_into() {
        return Ok(f32::from_be_bytes(bytes).into());
    }
    bytes.try_into().map(f64::from_be_bytes).map_err(|_| unexpected(bytes))
}

/// `12.00` is whole, `12.5` is not.
fn whole(text: &str) -> Result<i64, String> {
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    if !after.bytes().all(|digit| digit == b'0') {
        return Err(format!("is {}, which is not whole; declare it as type: float64 or string", shown(text)));
    }
    before.parse().map_err(|_| format!("is {}, which is out of range for a whole number", shown(text)))
}

fn nearest(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("is {}, which is not a number", shown(text)))
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".into())
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn unexpected(bytes: &[u8]) -> String {
    format!("came as {} bytes, which is not its type's form", bytes.len())
}

enum Cells {
    String(StringBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Cells {
    fn of(type_: ColumnType) -> Self {
        match type_ {
            ColumnType::String => Self::String(StringBuilder::new()),
            ColumnType::Int32 => Self::Int32(Int32Builder::new()),
            ColumnType::Int64 => Self::Int64(Int64Builder::new()),
            ColumnType::Float64 => Self::Float64(Float64Builder::new()),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        }
    }

    fn push(&mut self, how: How, value: Option<&[u8]>) -> Result<(), String> {
        match self {
            Self::String(cells) => cells.append_option(value.map(text).transpose()?),
            Self::Int32(cells) => {
                let number = value.map(|bytes| number(how, bytes)).transpose()?;
                let number = number.map(|number| {
                    i32::try_from(number).map_err(|_| format!("is {number}, which is out of range for int32"))
                });
                cells.append_option(number.transpose()?);
            }
            Self::Int64(cells) => cells.append_option(value.map(|bytes| number(how, bytes)).transpose()?),
            Self::Float64(cells) => cells.append_option(
                value
                    .map(|bytes| match how {
                        How::Nearest => nearest(text(bytes)?),
                        _ => float(bytes),
                    })
                    .transpose()?,
            ),
            Self::Boolean(cells) => cells.append_option(value.map(|bytes| bytes != [0])),
            Self::Timestamp(cells) => cells.append_option(value.map(|bytes| number(how, bytes)).transpose()?),
        }
        Ok(())
    }

    fn take(&mut self) -> ArrayRef {
        match self {
            Self::String(cells) => Arc::new(cells.finish()),
            Self::Int32(cells) => Arc::new(cells.finish()),
            Self::Int64(cells) => Arc::new(cells.finish()),
            Self::Float64(cells) => Arc::new(cells.finish()),
            Self::Boolean(cells) => Arc::new(cells.finish()),
            Self::Timestamp(cells) => Arc::new(cells.finish()),
        }
    }
}

/// A batch that is being made.
pub(super) struct Rows {
    schema: SchemaRef,
    columns: Vec<(Cells, How)>,
    pub rows: usize,
    pub bytes: usize,
}

impl Rows {
    /// The columns in the order of the schema.
    pub fn new(schema: SchemaRef, columns: impl Iterator<Item = (ColumnType, How)>) -> Self {
        let columns = columns.map(|(type_, how)| (Cells::of(type_), how)).collect();
        Self { schema, columns, rows: 0, bytes: 0 }
    }

    /// Takes up a row. Fails with the position of the column that cannot be taken, and why; then the batch is of no use.
    pub fn push(&mut self, values: &[Option<Raw<'_>>]) -> Result<(), (usize, String)> {
        for (at, ((cells, how), value)) in self.columns.iter_mut().zip(values).enumerate() {
            cells.push(*how, value.map(|raw| raw.0)).map_err(|why| (at, why))?;
            self.bytes += value.map_or(1, |raw| raw.0.len());
        }
        self.rows += 1;
        Ok(())
    }

    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.rows, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(|(cells, _)| cells.take()).collect();
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_whole_or_not_at_all() {
        assert_eq!(number(How::Integer, &(-7_i16).to_be_bytes()), Ok(-7));
        assert_eq!(number(How::Integer, &(1_i32 << 20).to_be_bytes()), Ok(1 << 20));
        assert_eq!(number(How::Integer, &i64::MIN.to_be_bytes()), Ok(i64::MIN));
        assert!(number(How::Integer, &[1, 2, 3]).is_err());
        for (text, expect) in [("12", Some(12)), ("-12.00", Some(-12)), ("0.5", None), ("1e3", None), ("NaN", None)] {
            assert_eq!(number(How::Whole, text.as_bytes()).ok(), expect, "{text}");
        }
        assert!(number(How::Whole, b"9223372036854775808").unwrap_err().contains("out of range"));
    }

    #[test]
    fn moments_begin_in_2000_and_end() {
        assert_eq!(number(How::Instant, &0_i64.to_be_bytes()), Ok(EPOCH));
        for never in [i64::MAX, i64::MIN, i64::MAX - 1] {
            assert!(number(How::Instant, &never.to_be_bytes()).is_err());
        }
    }

    #[test]
    fn a_number_too_large_for_its_column_names_it() {
        let fields = vec![arrow::datatypes::Field::new("n", arrow::datatypes::DataType::Int32, true)];
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        let mut rows = Rows::new(schema, [(ColumnType::Int32, How::Whole)].into_iter());
        rows.push(&[Some(Raw(b"7"))]).unwrap();
        rows.push(&[None]).unwrap();
        assert_eq!(rows.take().unwrap().num_rows(), 2);
        let (at, why) = rows.push(&[Some(Raw(b"3000000000"))]).unwrap_err();
        assert!(at == 0 && why.contains("int32"), "{why}");
    }
}

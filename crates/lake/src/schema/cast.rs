//! Which casts lose nothing.

use arrow::datatypes::{DataType, TimeUnit};
use bedplate_kinds::ColumnType;

/// Whether every value of `from` has exactly one value of `to`, with the same meaning.
pub(super) fn is_lossless(from: &DataType, to: ColumnType) -> bool {
    use DataType::{
        Boolean, Dictionary, Float32, Float64, Int8, Int16, Int32, Int64, LargeUtf8, UInt8, UInt16, UInt32,
    };
    use DataType::{Timestamp, Utf8, Utf8View};
    match to {
        ColumnType::String => match from {
            Dictionary(_, values) => is_lossless(values, to),
            _ => matches!(from, Utf8 | LargeUtf8 | Utf8View),
        },
        ColumnType::Int32 => matches!(from, Int8 | Int16 | Int32 | UInt8 | UInt16),
        ColumnType::Int64 => matches!(from, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32),
        ColumnType::Float64 => matches!(from, Float32 | Float64 | Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32),
        ColumnType::Boolean => matches!(from, Boolean),
        // A wall-clock time without a zone is no instant; nanoseconds are checked value by value.
        ColumnType::Timestamp => matches!(from, Timestamp(_, Some(_))),
    }
}

/// What to do about a cast that is not allowed.
pub(super) fn hint(from: &DataType, to: ColumnType) -> String {
    match (from, to) {
        (DataType::Timestamp(_, None), ColumnType::Timestamp) => {
            "it has no time zone; write it with the zone UTC (pandas: df[c].dt.tz_localize('UTC'))".into()
        }
        _ => match nearest(from) {
            Some(name) => {
                format!("declare it as type: {name} in spec.schema, or write the source with the declared type")
            }
            None => "write the source with the declared type".into(),
        },
    }
}

/// A column type's values a source type can be declared as, if any.
fn nearest(from: &DataType) -> Option<&'static str> {
    nearest_type(from).map(super::type_name)
}

/// The first column type that holds every value of a source type, if any.
pub(super) fn nearest_type(from: &DataType) -> Option<ColumnType> {
    use ColumnType::{Boolean, Float64, Int32, Int64, String, Timestamp};
    [Int32, Int64, Float64, Boolean, String, Timestamp].into_iter().find(|to| is_lossless(from, *to))
}

/// The source's type as people name it.
pub(super) fn found_name(from: &DataType) -> String {
    match from {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".into(),
        DataType::Timestamp(unit, zone) => {
            let unit = match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            };
            format!("timestamp[{unit}, {}]", zone.as_deref().unwrap_or("no time zone"))
        }
        other => other.to_string().to_lowercase(),
    }
}

//! The values by which a table's rows are parted into folders, spelled as the Delta protocol has it:
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#partition-value-serialization>.

use std::collections::BTreeMap;
use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use datafusion::common::ScalarValue;

/// Of each column that rows are parted by, its value in words; none where it is null.
pub(crate) type Partition = BTreeMap<String, Option<String>>;

const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// Bytes of the name of a folder: with the names of files before and behind it a path stays one that archives can keep.
const LONGEST: usize = 200;

/// The folder of a partition within that of the table: `day=2026-01-31/country=DE`. Nothing is read from its name.
pub(crate) fn folder(partition_by: &[String], partition: &Partition) -> String {
    let parts = partition_by.iter().map(|column| part(column, partition.get(column).and_then(Option::as_deref)));
    parts.collect::<Vec<_>>().join("/")
}

fn part(column: &str, value: Option<&str>) -> String {
    let value = match value {
        None => NULL.to_owned(),
        // Not to be taken for null.
        Some(NULL) => NULL.replacen('_', "%5F", 1),
        Some(value) => escaped(value),
    };
    format!("{}={value}", escaped(column))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A column's values in words: times in ISO 8601, UTC.
pub(crate) fn words(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// The value of a column in a partition; an error where it is not of the column's type.
pub(crate) fn value(partition: &Partition, field: &Field) -> Result<ScalarValue, ArrowError> {
    let type_ = field.data_type();
    let value = match partition.get(field.name()).cloned().flatten() {
        Some(text) => ScalarValue::try_from_string(text, type_),
        None => ScalarValue::try_from(type_),
    };
    value.map_err(|error| ArrowError::CastError(format!("of partition column {:?}: {error}", field.name())))
}

/// The same partition as it is spelled here: other writers spell times in other ways, and null as an empty text.
pub(crate) fn spelled(partition: Partition, fields: &[Field]) -> Result<Partition, ArrowError> {
    let mut spelled = Partition::new();
    for field in fields {
        let text = partition.get(field.name()).cloned().flatten().filter(|text| !text.is_empty());
        let one = Partition::from([(field.name().clone(), text)]);
        let array = value(&one, field)?.to_array().map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let words = words(&array)?;
        spelled.insert(field.name().clone(), words.is_valid(0).then(|| words.value(0).to_owned()));
    }
    Ok(spelled)
}

/// Where a row has no partition it could be in, and why.
pub(crate) fn missing(batch: &RecordBatch, partition_by: &[String]) -> Result<Vec<(usize, String)>, ArrowError> {
    let mut missing = BTreeMap::new();
    for name in partition_by {
        let Some(column) = batch.column_by_name(name) else { continue };
        let words = words(column)?;
        for row in 0..words.len() {
            if let Some(why) =
                words.is_valid(row).then(|| obstacle(name, words.value(row), column.data_type())).flatten()
            {
                missing.entry(row).or_insert(why);
            }
        }
    }
    Ok(missing.into_iter().collect())
}

fn obstacle(column: &str, text: &str, type_: &DataType) -> Option<String> {
    if text.is_empty() {
        return Some(format!(
            "{column} is an empty text, and the table is partitioned by it: Delta takes that for null"
        ));
    }
    if matches!(type_, DataType::Timestamp(..)) && !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(format!("{column} is not in the years 0 to 9999, and the table is partitioned by it"));
    }
    let long = text.len() > LONGEST / 3 && part(column, Some(text)).len() > LONGEST;
    long.then(|| format!("{column} is too long for the name of a folder, and the table is partitioned by it"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Int64Array, TimestampMicrosecondArray};
    use arrow::datatypes::TimeUnit;

    use super::*;

    #[track_caller]
    fn check(array: ArrayRef, expect: &[Option<&str>]) {
        let field = Field::new("c", array.data_type().clone(), true);
        let spelled_ = words(&array).unwrap();
        assert_eq!(spelled_.iter().collect::<Vec<_>>(), expect);
        for (row, text) in expect.iter().enumerate() {
            let partition = Partition::from([("c".to_owned(), text.map(str::to_owned))]);
            let back = value(&partition, &field).unwrap().to_array().unwrap();
            assert_eq!(&back, &array.slice(row, 1));
            assert_eq!(spelled(partition.clone(), std::slice::from_ref(&field)).unwrap(), partition);
        }
    }

    #[test]
    fn a_value_comes_back_from_its_words() {
        check(Arc::new(StringArray::from(vec![Some("a b/ü=%"), None])), &[Some("a b/ü=%"), None]);
        check(
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(7), None])),
            &[Some("-9223372036854775808"), Some("7"), None],
        );
        check(Arc::new(BooleanArray::from(vec![true, false])), &[Some("true"), Some("false")]);
        let times = TimestampMicrosecondArray::from(vec![Some(-1), Some(1_769_817_600_000_000), None]);
        let words = [Some("1969-12-31T23:59:59.999999Z"), Some("2026-01-31T00:00:00Z"), None];
        check(Arc::new(times.with_timezone("UTC")), &words);
    }

    #[test]
    fn what_others_spell_otherwise_is_the_same_value() {
        let field = Field::new("c", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
        let of = |text: &str| Partition::from([("c".to_owned(), Some(text.to_owned()))]);
        for theirs in ["2026-01-31 00:00:00", "2026-01-31 00:00:00.000000", "2026-01-31T01:00:00.000000+01:00"] {
            assert_eq!(
                spelled(of(theirs), std::slice::from_ref(&field)).unwrap(),
                of("2026-01-31T00:00:00Z"),
                "{theirs}"
            );
        }
        assert_eq!(spelled(of(""), std::slice::from_ref(&field)).unwrap(), Partition::from([("c".to_owned(), None)]));
        assert!(spelled(of("soon"), &[field]).is_err());
    }

    #[test]
    fn folders_are_named_as_hive_does_and_no_two_values_share_one() {
        let by = ["day".to_owned(), "who is".to_owned()];
        let of = |who: Option<&str>| {
            let who = ("who is".to_owned(), who.map(str::to_owned));
            folder(&by, &Partition::from([("day".to_owned(), Some("2026-01-31".to_owned())), who]))
        };
        assert_eq!(of(Some("a/b c")), "day=2026-01-31/who%20is=a%2Fb%20c");
        assert_eq!(of(Some("ü")), "day=2026-01-31/who%20is=%C3%BC");
        assert_eq!(of(None), "day=2026-01-31/who%20is=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(of(Some(NULL)), "day=2026-01-31/who%20is=%5F_HIVE_DEFAULT_PARTITION__");
        assert_ne!(of(Some("%5F_HIVE_DEFAULT_PARTITION__")), of(Some(NULL)));
    }

    #[test]
    fn a_value_that_no_folder_can_have_is_told() {
        let long = "ü".repeat(40);
        let column = StringArray::from(vec![Some("a"), None, Some(""), Some(&long)]);
        let batch = RecordBatch::try_from_iter([("c", Arc::new(column) as ArrayRef)]).unwrap();
        let missing = missing(&batch, &["c".to_owned()]).unwrap();
        assert_eq!(missing.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 3]);
        assert!(missing[0].1.contains("empty text") && missing[1].1.contains("too long"), "{missing:?}");
    }
}

//! A JSON value as a value.

use bedplate_kinds::ColumnType;
use serde_json::{Number, Value as Json};

use super::time::Zone;
use super::{SHOWN, Value};
use crate::schema::type_name;

/// None for `null`.
pub(super) fn value<'a>(json: &'a Json, type_: ColumnType, zone: &Zone) -> Result<Option<Value<'a>>, String> {
    let found = match (type_, json) {
        (_, Json::Null) => return Ok(None),
        (ColumnType::String, Json::String(text)) => Some(Value::String(text)),
        (ColumnType::Int32, Json::Number(number)) => {
            number.as_i64().and_then(|number| i32::try_from(number).ok()).map(Value::Int32)
        }
        (ColumnType::Int64, Json::Number(number)) => number.as_i64().map(Value::Int64),
        (ColumnType::Float64, Json::Number(number)) => float(number).map(Value::Float64),
        (ColumnType::Boolean, Json::Bool(value)) => Some(Value::Boolean(*value)),
        (ColumnType::Timestamp, Json::String(text)) => return zone.micros(text.trim()).map(Value::Timestamp).map(Some),
        _ => None,
    };
    found.map(Some).ok_or_else(|| format!("{} is not {}", told(json), type_name(type_)))
}

/// As it is written, which needs no quotes of ours.
fn told(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// No whole number beyond 2^53: not every one of them is a float.
fn float(number: &Number) -> Option<f64> {
    const EXACT: u64 = 1 << 53;
    match number.as_i64() {
        Some(whole) if whole.unsigned_abs() > EXACT => None,
        _ => number.as_f64().filter(|value| value.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, type_: ColumnType, expect: Result<Option<Value<'_>>, &str>) {
        let json = serde_json::from_str(json).unwrap();
        assert_eq!(value(&json, type_, &Zone::default()), expect.map_err(str::to_owned), "{json}");
    }

    #[test]
    fn a_value_is_what_it_is_and_nothing_is_converted() {
        use ColumnType::{Boolean, Float64, Int32, Int64, String, Timestamp};
        check("null", Int32, Ok(None));
        check("7", Int32, Ok(Some(Value::Int32(7))));
        check("7", Float64, Ok(Some(Value::Float64(7.0))));
        check("7.5", Int64, Err("7.5 is not int64"));
        check("9007199254740993", Float64, Err("9007199254740993 is not float64"));
        check("\"7\"", Int64, Err("\"7\" is not int64"));
        check("7", String, Err("7 is not string"));
        check("\"a\"", String, Ok(Some(Value::String("a"))));
        check("[1]", String, Err("[1] is not string"));
        check("false", Boolean, Ok(Some(Value::Boolean(false))));
        check("\"1970-01-01T00:00:01Z\"", Timestamp, Ok(Some(Value::Timestamp(1_000_000))));
        check("1", Timestamp, Err("1 is not timestamp"));
    }
}

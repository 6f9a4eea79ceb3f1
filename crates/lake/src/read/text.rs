//! Text as a value.

use bedplate_kinds::ColumnType;

use super::time::Zone;
use super::{Value, shown};
use crate::schema::type_name;

/// The value of a field, or why it is none.
pub(super) fn value<'a>(bytes: &'a [u8], type_: ColumnType, zone: &Zone) -> Result<Value<'a>, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", shown(&String::from_utf8_lossy(bytes))))?;
    let trimmed = text.trim();
    let found = match type_ {
        ColumnType::String => Some(Value::String(text)),
        ColumnType::Int32 => trimmed.parse().ok().map(Value::Int32),
        ColumnType::Int64 => trimmed.parse().ok().map(Value::Int64),
        ColumnType::Float64 => float(trimmed).map(Value::Float64),
        ColumnType::Boolean => boolean(trimmed).map(Value::Boolean),
        ColumnType::Timestamp => return zone.micros(trimmed).map(Value::Timestamp),
    };
    found.ok_or_else(|| format!("{} is not {}", shown(text), type_name(type_)))
}

/// Infinite only where that is what is written: a number out of range is none.
fn float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let spelled = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    (value.is_finite() || value.is_nan() || spelled).then_some(value)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], type_: ColumnType, expect: Result<Value<'_>, &str>) {
        let found = value(text, type_, &Zone::default());
        assert_eq!(found, expect.map_err(str::to_owned), "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn numbers_are_decimal_and_in_range() {
        use ColumnType::{Float64, Int32, Int64};
        check(b" -7 ", Int32, Ok(Value::Int32(-7)));
        check(b"9223372036854775807", Int64, Ok(Value::Int64(i64::MAX)));
        check(b"2147483648", Int32, Err("\"2147483648\" is not int32"));
        check(b"1.0", Int64, Err("\"1.0\" is not int64"));
        check(b"", Int64, Err("\"\" is not int64"));
        check(b"1e-3", Float64, Ok(Value::Float64(0.001)));
        check(b"1,5", Float64, Err("\"1,5\" is not float64"));
        check(b"1e999", Float64, Err("\"1e999\" is not float64"));
        check(b"-inf", Float64, Ok(Value::Float64(f64::NEG_INFINITY)));
        check(b"+Infinity", Float64, Ok(Value::Float64(f64::INFINITY)));
        let nan = value(b"NaN", Float64, &Zone::default());
        assert!(matches!(nan, Ok(Value::Float64(value)) if value.is_nan()), "{nan:?}");
    }

    #[test]
    fn words_are_themselves() {
        check(" ä ".as_bytes(), ColumnType::String, Ok(Value::String(" ä ")));
        check(b"True", ColumnType::Boolean, Ok(Value::Boolean(true)));
        check(b"1", ColumnType::Boolean, Err("\"1\" is not boolean"));
        check(b"a\xff", ColumnType::String, Err("\"a\u{fffd}\" is not UTF-8"));
        let long = [b'x'; 99];
        check(&long, ColumnType::Int64, Err(&format!("\"{}\"… is not int64", "x".repeat(40))));
    }
}

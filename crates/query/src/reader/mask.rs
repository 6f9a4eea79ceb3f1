//! What is shown in place of a column's values.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use bedplate_kinds::Mask;
use datafusion::common::{Column, ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use ring::hmac;

const REDACTED: &str = "REDACTED";
/// The name plans have for the hash.
pub(super) const PSEUDONYM: &str = "pseudonym";

/// The key of one namespace's pseudonyms: who has it finds out by trying whom one stands for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(Arc<[u8]>);

impl Key {
    pub fn of(master: &[u8; 32], namespace: &str) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        Self(hmac::sign(&master, format!("pseudonyms of {namespace}").as_bytes()).as_ref().into())
    }

    /// As it was written.
    pub fn read(written: &[u8]) -> Self {
        Self(written.into())
    }

    /// Only to be sent to who makes pseudonyms.
    pub fn written(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The column as it is.
pub(super) fn unmasked(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// What stands for the column, of the same type. A mask that does not fit the type shows nothing.
pub(super) fn masked(mask: Mask, name: &str, type_: &DataType, key: &Key) -> Result<Expr> {
    let is_text = matches!(type_, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match mask {
        Mask::Redact if is_text => Ok(lit(ScalarValue::new_utf8(REDACTED).cast_to(type_)?)),
        Mask::Hash if *type_ == DataType::Utf8 || *type_ == DataType::Int64 => {
            Ok(ScalarUDF::from(Pseudonym::new(key.clone(), type_.clone())).call(vec![unmasked(name)]))
        }
        _ => Ok(lit(ScalarValue::try_from(type_)?)),
    }
}

/// A keyed hash: equal values stay equal, and nothing else is told. It is in no registry, so that no statement can call it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Pseudonym {
    key: Key,
    type_: DataType,
    signature: Signature,
}

impl Pseudonym {
    pub fn new(key: Key, type_: DataType) -> Self {
        let signature = Signature::exact(vec![type_.clone()], Volatility::Immutable);
        Self { key, type_, signature }
    }

    pub fn key(&self) -> &Key {
        &self.key
    }

    /// That of the column, and of its pseudonyms.
    pub fn of_type(&self) -> &DataType {
        &self.type_
    }

    fn of(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key.0);
        match &self.type_ {
            DataType::Utf8 => {
                let text = cast(array, &DataType::Utf8)?;
                let hashed = text.as_string::<i32>().iter().map(|value| value.map(|value| pseudonym(&key, value)));
                Ok(Arc::new(hashed.collect::<StringArray>()))
            }
            DataType::Int64 => {
                let numbers = array.as_primitive::<Int64Type>();
                let hashed: Int64Array = numbers.iter().map(|value| value.map(|value| number(&key, value))).collect();
                Ok(Arc::new(hashed))
            }
            other => plan_err!("{other} has no pseudonyms"),
        }
    }
}

impl ScalarUDFImpl for Pseudonym {
    fn name(&self) -> &'static str {
        PSEUDONYM
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.type_.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        match arrays.first() {
            Some(array) => Ok(ColumnarValue::Array(self.of(array)?)),
            None => plan_err!("a pseudonym is that of a value"),
        }
    }
}

/// The first 128 bits.
fn pseudonym(key: &hmac::Key, value: &str) -> String {
    hmac::sign(key, value.as_bytes()).as_ref().iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        use fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The first 63 bits: never negative.
fn number(key: &hmac::Key, value: i64) -> i64 {
    let signed = hmac::sign(key, format!("int64 {value}").as_bytes());
    let bytes = signed.as_ref().iter().take(8);
    bytes.fold(0_i64, |number, byte| (number << 8) | i64::from(*byte)) & i64::MAX
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn a_pseudonym_is_the_same_within_a_namespace_and_another_elsewhere() {
        let of = |namespace, value: &str| {
            let key = Key::of(&[7; 32], namespace);
            pseudonym(&hmac::Key::new(hmac::HMAC_SHA256, &key.0), value)
        };
        assert_eq!(of("care", "ada@example.org"), of("care", "ada@example.org"));
        assert_ne!(of("care", "ada@example.org"), of("care", "bob@example.org"));
        assert_ne!(of("care", "ada@example.org"), of("sales", "ada@example.org"));
        assert_eq!(of("care", "").len(), 32);
        assert!(!format!("{:?}", Key::of(&[7; 32], "care")).contains('7'));
    }

    #[test]
    fn numbers_have_numbers_and_nothing_stays_nothing() {
        let pseudonyms = Pseudonym::new(Key::of(&[7; 32], "care"), DataType::Int64);
        let array: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(1), Some(-1)]));
        let hashed = pseudonyms.of(&array).unwrap();
        let hashed = hashed.as_primitive::<Int64Type>();
        assert!(hashed.value(0) > 0 && hashed.value(0) == hashed.value(2) && hashed.value(0) != hashed.value(3));
        assert!(hashed.is_null(1));
    }
}

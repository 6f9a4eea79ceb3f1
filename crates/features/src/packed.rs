//! A row's values as bytes whose order is the order of the values.

use crate::number::tidy;

/// One byte for null or present, eight for the number.
const WIDTH: usize = 9;
const NULL: u8 = 0;
const PRESENT: u8 = 1;

/// The bytes are not what [`pack`] writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are not packed values")]
pub struct InvalidPacked(pub usize);

/// Nine bytes a value; comparing the bytes compares the values from left to right, null before any number.
/// NaN is packed as null and -0.0 as 0.0.
#[must_use]
pub fn pack(values: &[Option<f64>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack_into(values, &mut bytes);
    bytes
}

/// The same at the end of what `bytes` holds.
pub fn pack_into(values: &[Option<f64>], bytes: &mut Vec<u8>) {
    bytes.reserve(values.len() * WIDTH);
    for value in values {
        let value = value.and_then(tidy);
        bytes.push(if value.is_some() { PRESENT } else { NULL });
        bytes.extend_from_slice(&value.map_or([0; 8], ordered));
    }
}

/// # Errors
/// When the bytes were not written by [`pack`].
pub fn unpack(bytes: &[u8]) -> Result<Vec<Option<f64>>, InvalidPacked> {
    let (cells, rest) = bytes.as_chunks::<WIDTH>();
    if !rest.is_empty() {
        return Err(InvalidPacked(bytes.len()));
    }
    cells.iter().map(|cell| unpack_one(*cell).ok_or(InvalidPacked(bytes.len()))).collect()
}

fn unpack_one([tag, raw @ ..]: [u8; WIDTH]) -> Option<Option<f64>> {
    match tag {
        NULL => Some(None),
        PRESENT => Some(Some(from_ordered(raw))),
        _ => None,
    }
}

const SIGN: u64 = 1 << 63;

/// Big-endian bits with the sign turned around (and every bit, below zero), so that bytes order like numbers.
fn ordered(value: f64) -> [u8; 8] {
    let bits = value.to_bits();
    let ordered = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    ordered.to_be_bytes()
}

fn from_ordered(bytes: [u8; 8]) -> f64 {
    let ordered = u64::from_be_bytes(bytes);
    f64::from_bits(if ordered & SIGN == 0 { !ordered } else { ordered & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_order_like_values_and_come_back_exactly() {
        let rising =
            [None, Some(f64::NEG_INFINITY), Some(-2.5), Some(-f64::MIN_POSITIVE), Some(0.0), Some(1e-300), Some(7.0)];
        for pair in rising.windows(2) {
            assert!(pack(&[pair[0]]) < pack(&[pair[1]]), "{pair:?}");
        }
        assert_eq!(unpack(&pack(&rising)), Ok(rising.to_vec()));
    }

    #[test]
    fn one_zero_no_nan_and_no_foreign_bytes() {
        assert_eq!(pack(&[Some(-0.0), Some(f64::NAN)]), pack(&[Some(0.0), None]));
        assert_eq!(unpack(&[1, 2]), Err(InvalidPacked(2)));
        assert_eq!(unpack(&[9; 9]), Err(InvalidPacked(9)));
    }
}

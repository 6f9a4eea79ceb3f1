//! `NUMERIC`, which is what PostgreSQL makes of a sum of integers, as it is sent: PostgreSQL's `numeric_send`.
//!
//! Four 16-bit numbers (digits, the first digit's weight, sign, scale), then the digits to base 10,000.

const BASE: f64 = 10_000.0;
const MINUS: u16 = 0x4000;

/// An integer when it is one of 64 bits, else the nearest floating point number; none when the bytes are no number.
pub(super) fn read(raw: &[u8]) -> Option<Number> {
    let mut words = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let count = usize::from(words.next()?);
    let weight = i32::from(words.next()?.cast_signed());
    let (sign, _scale) = (words.next()?, words.next()?);
    let digits: Vec<u16> = words.take(count).collect();
    if digits.len() != count || (sign != 0 && sign != MINUS) {
        return None;
    }
    Some(
        integer(&digits, weight, sign == MINUS)
            .map_or_else(|| Number::Real(real(&digits, weight, sign == MINUS)), Number::Int),
    )
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Real(f64),
}

fn integer(digits: &[u16], weight: i32, minus: bool) -> Option<i64> {
    let whole = usize::try_from(weight + 1).ok()?;
    if whole > 6 || digits.iter().skip(whole).any(|digit| *digit != 0) {
        return digits.is_empty().then_some(0);
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(0)).take(whole);
    let size = padded.fold(0_i128, |sum, digit| sum * 10_000 + i128::from(digit));
    i64::try_from(if minus { -size } else { size }).ok()
}

fn real(digits: &[u16], weight: i32, minus: bool) -> f64 {
    let places = digits.iter().zip(0..);
    let size: f64 = places.map(|(digit, place)| f64::from(*digit) * BASE.powi(weight - place)).sum();
    if minus { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[u16], expect: Option<Number>) {
        let raw: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(read(&raw), expect, "{words:?}");
    }

    #[test]
    fn whole_numbers_are_integers_and_others_are_not() {
        check(&[0, 0, 0, 0], Some(Number::Int(0)));
        check(&[2, 1, 0, 0, 1, 2345], Some(Number::Int(12_345)));
        check(&[1, 1, MINUS, 0, 3], Some(Number::Int(-30_000)));
        check(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5807], Some(Number::Int(i64::MAX)));
        check(&[5, 4, MINUS, 0, 922, 3372, 368, 5477, 5808], Some(Number::Int(i64::MIN)));
        check(&[2, 0, 0, 1, 1, 5000], Some(Number::Real(1.5)));
        check(&[1, 0xffff, 0, 1, 5000], Some(Number::Real(0.5)));
        check(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5808], Some(Number::Real(9_223_372_036_854_775_808.0)));
    }

    #[test]
    fn what_is_no_number_is_not_read() {
        check(&[0, 0, 0xc000, 0], None);
        check(&[2, 0, 0, 0, 1], None);
        check(&[1, 0], None);
    }
}

//! What a value looks like. A value is looked at as it is: no rule finds something within a sentence.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::PiiKind;

/// Longer texts are none of these.
const LONGEST: usize = 254;

static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$").ok());
/// International with a plus or two zeros, or as North America writes it.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:(?:\+|00)[1-9](?:[ ()./-]*[0-9]){6,14}|(?:\+?1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4})$").ok()
});
static SSN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$").ok());

type Rule = (PiiKind, fn(&str) -> bool);

/// What the value looks like, if anything.
pub fn judge(value: &str) -> Option<PiiKind> {
    let value = value.trim();
    if value.is_empty() || value.len() > LONGEST {
        return None;
    }
    let rules: [Rule; 6] = [
        (PiiKind::Email, is_email),
        (PiiKind::IpAddress, is_ip),
        (PiiKind::NationalId, is_ssn),
        (PiiKind::Iban, is_iban),
        (PiiKind::Phone, is_phone),
        (PiiKind::CreditCard, is_card),
    ];
    rules.into_iter().find(|(_, is)| is(value)).map(|(kind, _)| kind)
}

/// Whether there is a rule for its values; the rest is known by the column's name alone.
pub const fn has_rule(kind: PiiKind) -> bool {
    !matches!(kind, PiiKind::DateOfBirth | PiiKind::PersonName | PiiKind::Address | PiiKind::NationalId)
}

fn matches(pattern: &LazyLock<Option<Regex>>, value: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(value))
}

fn is_email(value: &str) -> bool {
    matches(&EMAIL, value)
}

fn is_phone(value: &str) -> bool {
    matches(&PHONE, value)
}

fn is_ip(value: &str) -> bool {
    value.parse::<Ipv4Addr>().is_ok() || (value.matches(':').count() >= 2 && value.parse::<Ipv6Addr>().is_ok())
}

/// The Social Security Administration never issued areas 000, 666 and from 900 on, group 00 or serial 0000.
fn is_ssn(value: &str) -> bool {
    let (area, rest) = value.split_at_checked(3).unwrap_or_default();
    matches(&SSN, value)
        && !matches!(area, "000" | "666")
        && !area.starts_with('9')
        && !rest.starts_with("-00")
        && !rest.ends_with("-0000")
}

/// ISO 13616: with the first four characters at the end and letters as numbers, it leaves 1 when divided by 97.
fn is_iban(value: &str) -> bool {
    let letters: Vec<u8> = value.bytes().filter(|byte| *byte != b' ').map(|byte| byte.to_ascii_uppercase()).collect();
    let is_formed = (15..=34).contains(&letters.len())
        && letters[..2].iter().all(u8::is_ascii_uppercase)
        && letters[2..4].iter().all(u8::is_ascii_digit)
        && letters.iter().all(u8::is_ascii_alphanumeric);
    if !is_formed {
        return false;
    }
    let (start, rest) = letters.split_at(4);
    let left = rest.iter().chain(start).fold(0_u32, |left, byte| match byte {
        b'0'..=b'9' => (left * 10 + u32::from(byte - b'0')) % 97,
        _ => (left * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    left == 1
}

/// ISO/IEC 7812: 13 to 19 digits of an issuer of payment cards, the last of them Luhn's check digit.
fn is_card(value: &str) -> bool {
    let is_written = value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    let digits: Vec<u32> = value.bytes().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0')).collect();
    if !is_written || !(13..=19).contains(&digits.len()) || !(2..=6).contains(&digits[0]) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expect: Option<PiiKind>, values: &[&str]) {
        values.iter().for_each(|value| assert_eq!(judge(value), expect, "{value}"));
    }

    #[test]
    fn what_tells_of_a_person_is_known() {
        check(Some(PiiKind::Email), &["ada@example.org", "a.b+c@mail.example.co.uk", " o'neil@x.ie "]);
        check(
            Some(PiiKind::Phone),
            &["+49 30 901820", "+14155550100", "0041 44 668 18 00", "(212) 555-0100", "212-555-0100", "1-212-555-0100"],
        );
        check(
            Some(PiiKind::Iban),
            &["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "fr1420041010050500013m02606"],
        );
        check(Some(PiiKind::CreditCard), &["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"]);
        check(Some(PiiKind::IpAddress), &["192.168.1.10", "2001:db8::1", "::ffff:10.0.0.1"]);
        check(Some(PiiKind::NationalId), &["123-45-6789"]);
    }

    #[test]
    fn what_only_looks_alike_is_not() {
        // Wrong check digits.
        check(None, &["DE89 3704 0044 0532 0130 01", "4111 1111 1111 1112", "0000000000000000"]);
        // Numbers, dates, times, versions, names and codes.
        check(
            None,
            &["2013-07-01", "2013-07-01T04:00:00Z", "12:30:00", "1.2.3", "1048.36", "20130701", "N14228", "-1", ""],
        );
        check(None, &["1234567890", "300.1.1.1", "a@b", "@handle", "x@y.", "write to ada@example.org please", "EWR"]);
        check(None, &["000-45-6789", "666-45-6789", "123-00-6789", "123-45-0000", "900-12-3456"]);
        check(None, &["Boeing 737-800", "AA 1234", "GB82", "1372636800000000", "00000"]);
        check(None, &[&"9".repeat(300), "😀😀😀", "12-34"]);
    }
}

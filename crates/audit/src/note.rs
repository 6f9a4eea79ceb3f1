//! Signed notes (C2SP signed-note): a text, and lines that say who signed it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::AuditError;

/// A note may be this long at most: room for many witnesses, and for signatures of keys that are not known here.
const MAX_BYTES: usize = 1 << 18;

/// A note taken apart. Nothing in it is believed yet.
pub(crate) struct Note<'a> {
    /// What is signed, with its last newline.
    pub text: &'a str,
    pub signatures: Vec<Signature<'a>>,
}

/// One line `— <name> <base64 of key id and signature>`.
pub(crate) struct Signature<'a> {
    pub line: &'a str,
    pub name: &'a str,
    /// Four bytes of key id and at least one of signature.
    raw: Vec<u8>,
}

impl<'a> Note<'a> {
    pub fn parse(note: &'a str) -> Result<Self, AuditError> {
        let wrong = AuditError::Note;
        if note.len() > MAX_BYTES {
            return Err(wrong("it is too long"));
        }
        if note.contains(|c: char| c.is_ascii_control() && c != '\n') {
            return Err(wrong("it holds control characters"));
        }
        let border = note.rfind("\n\n").ok_or(wrong("no signature follows an empty line"))?;
        let (text, signatures) = (&note[..=border], &note[border + 2..]);
        Ok(Self { text, signatures: signature_lines(signatures)? })
    }
}

/// The signatures of some lines, each of which must end in a newline.
pub(crate) fn signature_lines(lines: &str) -> Result<Vec<Signature<'_>>, AuditError> {
    let lines = lines.strip_suffix('\n').ok_or(AuditError::Note("its last line does not end"))?;
    lines.split('\n').map(|line| Signature::parse(line).ok_or(AuditError::Note("a signature is malformed"))).collect()
}

impl<'a> Signature<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, raw) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let raw = STANDARD.decode(raw).ok().filter(|raw| raw.len() > 4)?;
        is_key_name(name).then_some(Self { line, name, raw })
    }

    pub fn id(&self) -> &[u8] {
        self.raw.get(..4).unwrap_or_default()
    }

    pub fn bytes(&self) -> &[u8] {
        self.raw.get(4..).unwrap_or_default()
    }
}

/// The line a signature of `name` makes, without its newline.
pub(crate) fn signature_line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("\u{2014} {name} {}", STANDARD.encode([&id, signature].concat()))
}

/// Names of keys are not empty and hold neither spaces nor a plus; control characters would break the note.
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A decimal without sign and leading zeroes, as notes and paths spell numbers.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_note_apart_at_its_last_empty_line() {
        let note = Note::parse("a\n\nb\n\n\u{2014} k AAAAAAE=\n\u{2014} l AAAAAAI=\n").unwrap();
        assert_eq!(note.text, "a\n\nb\n");
        let signed: Vec<_> = note.signatures.iter().map(|s| (s.name, s.id(), s.bytes())).collect();
        assert_eq!(signed, [("k", &[0; 4][..], &[1][..]), ("l", &[0; 4], &[2])]);
    }

    #[test]
    fn refuses_what_is_malformed() {
        let long = format!("{}\n\n\u{2014} k AAAAAAE=\n", "a".repeat(MAX_BYTES));
        for bad in [
            "",
            "a\n",
            "a\n\n",
            "a\n\n\u{2014} k AAAAAAE=",
            "a\n\n- k AAAAAAE=\n",
            "a\n\n\u{2014} k+l AAAAAAE=\n",
            "a\n\n\u{2014} k AAAA\n",
            "a\r\n\n\u{2014} k AAAAAAE=\n",
            &long,
        ] {
            assert!(Note::parse(bad).is_err(), "{bad:.40}");
        }
    }

    #[test]
    fn reads_numbers_as_they_are_written() {
        assert_eq!(["0", "10", "", "01", "+1", "-1", " 1", "18446744073709551616"].map(decimal), {
            [Some(0), Some(10), None, None, None, None, None, None]
        });
    }
}

//! Entry bundles: leaves one after the other, each behind its length in two bytes, the more significant first.

use crate::AuditError;

/// Adds a leaf to the end of a bundle.
pub(crate) fn push(bundle: &mut Vec<u8>, index: u64, leaf: &[u8]) -> Result<(), AuditError> {
    let length = u16::try_from(leaf.len()).map_err(|_| AuditError::NoRoom { index, bytes: leaf.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf);
    Ok(())
}

/// Takes the first leaf off; none when the bundle ends within it.
pub(crate) fn pop<'a>(bundle: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    let (leaf, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    *bundle = rest;
    Some(leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_come_back_in_order() {
        let mut bundle = Vec::new();
        for leaf in [&b"one"[..], b"", &[7; 65_535]] {
            push(&mut bundle, 0, leaf).unwrap();
        }
        assert_eq!(bundle[..5], [0, 3, b'o', b'n', b'e']);
        let rest = &mut &bundle[..];
        assert_eq!((pop(rest), pop(rest), pop(rest)), (Some(&b"one"[..]), Some(&b""[..]), Some(&[7; 65_535][..])));
        assert_eq!((pop(rest), pop(&mut &bundle[..4]), pop(&mut &bundle[..1])), (None, None, None));
        let error = push(&mut bundle, 9, &[0; 65_536]).unwrap_err();
        assert!(matches!(error, AuditError::NoRoom { index: 9, bytes: 65_536 }));
    }
}

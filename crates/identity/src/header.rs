//! The value of an `Authorization` header (RFC 9110 section 11.6.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::IdentityError;

/// What is shown as a token in the header, whatever it is; `None`: nothing is.
#[must_use]
pub fn shown_token(header: Option<&str>) -> Option<String> {
    token_in(header).ok()
}

/// The token in `Bearer <token>`, or the password in `Basic …`, for clients that only know user and password.
pub(crate) fn token_in(header: Option<&str>) -> Result<String, IdentityError> {
    let header = header.map(str::trim).filter(|text| !text.is_empty()).ok_or(IdentityError::Missing)?;
    let (scheme, rest) = header.split_once(' ').ok_or(IdentityError::Scheme)?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(rest.trim().to_owned()),
        "basic" => password(rest.trim()).ok_or(IdentityError::Scheme),
        _ => Err(IdentityError::Scheme),
    }
}

fn password(encoded: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_token() {
        for header in ["Bearer bp_x", "bearer  bp_x ", &format!("Basic {}", STANDARD.encode("anybody:bp_x"))] {
            assert_eq!(token_in(Some(header)).unwrap(), "bp_x", "{header}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_header() {
        assert!(matches!(token_in(None), Err(IdentityError::Missing)));
        assert!(matches!(token_in(Some(" ")), Err(IdentityError::Missing)));
        for bad in ["bp_x", "Digest x", "Basic %%", "Basic YWJj"] {
            assert!(matches!(token_in(Some(bad)), Err(IdentityError::Scheme)), "{bad}");
        }
    }
}

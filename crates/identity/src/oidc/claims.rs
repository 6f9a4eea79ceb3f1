//! Whether a token's claims are for here and for now (OpenID Connect Core 1.0 section 3.1.3.7).

use bedplate_types::Timestamp;
use serde_json::{Map, Value};

use super::OidcError;

/// Two clocks may differ by so much.
const SKEW_SECONDS: i64 = 60;
/// However long a provider lets a token last, one that was made long ago signs nobody in.
const OLDEST_SECONDS: i64 = 24 * 3_600;

/// What the token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// What was sent along with this sign-in, if something was.
    pub nonce: Option<&'a str>,
}

/// Checks them and gives the moment the token ends.
pub(super) fn check(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Timestamp, OidcError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").unwrap_or_default();
    if issuer != expected.issuer {
        return Err(OidcError::Issuer { found: issuer.to_owned(), expected: expected.issuer.to_owned() });
    }
    audience(claims, expected.client_id)?;
    if expected.nonce.is_some_and(|nonce| text("nonce") != Some(nonce)) {
        return Err(OidcError::Nonce);
    }
    moments(claims, now)
}

fn audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), OidcError> {
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audiences.contains(&client_id) {
        return Err(OidcError::Audience);
    }
    match claims.get("azp").map(Value::as_str) {
        Some(party) if party != Some(client_id) => Err(OidcError::AuthorizedParty),
        None if audiences.len() > 1 => Err(OidcError::AuthorizedParty),
        _ => Ok(()),
    }
}

fn moments(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, OidcError> {
    let at = |name: &str| claims.get(name).map(|value| seconds(value).ok_or_else(|| OidcError::Claim(name.to_owned())));
    let required = |name: &str| at(name).unwrap_or_else(|| Err(OidcError::Claim(name.to_owned())));
    let (expires, issued) = (required("exp")?, required("iat")?);
    let now = now.micros().div_euclid(1_000_000);
    if expires.saturating_add(SKEW_SECONDS) <= now {
        return Err(OidcError::Expired(moment(expires)));
    }
    if issued < now - OLDEST_SECONDS {
        return Err(OidcError::Expired(moment(issued + OLDEST_SECONDS)));
    }
    let from = at("nbf").transpose()?.unwrap_or(issued).max(issued);
    if from > now + SKEW_SECONDS {
        return Err(OidcError::NotYet(moment(from)));
    }
    Ok(moment(expires))
}

/// NumericDate (RFC 7519 section 2) is a JSON number, perhaps with a fraction.
#[expect(clippy::cast_possible_truncation, reason = "checked to be far below 2^53")]
fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    (0.0..1e12).contains(&number).then_some(number.floor() as i64)
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

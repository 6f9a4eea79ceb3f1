//! What it takes to get to another machine.

use std::collections::BTreeMap;
use std::fmt;

use super::{ElsewhereError, Hosts};

/// Which hosts may be asked, and what a Secret holds for it.
#[derive(Clone, Debug)]
pub struct Access {
    pub hosts: Hosts,
    pub credentials: Option<Credentials>,
}

/// The values of a Secret. They are shown nowhere.
#[derive(Clone)]
pub struct Credentials {
    secret: String,
    values: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.secret)
    }
}

impl Credentials {
    /// `secret` is its name.
    #[must_use]
    pub fn new(secret: impl Into<String>, values: BTreeMap<String, Vec<u8>>) -> Self {
        Self { secret: secret.into(), values }
    }

    /// None when there is no such key.
    pub(super) fn get(&self, key: &str) -> Result<Option<&str>, ElsewhereError> {
        let Some(bytes) = self.values.get(key) else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| self.wrong(format!("is not text at its key {key}")))?;
        // A file that a Secret was made of mostly ends with a line break.
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    pub(super) fn need(&self, key: &str) -> Result<&str, ElsewhereError> {
        self.get(key)?.ok_or_else(|| self.wrong(format!("has nothing at the key {key}")))
    }

    pub(super) fn wrong(&self, why: impl Into<String>) -> ElsewhereError {
        ElsewhereError::Secret { secret: self.secret.clone(), why: why.into() }
    }

    /// A text without any of the values, should one have got into it.
    pub(super) fn hidden(&self, text: String) -> String {
        let values = self.values.values().filter_map(|value| std::str::from_utf8(value).ok().map(str::trim));
        values.filter(|value| value.len() > 3).fold(text, |text, value| text.replace(value, "…"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_never_shown() {
        let values = [("a", &b"s3cr3t\n"[..]), ("b", b"\xff"), ("c", b" ")];
        let values = values.map(|(key, value)| (key.to_owned(), value.to_vec()));
        let credentials = Credentials::new("db", values.into());
        assert_eq!(credentials.need("a").unwrap(), "s3cr3t");
        assert_eq!(credentials.get("z").unwrap(), None);
        assert!(credentials.get("b").is_err() && credentials.need("c").is_err());
        assert_eq!(format!("{credentials:?}"), "Credentials(db)");
        assert_eq!(credentials.hidden("it was s3cr3t!".into()), "it was …!");
    }
}

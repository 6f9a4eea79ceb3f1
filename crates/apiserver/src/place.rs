//! `continue` tokens: where a list goes on, and in which state of the objects.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::meta;

/// Goes on in whatever is the present by then.
const PRESENT: i64 = -1;

/// After (namespace, name), in the list that was begun at `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    version: i64,
    namespace: String,
    name: String,
    /// How many objects there are from here on, where that is known.
    remaining: Option<i64>,
}

impl Place {
    pub fn after(version: i64, object: &Value) -> Self {
        Self::at(version, meta::text(object, "namespace").unwrap_or_default(), meta::name(object))
    }

    pub fn at(version: i64, namespace: &str, name: &str) -> Self {
        Self { version, namespace: namespace.to_owned(), name: name.to_owned(), remaining: None }
    }

    pub fn with_remaining(self, remaining: Option<i64>) -> Self {
        Self { remaining, ..self }
    }

    pub fn remaining(&self) -> Option<i64> {
        self.remaining
    }

    /// The same place in the present: a list that goes on there is not of one piece.
    pub fn in_the_present(&self) -> Self {
        Self { version: PRESENT, remaining: None, ..self.clone() }
    }

    /// `None`: the present.
    pub fn version(&self) -> Option<i64> {
        (self.version >= 0).then_some(self.version)
    }

    pub fn key(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    pub fn to_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.version, self.namespace, self.name, self.remaining]).to_string())
    }

    pub fn read(token: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::BadRequest("the continue token is not valid".to_owned());
        let json = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let (version, namespace, name, remaining) = serde_json::from_slice(&json).map_err(|_| invalid())?;
        Ok(Self { version, namespace, name, remaining })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let place = Place::after(7, &json!({"metadata": {"namespace": "n", "name": "a"}})).with_remaining(Some(3));
        let read = Place::read(&place.to_token()).unwrap();
        assert_eq!((read.version(), read.key(), read.remaining()), (Some(7), ("n", "a"), Some(3)));
        let present = Place::read(&place.in_the_present().to_token()).unwrap();
        assert_eq!((present.version(), present.key()), (None, ("n", "a")));
        assert!(Place::read("nonsense").is_err());
    }
}

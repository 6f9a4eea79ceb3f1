//! One place in a JSON text: its value, unread, and the path that an error names.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The longest name of anything, in characters, as Marquez has it.
pub(crate) const NAME_LIMIT: usize = 1_024;

/// A field of the request, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub(crate) struct Invalid {
    pub field: String,
    pub why: String,
}

impl Invalid {
    pub fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    path: String,
    raw: &'a RawValue,
}

impl<'a> Part<'a> {
    /// The whole of a text; its path is empty.
    pub fn root(raw: &'a RawValue) -> Self {
        Self { path: String::new(), raw }
    }

    /// The bytes as they came.
    pub fn raw(&self) -> &'a str {
        self.raw.get()
    }

    pub fn invalid(&self, why: impl Into<String>) -> Invalid {
        Invalid::new(if self.path.is_empty() { "event" } else { &self.path }, why)
    }

    pub fn object(&self) -> Result<Object<'a>, Invalid> {
        let fields = serde_json::from_str(self.raw.get()).map_err(|_| self.invalid("must be an object"))?;
        Ok(Object { path: self.path.clone(), fields })
    }

    /// The elements of an array of at most `limit`.
    pub fn items(&self, limit: usize) -> Result<Vec<Self>, Invalid> {
        let items: Vec<&RawValue> =
            serde_json::from_str(self.raw.get()).map_err(|_| self.invalid("must be an array"))?;
        if items.len() > limit {
            return Err(self.invalid(format!("has {} elements, {limit} are the most", items.len())));
        }
        let place = |(i, raw)| Self { path: format!("{}[{i}]", self.path), raw };
        Ok(items.into_iter().enumerate().map(place).collect())
    }

    /// Any text that a store can hold.
    pub fn text(&self) -> Result<String, Invalid> {
        let text: String = self.read("must be a string")?;
        if text.contains('\0') { Err(self.invalid("must not hold the character NUL")) } else { Ok(text) }
    }

    pub fn truth(&self) -> Result<bool, Invalid> {
        self.read("must be true or false")
    }

    /// A name: not empty, not too long, no control characters.
    pub fn name(&self) -> Result<String, Invalid> {
        let name = self.read::<String>("must be a string")?;
        wrong_name(&name).map_or(Ok(name), |why| Err(self.invalid(why)))
    }

    fn read<T: DeserializeOwned>(&self, why: &str) -> Result<T, Invalid> {
        serde_json::from_str(self.raw.get()).map_err(|_| self.invalid(why))
    }
}

fn wrong_name(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("must not be empty".into())
    } else if name.chars().count() > NAME_LIMIT {
        Some(format!("is longer than {NAME_LIMIT} characters"))
    } else if name.chars().any(char::is_control) {
        Some("must not hold control characters".into())
    } else {
        None
    }
}

/// A JSON object whose fields are unread.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    path: String,
    fields: BTreeMap<String, &'a RawValue>,
}

impl<'a> Object<'a> {
    /// The field, unless it is missing or null.
    pub fn get(&self, name: &str) -> Option<Part<'a>> {
        let raw = self.fields.get(name).filter(|raw| raw.get() != "null")?;
        Some(Part { path: self.path_of(name), raw })
    }

    /// # Errors
    /// When it is missing or null.
    pub fn need(&self, name: &str) -> Result<Part<'a>, Invalid> {
        self.get(name).ok_or_else(|| Invalid::new(self.path_of(name), "is required"))
    }

    pub fn opt_text(&self, name: &str) -> Result<Option<String>, Invalid> {
        self.get(name).map(|part| part.text()).transpose()
    }

    /// The elements of an array; none when it is missing or null.
    pub fn items(&self, name: &str, limit: usize) -> Result<Vec<Part<'a>>, Invalid> {
        self.get(name).map_or(Ok(Vec::new()), |part| part.items(limit))
    }

    /// All fields that are not null, by name; each must be the name of something.
    pub fn named(&self) -> Result<Vec<(&str, Part<'a>)>, Invalid> {
        if let Some(why) = self.fields.keys().find_map(|name| wrong_name(name)) {
            return Err(Invalid::new(&self.path, format!("has a field whose name {why}")));
        }
        Ok(self.fields.keys().filter_map(|name| self.get(name).map(|part| (name.as_str(), part))).collect())
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, read: impl Fn(Part<'_>) -> Result<(), Invalid>, expect: &str) {
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        assert_eq!(read(Part::root(&raw)).unwrap_err().to_string(), expect);
    }

    #[test]
    fn names_the_place_that_is_wrong() {
        let deep = |part: Part<'_>| part.object()?.items("a", 2)?[1].object()?.need("b")?.name().map(drop);
        check("[]", deep, "event: must be an object");
        check(r#"{"a": 1}"#, deep, "a: must be an array");
        check(r#"{"a": [1, 2, 3]}"#, deep, "a: has 3 elements, 2 are the most");
        check(r#"{"a": [1, {"b": null}]}"#, deep, "a[1].b: is required");
        check(r#"{"a": [1, {"b": ""}]}"#, deep, "a[1].b: must not be empty");
        check(r#"{"a": [1, {"b": "x\u0000"}]}"#, deep, "a[1].b: must not hold control characters");
        let long = format!(r#"{{"a": [1, {{"b": "{}"}}]}}"#, "é".repeat(NAME_LIMIT + 1));
        check(&long, deep, "a[1].b: is longer than 1024 characters");
        let named = |part: Part<'_>| part.object()?.need("f")?.object()?.named().map(drop);
        check(r#"{"f": {"x\u0000": 1}}"#, named, "f: has a field whose name must not hold control characters");
        let text = |part: Part<'_>| part.object()?.need("t")?.text().map(drop);
        check(r#"{"t": "\u0000"}"#, text, "t: must not hold the character NUL");
    }
}

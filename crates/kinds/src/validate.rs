//! What a schema cannot say: rules across fields, told with the field's path.

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// Path from the object's root: `spec.schema[3].name`.
    pub field: String,
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A spec that can say which of its rules are broken.
pub trait Validate {
    /// Every broken rule, empty when the spec is sound.
    fn validate(&self) -> Vec<FieldError>;
}

pub(crate) fn duplicates<'a>(field: &str, names: impl Iterator<Item = &'a str>) -> Vec<FieldError> {
    let mut seen = std::collections::HashSet::new();
    names
        .filter(|name| !seen.insert(*name))
        .map(|name| FieldError::new(field, format!("{name:?} appears twice")))
        .collect()
}

pub(crate) fn not_empty(field: &str, text: &str) -> Option<FieldError> {
    text.trim().is_empty().then(|| FieldError::new(field, "must not be empty"))
}

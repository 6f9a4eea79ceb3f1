//! Label and field selectors.

use serde_json::Value;

use crate::error::ApiError;
use crate::options::Query;
use crate::sight::Sight;

/// What a list or watch is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
    /// Whose objects they are to be.
    seen_by: Option<Sight>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

#[derive(Clone, Debug)]
struct FieldRequirement {
    path: String,
    value: String,
    equal: bool,
}

impl Selection {
    /// Reads `labelSelector` and `fieldSelector`; `known` are the fields the resource can be selected by.
    pub fn parse(query: &Query, known: &[&str]) -> Result<Self, ApiError> {
        let labels = split(query.text("labelSelector").unwrap_or_default()).into_iter().map(requirement);
        let fields = split(query.text("fieldSelector").unwrap_or_default()).into_iter().map(|part| field(part, known));
        Ok(Self { labels: labels.collect::<Result<_, _>>()?, fields: fields.collect::<Result<_, _>>()?, seen_by: None })
    }

    pub fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|requirement| requirement.matches(labels))
            && self.fields.iter().all(|field| field.matches(object))
            && self.seen_by.as_ref().is_none_or(|sight| sight.sees(object))
    }

    /// The same, without what may not be seen.
    pub fn seen_by(self, sight: Sight) -> Self {
        Self { seen_by: Some(sight), ..self }
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        let sees_all = self.seen_by.as_ref().is_none_or(|sight| !sight.is_keen());
        self.labels.is_empty() && self.fields.is_empty() && sees_all
    }
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let value = |key: &String| labels.get(key).and_then(Value::as_str);
        match self {
            Self::In(key, values) => value(key).is_some_and(|value| values.iter().any(|one| one == value)),
            Self::NotIn(key, values) => value(key).is_none_or(|value| values.iter().all(|one| one != value)),
            Self::Exists(key) => value(key).is_some(),
            Self::Missing(key) => value(key).is_none(),
        }
    }
}

impl FieldRequirement {
    fn matches(&self, object: &Value) -> bool {
        let found = self.path.split('.').try_fold(object, |value, field| value.get(field));
        let text = match found {
            Some(Value::String(text)) => text.clone(),
            Some(scalar @ (Value::Number(_) | Value::Bool(_))) => scalar.to_string(),
            _ => String::new(),
        };
        (text == self.value) == self.equal
    }
}

/// Splits at the commas that are not inside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn requirement(text: &str) -> Result<Requirement, ApiError> {
    let invalid = || ApiError::BadRequest(format!("unable to parse requirement of labelSelector: {text:?}"));
    if let Some((head, values)) = text.split_once('(') {
        let values = values.strip_suffix(')').ok_or_else(invalid)?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        return match head.split_whitespace().collect::<Vec<_>>().as_slice() {
            [key, "in"] => Ok(Requirement::In((*key).to_owned(), values)),
            [key, "notin"] => Ok(Requirement::NotIn((*key).to_owned(), values)),
            _ => Err(invalid()),
        };
    }
    let read = if let Some((key, value)) = text.split_once("!=") {
        Requirement::NotIn(trimmed(key), vec![trimmed(value)])
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        Requirement::In(trimmed(key), vec![trimmed(value)])
    } else if let Some(key) = text.strip_prefix('!') {
        Requirement::Missing(trimmed(key))
    } else {
        Requirement::Exists(text.to_owned())
    };
    let (Requirement::In(key, _) | Requirement::NotIn(key, _) | Requirement::Exists(key) | Requirement::Missing(key)) =
        &read;
    if key.is_empty() || key.contains(char::is_whitespace) { Err(invalid()) } else { Ok(read) }
}

fn field(text: &str, known: &[&str]) -> Result<FieldRequirement, ApiError> {
    let (path, value, equal) = if let Some((path, value)) = text.split_once("!=") {
        (path, value, false)
    } else if let Some((path, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        (path, value, true)
    } else {
        return Err(ApiError::BadRequest(format!("invalid fieldSelector: {text:?}; can't understand it")));
    };
    if !known.contains(&path.trim()) {
        return Err(ApiError::BadRequest(format!("field label not supported: {}", path.trim())));
    }
    Ok(FieldRequirement { path: trimmed(path), value: trimmed(value), equal })
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(selector: &str, expected: bool) {
        let query = Query::parse(Some(
            &url::form_urlencoded::Serializer::new(String::new()).append_pair("labelSelector", selector).finish(),
        ));
        let selection = Selection::parse(&query, &[]).unwrap();
        let object = json!({"metadata": {"labels": {"app": "a", "tier": "gold"}}});
        assert_eq!(selection.matches(&object), expected, "{selector}");
    }

    #[test]
    fn equality_and_sets() {
        check("app=a", true);
        check("app==b", false);
        check("app!=b,tier", true);
        check("app in (a, b),tier notin (silver)", true);
        check("app notin (a)", false);
        check("!other", true);
        check("!app", false);
    }

    #[test]
    fn unknown_fields_and_bad_syntax_are_refused() {
        for query in ["labelSelector=a%20b%20c", "labelSelector=a%20within%20(b)", "fieldSelector=spec.x%3D1"] {
            assert!(Selection::parse(&Query::parse(Some(query)), &["metadata.name"]).is_err(), "{query}");
        }
    }
}

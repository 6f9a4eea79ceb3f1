//! The JSONPath of printer columns: `.a.b`, `['k']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`.

use serde_json::Value;

/// A path that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
    All,
    Where { field: String, equals: String },
}

impl JsonPath {
    /// `None` for syntax outside the subset above.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().trim_start_matches('{').trim_end_matches('}').trim_start_matches('$');
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = if rest.starts_with('[') { bracket(rest)? } else { field(rest)? };
            steps.push(step);
            rest = after;
        }
        Some(Self(steps))
    }

    /// Every value the path leads to, in order.
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        self.0.iter().fold(vec![value], |found, step| found.into_iter().flat_map(|value| step.of(value)).collect())
    }
}

impl Step {
    fn of<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::Index(i) => value.get(i).into_iter().collect(),
            Self::All => match value {
                Value::Array(items) => items.iter().collect(),
                Value::Object(fields) => fields.values().collect(),
                _ => Vec::new(),
            },
            Self::Where { field, equals } => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                items.iter().filter(|item| item[field.as_str()].as_str() == Some(equals)).collect()
            }
        }
    }
}

/// `.name`, where a dot in the name is written `\.`.
fn field(text: &str) -> Option<(Step, &str)> {
    let text = text.strip_prefix('.')?;
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return Some((Step::Field(name), &text[at..])),
            other => name.push(other),
        }
    }
    Some((Step::Field(name), ""))
}

fn bracket(text: &str) -> Option<(Step, &str)> {
    let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
    let step = if inside == "*" {
        Step::All
    } else if let Some(filter) = inside.strip_prefix("?(@.") {
        let (field, value) = filter.strip_suffix(')')?.split_once("==")?;
        Step::Where { field: field.trim().to_owned(), equals: unquote(value.trim())?.to_owned() }
    } else if let Some(name) = unquote(inside) {
        Step::Field(name.to_owned())
    } else {
        Step::Index(inside.parse().ok()?)
    };
    Some((step, rest))
}

fn unquote(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(path: &str, expected: &[&str]) {
        let object = json!({
            "a": {"b": "1", "x.y": "dotted"},
            "list": [{"type": "Ready", "status": "True"}, {"type": "Fresh", "status": "False"}],
        });
        let found = JsonPath::parse(path).unwrap();
        let texts: Vec<_> = found.find(&object).into_iter().filter_map(Value::as_str).collect();
        assert_eq!(texts, expected, "{path}");
    }

    #[test]
    fn walks_fields_indexes_wildcards_and_filters() {
        check(".a.b", &["1"]);
        check(".a['x.y']", &["dotted"]);
        check(r".a.x\.y", &["dotted"]);
        check(".list[1].status", &["False"]);
        check(".list[*].status", &["True", "False"]);
        check(r#".list[?(@.type=="Ready")].status"#, &["True"]);
        check(".nothing.here", &[]);
    }

    #[test]
    fn says_what_it_does_not_understand() {
        assert_eq!(JsonPath::parse(".a[1:2]"), None);
        assert_eq!(JsonPath::parse("a"), None);
    }
}

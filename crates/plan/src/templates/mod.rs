//! Manifests to begin with: a use case, an endpoint, an environment. Each comes with a test that it passes.

use std::collections::BTreeMap;

use bedplate_types::{ErrorKind, Explained};

/// A set of files with parameters in them, as `{{name}}`.
#[derive(Debug)]
pub struct Template {
    pub name: &'static str,
    pub about: &'static str,
    pub parameters: &'static [Parameter],
    files: &'static [(&'static str, &'static str)],
}

/// What a person fills in.
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    /// None: it must be given.
    pub default: Option<&'static str>,
}

/// A template that cannot be filled in.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    #[error("there is no template {name:?}; there are {}", names().join(", "))]
    Unknown { name: String },
    #[error("template {template} has no parameter {name:?}; it has {known}")]
    NoParameter { template: &'static str, name: String, known: String },
    #[error("template {template} needs a value for {}", .names.join(", "))]
    Missing { template: &'static str, names: Vec<&'static str> },
    #[error("{value:?} cannot be the value of {name}: letters, digits, spaces and . _ / @ : - only, and not empty")]
    Value { name: String, value: String },
}

impl Explained for TemplateError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown { .. } => ErrorKind::NotFound,
            _ => ErrorKind::Invalid,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Missing { template, names } => {
                let set: Vec<String> = names.iter().map(|name| format!("--set {name}=…")).collect();
                Some(format!("bedplate init {template} DIR {}", set.join(" ")))
            }
            _ => Some("bedplate init --list".to_owned()),
        }
    }
}

const fn given(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, default: None }
}

const fn usual(name: &'static str, about: &'static str, default: &'static str) -> Parameter {
    Parameter { name, about, default: Some(default) }
}

const ALL: &[Template] = &[
    Template {
        name: "use-case",
        about: "from a Parquet file to a served model: dataset, checks, features, recipe, endpoint, monitor",
        parameters: &[
            given("name", "how the use case is called"),
            usual("namespace", "where it lives; it must be there", "default"),
            usual("owner", "the team that answers for it", "data-science"),
            usual("source", "the Parquet file, seen from the folder", "data/events.parquet"),
            usual("entity", "the column that names what a row is about", "customer_id"),
            usual("time", "the column that says when a row happened", "happened_at"),
            usual("label", "the column to predict, 0 or 1", "outcome"),
        ],
        files: &[
            ("10-data.yaml", include_str!("use_case/10-data.yaml")),
            ("20-features.yaml", include_str!("use_case/20-features.yaml")),
            ("30-training.yaml", include_str!("use_case/30-training.yaml")),
            ("40-serving.yaml", include_str!("use_case/40-serving.yaml")),
            ("use-case.test.yaml", include_str!("use_case/use-case.test.yaml")),
        ],
    },
    Template {
        name: "endpoint",
        about: "an endpoint for a model that is there, with its capacity, and a load test",
        parameters: &[
            given("name", "how the endpoint is called"),
            given("model", "the model it serves"),
            usual("namespace", "where it lives; it must be there", "default"),
            usual("replicas", "how many are reckoned with", "1"),
            usual("rps", "requests a second one replica answers", "200"),
        ],
        files: &[
            ("endpoint.yaml", include_str!("endpoint/endpoint.yaml")),
            ("endpoint.test.yaml", include_str!("endpoint/endpoint.test.yaml")),
        ],
    },
    Template {
        name: "environment",
        about: "a namespace with a quota, a budget and roles; for an administrator to apply",
        parameters: &[
            given("name", "the namespace"),
            usual("editors", "the group that works in it", "data-science"),
            usual("viewers", "the group that reads in it", "risk"),
            usual("budget", "what it may cost a month", "500.00"),
            usual("endpoints", "how many endpoints it may hold", "5"),
            usual("milliCpu", "thousandths of a core it may ask for", "16000"),
            usual("memoryMib", "memory it may ask for, in MiB", "65536"),
        ],
        files: &[
            ("environment.yaml", include_str!("environment/environment.yaml")),
            ("environment.test.yaml", include_str!("environment/environment.test.yaml")),
        ],
    },
];

/// Every template.
#[must_use]
pub fn all() -> &'static [Template] {
    ALL
}

fn names() -> Vec<&'static str> {
    ALL.iter().map(|template| template.name).collect()
}

/// The template of this name.
///
/// # Errors
/// [`TemplateError::Unknown`].
pub fn find(name: &str) -> Result<&'static Template, TemplateError> {
    let found = ALL.iter().find(|template| template.name == name);
    found.ok_or_else(|| TemplateError::Unknown { name: name.to_owned() })
}

impl Template {
    /// Every file's name and text, with the parameters filled in.
    ///
    /// # Errors
    /// [`TemplateError`], before anything is made.
    pub fn render(&self, set: &BTreeMap<String, String>) -> Result<Vec<(&'static str, String)>, TemplateError> {
        let values = self.values(set)?;
        let fill = |text: &str| {
            values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
        };
        Ok(self.files.iter().map(|(path, text)| (*path, fill(text))).collect())
    }

    fn values(&self, set: &BTreeMap<String, String>) -> Result<Vec<(&'static str, String)>, TemplateError> {
        for (name, value) in set {
            if self.parameters.iter().all(|parameter| parameter.name != name) {
                let known = self.parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
                return Err(TemplateError::NoParameter { template: self.name, name: name.clone(), known });
            }
            if !is_plain(value) {
                return Err(TemplateError::Value { name: name.clone(), value: value.clone() });
            }
        }
        let value = |parameter: &Parameter| set.get(parameter.name).cloned().or(parameter.default.map(str::to_owned));
        let missing: Vec<_> = self.parameters.iter().filter(|one| value(one).is_none()).map(|one| one.name).collect();
        if !missing.is_empty() {
            return Err(TemplateError::Missing { template: self.name, names: missing });
        }
        Ok(self.parameters.iter().map(|one| (one.name, value(one).unwrap_or_default())).collect())
    }
}

/// What can stand in a manifest without being taken for anything but a value.
fn is_plain(value: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " ._/@:-".contains(c);
    !value.trim().is_empty()
        && value.chars().all(plain)
        && !value.contains(": ")
        && !value.starts_with(['-', ' ', '@', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_stays_unfilled() {
        for template in all() {
            let given = template.parameters.iter().filter(|one| one.default.is_none()).map(|one| (one.name, "x1"));
            for (path, text) in template.render(&set(&given.collect::<Vec<_>>())).unwrap() {
                assert!(!text.contains("{{"), "{path}: {text}");
            }
        }
    }

    #[test]
    fn every_parameter_is_used() {
        for template in all() {
            for parameter in template.parameters {
                let used = template.files.iter().any(|(_, text)| text.contains(&format!("{{{{{}}}}}", parameter.name)));
                assert!(used, "{} of {}", parameter.name, template.name);
            }
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_told() {
        let environment = find("environment").unwrap();
        let missing = environment.render(&set(&[])).unwrap_err();
        assert_eq!(missing.to_string(), "template environment needs a value for name");
        let unknown = environment.render(&set(&[("name", "x"), ("colour", "red")])).unwrap_err();
        assert!(unknown.to_string().contains("no parameter \"colour\""), "{unknown}");
        for bad in ["", "a\nb: c", "x: y", "{a}", "- a", "a#b", "\"a\""] {
            let error = environment.render(&set(&[("name", bad)])).unwrap_err();
            assert!(matches!(error, TemplateError::Value { .. }), "{bad:?}");
        }
        assert!(find("spaceship").unwrap_err().to_string().contains("use-case, endpoint, environment"));
    }
}

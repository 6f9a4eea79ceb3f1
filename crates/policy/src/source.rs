//! A person's policies: read, held against the schema, and kept to their place.

use std::fmt;
use std::str::FromStr;

use cedar_policy::{Policy as Rule, PolicyId, PolicySet, ValidationMode, Validator};
use miette::Diagnostic;

use crate::kind::Kinds;
use crate::question::PLATFORM;
use crate::{PolicyError, schema};

/// The text of one Policy object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub namespace: String,
    pub name: String,
    pub cedar: String,
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Line and column, from 1.
    pub at: Option<(usize, usize)>,
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "line {line}, column {column}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Source {
    /// The object's name with its namespace.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The rules, each with the id that decisions tell: `namespace/object`, and for more than one `namespace/object/id`
    /// by its annotation `@id`, or its place.
    pub(crate) fn rules(&self) -> Result<Vec<Rule>, Vec<Flaw>> {
        let set = PolicySet::from_str(&self.cedar)
            .map_err(|errors| errors.iter().map(|error| self.flaw(error, error.to_string())).collect::<Vec<_>>())?;
        let templates = set.templates().count();
        if templates > 0 {
            return Err(vec![Flaw {
                at: None,
                what: "a template (?principal, ?resource) is not a policy here".into(),
            }]);
        }
        let mut rules: Vec<Rule> = set.policies().cloned().collect();
        if rules.is_empty() {
            return Err(vec![Flaw { at: None, what: "there is no policy in it".into() }]);
        }
        rules.sort_by_key(|rule| place(rule.id()));
        self.named(rules)
    }

    fn named(&self, rules: Vec<Rule>) -> Result<Vec<Rule>, Vec<Flaw>> {
        let is_one = rules.len() == 1;
        let mut ids = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            let id = match rule.annotation("id").filter(|id| !id.is_empty()) {
                Some(id) => format!("{}/{id}", self.full_name()),
                None if is_one => self.full_name(),
                None => format!("{}/{at}", self.full_name()),
            };
            if ids.contains(&id) {
                return Err(vec![Flaw { at: None, what: format!("two policies have the id {id:?}") }]);
            }
            ids.push(id);
        }
        Ok(rules.into_iter().zip(ids).map(|(rule, id)| rule.new_id(PolicyId::new(id))).collect())
    }

    /// Everything that is wrong with it: its grammar, words the schema does not have, and things of other namespaces.
    ///
    /// # Errors
    /// [`PolicyError::Rules`] when the schema itself is not readable.
    pub fn flaws(&self) -> Result<Vec<Flaw>, PolicyError> {
        let rules = match self.rules() {
            Ok(rules) => rules,
            Err(flaws) => return Ok(flaws),
        };
        let mut flaws: Vec<Flaw> = rules.iter().flat_map(|rule| self.strays(rule)).collect();
        let set = PolicySet::from_policies(rules).map_err(|error| PolicyError::Rules(error.to_string()))?;
        let checked = Validator::new(schema::parsed()?.clone()).validate(&set, ValidationMode::Strict);
        flaws.extend(checked.validation_errors().map(|error| self.flaw(error, error.to_string())));
        // A policy that can never be true is a mistake, though Cedar only warns of it.
        flaws.extend(checked.validation_warnings().map(|warning| self.flaw(warning, warning.to_string())));
        Ok(flaws)
    }

    /// What a rule names that lies in another namespace: outside `bedplate-system` it would never come to be asked.
    fn strays(&self, rule: &Rule) -> Vec<Flaw> {
        if self.namespace == PLATFORM {
            return Vec::new();
        }
        let literals = rule.entity_literals();
        let strayed = literals.iter().filter(|uid| {
            let (of, id) = (uid.type_name().to_string(), uid.id().unescaped());
            let namespace = id.split_once('/').map_or(id, |(namespace, _)| namespace);
            Kinds::known().find(&of) == Some(of.as_str()) && namespace != self.namespace
        });
        strayed
            .map(|uid| Flaw {
                at: self.cedar.find(&uid.to_string()).map(|offset| position(&self.cedar, offset)),
                what: format!(
                    "{uid} is not in namespace {}: a policy speaks of its own namespace only; one for the whole platform \
                     belongs into {PLATFORM}",
                    self.namespace
                ),
            })
            .collect()
    }

    fn flaw(&self, error: &dyn Diagnostic, what: String) -> Flaw {
        let offset = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        // The validator names the policy by its id and its text; the position says it better.
        let what = what
            .split_once(", ")
            .filter(|(head, _)| head.starts_with("for policy `"))
            .map_or(what.clone(), |(_, tail)| tail.to_owned());
        let what = match error.help() {
            Some(help) => format!("{what} ({help})"),
            None => what,
        };
        Flaw { at: offset.map(|offset| position(&self.cedar, offset)), what }
    }
}

/// `policy12` is the thirteenth of its text.
fn place(id: &PolicyId) -> usize {
    let id: &str = id.as_ref();
    id.strip_prefix("policy").and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(namespace: &str, cedar: &str) -> Vec<String> {
        let source = Source { namespace: namespace.into(), name: "p".into(), cedar: cedar.into() };
        source.flaws().unwrap().iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn one(namespace: &str, cedar: &str, start: &str, word: &str) {
        let found = flaws(namespace, cedar);
        assert!(!found.is_empty(), "nothing is wrong with {cedar}");
        assert!(found[0].starts_with(start) && found[0].contains(word), "{found:?}");
    }

    const GOOD: &str = "forbid (principal in Team::\"guests\", action in [Action::\"get\"], resource is Dataset)
        when { resource has classification && resource.classification == \"restricted\" };";

    #[test]
    fn a_sound_policy_has_no_flaw() {
        assert_eq!(flaws("flights", GOOD), Vec::<String>::new());
        let labels =
            "permit (principal == User::\"ana\", action == Action::\"Dataset.get\", resource in Namespace::\"flights\")
            when { resource.hasTag(\"team\") && resource.getTag(\"team\") == \"ops\" };";
        assert_eq!(flaws("flights", labels), Vec::<String>::new());
    }

    #[test]
    fn a_flaw_says_where_it_is() {
        one(
            "flights",
            "forbid (principal, action, resource)\nwhen { resource.knid == \"x\" };",
            "line 2, column 8",
            "knid",
        );
        one("flights", "permit (principal, action, resource", "line 1, column", "unexpected end");
        one("flights", "permit (principal is Human, action, resource);", "line 1, column", "Human");
        one(
            "flights",
            "permit (principal, action == Action::\"Dataset.fly\", resource);",
            "line 1, column",
            "Dataset.fly",
        );
        one("flights", "// nothing", "", "no policy");
        one("flights", "permit (principal == ?principal, action, resource);", "", "template");
        one(
            "flights",
            "permit (principal, action, resource) when { resource.classification == \"x\" };",
            "line 1",
            "classification",
        );
        one(
            "flights",
            "@id(\"a\") permit (principal, action, resource);@id(\"a\") forbid (principal, action, resource);",
            "",
            "two policies",
        );
    }

    #[test]
    fn only_the_platforms_policies_name_other_namespaces() {
        let elsewhere = "forbid (principal, action, resource == Dataset::\"rides/taxi\");";
        one("flights", elsewhere, "line 1, column", "rides/taxi");
        one(
            "flights",
            "forbid (principal, action, resource in Namespace::\"rides\");",
            "line 1, column",
            "bedplate-system",
        );
        one(
            "flights",
            "permit (principal, action, resource) when { resource.namespace == Namespace::\"rides\" };",
            "line 1",
            "rides",
        );
        assert_eq!(flaws(PLATFORM, elsewhere), Vec::<String>::new());
    }

    #[test]
    fn rules_have_ids_that_name_their_object() {
        let source =
            Source { namespace: "flights".into(), name: "p".into(), cedar: format!("{GOOD}\n@id(\"b\"){GOOD}") };
        let ids: Vec<_> = source.rules().unwrap().iter().map(|rule| rule.id().to_string()).collect();
        assert_eq!(ids, ["flights/p/0", "flights/p/b"]);
    }
}

//! What a credential narrows its holder's rights to.

use std::fmt;
use std::str::FromStr;

/// Some of somebody's rights: rules of which one must cover what is asked. It gives nothing; it only takes away.
///
/// Written as `VERBS:KINDS:NAMESPACES` with commas and `*`, several with spaces between: `get,list:datasets:flights
/// predict:endpoints:*`. `read` and `write` stand for the verbs they are made of. What is of no namespace, or of all of them
/// at once, is covered by `*` alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rule {
    verbs: Vec<String>,
    kinds: Vec<String>,
    namespaces: Vec<String>,
}

/// The text is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a scope: VERBS:KINDS:NAMESPACES, such as get,list:datasets:flights or read:*:flights")]
pub struct InvalidScope(String);

const ANY: &str = "*";
const LONGEST: usize = 2_000;
const READ: [&str; 3] = ["get", "list", "watch"];
const WRITE: [&str; 4] = ["create", "update", "patch", "delete"];

impl Scope {
    /// How it travels among somebody's groups, where every decision sees it: no group may be called so.
    pub const GROUP: &'static str = "scope:";

    /// Whether one rule covers this; `namespace` is `*` for the platform as a whole. A kind may be given by its name or its
    /// plural, in any case.
    #[must_use]
    pub fn covers(&self, verb: &str, kind: &str, namespace: &str) -> bool {
        self.0.iter().any(|rule| {
            named(&rule.verbs, verb) && named(&rule.namespaces, namespace) && {
                let kind = singular(kind);
                rule.kinds.iter().any(|known| known == ANY || *known == kind)
            }
        })
    }

    /// Whether whatever this covers, `wider` covers as well, as far as the rules show it one by one.
    #[must_use]
    pub fn is_within(&self, wider: &Self) -> bool {
        let inside = |few: &[String], many: &[String]| {
            few.iter().all(|one| many.iter().any(|known| known == ANY || known == one))
        };
        self.0.iter().all(|rule| {
            wider.0.iter().any(|other| {
                inside(&rule.verbs, &other.verbs)
                    && inside(&rule.kinds, &other.kinds)
                    && inside(&rule.namespaces, &other.namespaces)
            })
        })
    }

    /// The scope among somebody's groups; one that cannot be read covers nothing.
    #[must_use]
    pub fn among(groups: &[String]) -> Option<Self> {
        let text = groups.iter().find_map(|group| group.strip_prefix(Self::GROUP))?;
        Some(text.parse().unwrap_or(Self(Vec::new())))
    }

    /// As a group.
    #[must_use]
    pub fn group(&self) -> String {
        format!("{}{self}", Self::GROUP)
    }
}

fn named(known: &[String], asked: &str) -> bool {
    known.iter().any(|one| one == ANY || one == asked)
}

/// `Entities` and `Entity` are one kind.
fn singular(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    if let Some(stem) = kind.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if kind.ends_with(ending) {
            return kind[..kind.len() - 2].to_owned();
        }
    }
    match kind.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && !stem.is_empty() => stem.to_owned(),
        _ => kind,
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let wrong = || InvalidScope(text.chars().take(100).collect());
        let rules: Option<Vec<Rule>> = text.split_whitespace().map(rule).collect();
        let rules = rules.filter(|rules| !rules.is_empty() && text.len() <= LONGEST).ok_or_else(wrong)?;
        Ok(Self(rules))
    }
}

fn rule(text: &str) -> Option<Rule> {
    let mut parts = text.split(':');
    let (verbs, kinds, namespaces) = (list(parts.next()?)?, list(parts.next()?)?, list(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    let mut all = Vec::new();
    for verb in verbs {
        match verb.as_str() {
            "read" => all.extend(READ.map(str::to_owned)),
            "write" => all.extend(WRITE.map(str::to_owned)),
            _ => all.push(verb),
        }
    }
    Some(Rule { verbs: all, kinds: kinds.iter().map(|kind| singular(kind)).collect(), namespaces })
}

fn list(text: &str) -> Option<Vec<String>> {
    let word = |word: &str| {
        word == ANY
            || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)))
    };
    let words: Vec<String> = text.split(',').map(str::to_owned).collect();
    words.iter().all(|one| word(one)).then_some(words)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, rule) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}:{}:{}", rule.verbs.join(","), rule.kinds.join(","), rule.namespaces.join(","))?;
        }
        Ok(())
    }
}

impl serde::Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_what_it_names_and_nothing_else() {
        let scope: Scope = "get,list:datasets:flights predict:Endpoint:*".parse().unwrap();
        let covered =
            [("get", "Dataset", "flights"), ("list", "datasets", "flights"), ("predict", "endpoints", "rides")];
        let not = [
            ("get", "Dataset", "rides"),
            ("get", "Dataset", "*"),
            ("watch", "Dataset", "flights"),
            ("get", "Secret", "flights"),
            ("predict", "Dataset", "flights"),
            ("get", "Endpoint", "flights"),
        ];
        assert!(covered.iter().all(|(verb, kind, place)| scope.covers(verb, kind, place)));
        for (verb, kind, place) in not {
            assert!(!scope.covers(verb, kind, place), "{verb} {kind} {place}");
        }
        let all: Scope = "read:*:*".parse().unwrap();
        assert!(all.covers("watch", "Lineage", "*") && !all.covers("push", "FeatureView", "flights"));
    }

    #[test]
    fn a_scope_within_another_covers_no_more() {
        let within = |one: &str, other: &str| one.parse::<Scope>().unwrap().is_within(&other.parse().unwrap());
        assert!(within("get:datasets:flights", "read:*:flights") && within("get:x:a list:y:b", "read:*:*"));
        assert!(!within("*:datasets:flights", "read:*:flights"), "everything is more than reading");
        assert!(!within("get:datasets:*", "read:*:flights") && !within("get:x:a delete:x:a", "get:x:a"));
    }

    #[test]
    fn kinds_and_their_plurals_are_one() {
        let pairs = [("Entity", "entities"), ("Policy", "policies"), ("Lease", "leases"), ("Lineage", "lineage")];
        for (kind, plural) in pairs {
            let scope: Scope = format!("get:{plural}:x").parse().unwrap();
            assert!(scope.covers("get", kind, "x"), "{kind}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read_and_nonsense_covers_nothing() {
        let scope: Scope = "write:featureviews:a,b".parse().unwrap();
        assert_eq!(scope.to_string(), "create,update,patch,delete:featureview:a,b");
        assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
        assert_eq!(Scope::among(&["data".into(), scope.group()]), Some(scope));
        assert_eq!(Scope::among(&["data".into()]), None);
        let broken = Scope::among(&["scope:nonsense".into()]).unwrap();
        assert!(!broken.covers("get", "Dataset", "*"));
        for bad in ["", " ", "get:datasets", "get:datasets:a:b", "get,:x:y", "get:data sets:x", "g\u{e9}t:x:y"] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }
}

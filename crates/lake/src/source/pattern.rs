//! Globs: `*`, `?` and `[…]` within a name, `**` for any folders between.

use std::path::PathBuf;

use bedplate_types::{ErrorKind, Explained};

/// A path that may name several files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The part before the first wildcard.
    pub base: PathBuf,
    /// What leads from there to a file; empty when the path has no wildcard.
    pub rest: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// `**`: no folder, or any number of them. It is never the last.
    Folders,
    Name(glob::Pattern),
}

impl Segment {
    /// Whether a wildcard may stand for this name: a hidden file is found only when the dot or underscore is written.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Folders => !is_hidden(name),
            Self::Name(pattern) => {
                pattern.matches(name) && (!is_hidden(name) || name.starts_with(first(pattern.as_str())))
            }
        }
    }
}

fn first(pattern: &str) -> char {
    pattern.chars().next().unwrap_or('*')
}

/// Files that writers keep for themselves: `.x.crc`, `_SUCCESS`, `_delta_log`.
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} is not a path: {why}")]
pub struct BadPattern {
    pub path: String,
    pub why: String,
}

impl Explained for BadPattern {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn fix(&self) -> Option<String> {
        Some("correct spec.source.path, then bedplate apply -f the manifest".into())
    }
}

impl Pattern {
    pub fn parse(path: &str) -> Result<Self, BadPattern> {
        let bad = |why: String| BadPattern { path: path.to_owned(), why };
        if path.contains('\0') {
            return Err(bad("it has a character 0".into()));
        }
        let (mut base, mut rest) = (PathBuf::new(), Vec::new());
        if path.starts_with('/') {
            base.push("/");
        }
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if rest.is_empty() && !part.contains(['*', '?', '[']) {
                base.push(part);
                continue;
            }
            if part == ".." {
                return Err(bad("it leads upwards after a wildcard".into()));
            }
            rest.push(segment(part).map_err(bad)?);
        }
        if rest.last() == Some(&Segment::Folders) {
            rest.push(segment("*").map_err(bad)?);
        }
        Ok(Self { base, rest })
    }
}

fn segment(part: &str) -> Result<Segment, String> {
    if part == "**" {
        return Ok(Segment::Folders);
    }
    if part.contains("**") {
        return Err(format!("{part:?}: ** stands alone between two slashes"));
    }
    glob::Pattern::new(part).map(Segment::Name).map_err(|error| format!("{part:?}: {}", error.msg))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base and what follows it, as it is written.
    fn check(path: &str, base: &str, rest: &[&str]) {
        let pattern = Pattern::parse(path).unwrap();
        let told: Vec<&str> = pattern.rest.iter().map(told).collect();
        assert_eq!((pattern.base.to_str().unwrap(), told), (base, rest.to_vec()), "{path}");
    }

    fn told(segment: &Segment) -> &str {
        match segment {
            Segment::Folders => "**",
            Segment::Name(pattern) => pattern.as_str(),
        }
    }

    #[test]
    fn a_path_is_literal_up_to_its_first_wildcard() {
        check("/d/2013/*.csv", "/d/2013", &["*.csv"]);
        check("/d//./m=?/x.csv", "/d", &["m=?", "x.csv"]);
        check("d/**/*.csv", "d", &["**", "*.csv"]);
        check("/d/**", "/d", &["**", "*"]);
        check("/d/file.csv", "/d/file.csv", &[]);
        check("/d/../e/*", "/d/../e", &["*"]);
    }

    #[test]
    fn a_wildcard_stands_for_no_hidden_name() {
        let matches = |pattern: &str, name: &str| segment(pattern).unwrap().matches(name);
        assert!(matches("*.csv", "jan.csv") && !matches("*.csv", "jan.csv.gz"));
        assert!(!matches("*", ".jan") && !matches("?x", "_x") && !matches("[_a]x", "_x"));
        assert!(matches(".*", ".jan") && matches("_[ab]*", "_a") && !matches("_[ab]*", "_c"));
        assert!(matches("**", "a") && !matches("**", "_delta_log"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for (path, word) in [("/d/[a", "[a"), ("/d/a**/x", "alone"), ("/d/*/../x", "upwards"), ("/a\0b", "0")] {
            let error = Pattern::parse(path).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}

//! Where statements run: in this process, or on a cluster. A statement may say which, of those that there are.

use std::fmt;
use std::str::FromStr;

use super::cluster::SCHEME;
use super::{Cluster, ReadError};

const LOCAL: &str = "local";

/// `local`, or `ballista://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// This process.
    Local,
    Cluster(Cluster),
}

#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no engine: write local, or ballista://host:port")]
pub struct NoEngine {
    text: String,
}

/// Those that there are. The first is for statements that name none.
#[derive(Clone, Debug)]
pub(super) struct Engines(Vec<Engine>);

impl Engines {
    /// This process, where none is given.
    pub fn of(engines: Vec<Engine>) -> Self {
        Self(if engines.is_empty() { vec![Engine::Local] } else { engines })
    }

    /// # Errors
    /// [`ReadError::NoSuchEngine`].
    pub fn chosen(&self, wanted: Option<&Engine>) -> Result<&Engine, ReadError> {
        let found = self.0.iter().find(|engine| wanted.is_none_or(|wanted| wanted == *engine));
        found.ok_or_else(|| ReadError::NoSuchEngine {
            wanted: wanted.map(Engine::to_string).unwrap_or_default(),
            known: self.0.iter().map(Engine::to_string).collect(),
        })
    }
}

impl FromStr for Engine {
    type Err = NoEngine;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == LOCAL {
            return Ok(Self::Local);
        }
        let cluster = text.strip_prefix(SCHEME).and_then(|scheduler| Cluster::at(scheduler).ok());
        cluster.map(Self::Cluster).ok_or_else(|| NoEngine { text: text.to_owned() })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str(LOCAL),
            Self::Cluster(cluster) => cluster.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(text: &str) -> Engine {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(known: &[&str], wanted: Option<&str>, expect: &str) {
        let engines = Engines::of(known.iter().map(|text| engine(text)).collect());
        assert_eq!(engines.chosen(wanted.map(engine).as_ref()).unwrap().to_string(), expect);
    }

    #[test]
    fn a_statement_runs_where_it_says_or_on_the_first() {
        let (one, other) = ("ballista://one:1", "ballista://other:1");
        check(&[], None, LOCAL);
        check(&[], Some(LOCAL), LOCAL);
        check(&[one, other], None, one);
        check(&[one, other], Some(other), other);
        check(&[one, LOCAL], Some(LOCAL), LOCAL);
    }

    #[test]
    fn what_the_platform_was_not_started_with_is_nowhere_to_run() {
        for wanted in [LOCAL, "ballista://one:2", "ballista://other:1"] {
            let engines = Engines::of(vec![engine("ballista://one:1")]);
            let told = engines.chosen(Some(&engine(wanted))).unwrap_err().to_string();
            assert!(told.contains(wanted) && told.contains("ballista://one:1"), "{told}");
        }
    }

    #[test]
    fn nothing_else_is_an_engine() {
        for text in
            ["", "LOCAL", "local:1", "http://one:1", "one:1", "ballista://", "ballista://one", "ballista://one:1/path"]
        {
            assert!(text.parse::<Engine>().unwrap_err().to_string().contains("write local"), "{text}");
        }
    }
}

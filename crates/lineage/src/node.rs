//! The sorts of things that come from one another, and how each is spelled.

use std::fmt;
use std::str::FromStr;

use bedplate_types::{Digest, PredictionId, RunId};
use serde::{Deserialize, Serialize};

/// A thing with a past or a future. Spelled `<sort>:<id>`; a version is part of the id, so a node never changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Node {
    /// `source:sha256:…`: a file as it was ingested.
    Source(Digest),
    /// `table:ns/name@version`: a table at one version of its log.
    Table { namespace: String, name: String, version: String },
    /// `view:ns/name@digest`: a feature view at one definition.
    View { namespace: String, name: String, digest: String },
    /// `snapshot:sha256:…`: a training set.
    Snapshot(Digest),
    /// `run:<id>`
    Run(RunId),
    /// `model:ns/name@version`
    Model { namespace: String, name: String, version: String },
    /// `endpoint:ns/name`
    Endpoint { namespace: String, name: String },
    /// `prediction:<id>`
    Prediction(PredictionId),
}

/// The text is not a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a lineage node; write source:sha256:…, table:ns/name@version, view:ns/name@digest, \
     snapshot:sha256:…, run:ID, model:ns/name@version, endpoint:ns/name or prediction:ID"
)]
pub struct InvalidNode(pub String);

impl Node {
    pub fn table(namespace: impl Into<String>, name: impl Into<String>, version: impl fmt::Display) -> Self {
        Self::Table { namespace: namespace.into(), name: name.into(), version: version.to_string() }
    }

    pub fn view(namespace: impl Into<String>, name: impl Into<String>, digest: impl fmt::Display) -> Self {
        Self::View { namespace: namespace.into(), name: name.into(), digest: digest.to_string() }
    }

    pub fn model(namespace: impl Into<String>, name: impl Into<String>, version: impl fmt::Display) -> Self {
        Self::Model { namespace: namespace.into(), name: name.into(), version: version.to_string() }
    }

    pub fn endpoint(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Endpoint { namespace: namespace.into(), name: name.into() }
    }

    pub fn run(id: impl Into<String>) -> Self {
        Self::Run(RunId::new(id))
    }

    pub fn prediction(id: impl Into<String>) -> Self {
        Self::Prediction(PredictionId::new(id))
    }

    /// The word before the colon.
    #[must_use]
    pub const fn sort(&self) -> &'static str {
        match self {
            Self::Source(_) => "source",
            Self::Table { .. } => "table",
            Self::View { .. } => "view",
            Self::Snapshot(_) => "snapshot",
            Self::Run(_) => "run",
            Self::Model { .. } => "model",
            Self::Endpoint { .. } => "endpoint",
            Self::Prediction(_) => "prediction",
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.sort())?;
        match self {
            Self::Source(digest) | Self::Snapshot(digest) => write!(f, "{digest}"),
            Self::Table { namespace, name, version } | Self::Model { namespace, name, version } => {
                write!(f, "{namespace}/{name}@{version}")
            }
            Self::View { namespace, name, digest } => write!(f, "{namespace}/{name}@{digest}"),
            Self::Run(id) => write!(f, "{id}"),
            Self::Endpoint { namespace, name } => write!(f, "{namespace}/{name}"),
            Self::Prediction(id) => write!(f, "{id}"),
        }
    }
}

impl FromStr for Node {
    type Err = InvalidNode;

    fn from_str(text: &str) -> Result<Self, InvalidNode> {
        parse(text).ok_or_else(|| InvalidNode(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Node> {
    let (sort, id) = text.split_once(':')?;
    if id.is_empty() || id.chars().any(char::is_control) {
        return None;
    }
    match sort {
        "source" => id.parse().ok().map(Node::Source),
        "snapshot" => id.parse().ok().map(Node::Snapshot),
        "run" => Some(Node::run(id)),
        "prediction" => Some(Node::prediction(id)),
        "endpoint" => named(id).map(|(namespace, name)| Node::endpoint(namespace, name)),
        "table" => versioned(id).map(|(namespace, name, version)| Node::table(namespace, name, version)),
        "view" => versioned(id).map(|(namespace, name, digest)| Node::view(namespace, name, digest)),
        "model" => versioned(id).map(|(namespace, name, version)| Node::model(namespace, name, version)),
        _ => None,
    }
}

fn named(id: &str) -> Option<(&str, &str)> {
    id.split_once('/').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
}

fn versioned(id: &str) -> Option<(&str, &str, &str)> {
    let (of, version) = id.split_once('@')?;
    let (namespace, name) = named(of)?;
    (!version.is_empty()).then_some((namespace, name, version))
}

impl TryFrom<String> for Node {
    type Error = InvalidNode;

    fn try_from(text: String) -> Result<Self, InvalidNode> {
        text.parse()
    }
}

impl From<Node> for String {
    fn from(node: Node) -> Self {
        node.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_reads_as_it_is_written() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (sort, id) in [
            ("source", digest.as_str()),
            ("table", "flights/weather@12"),
            ("view", &format!("flights/by-tail@{digest}")),
            ("snapshot", &digest),
            ("run", "01J/2"),
            ("model", "flights/late@3"),
            ("endpoint", "flights/late"),
            ("prediction", "0192/7"),
        ] {
            let text = format!("{sort}:{id}");
            let node: Node = text.parse().unwrap();
            assert_eq!((node.sort(), node.to_string()), (sort, text));
        }
    }

    #[test]
    fn refuses_other_text() {
        for bad in
            ["", "run:", "source:abc", "table:a/b", "table:a@1", "model:/b@1", "endpoint:a", "cat:a/b", "run:a\nb"]
        {
            assert!(bad.parse::<Node>().is_err(), "{bad}");
        }
    }
}

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
    /// `column:<node>#<name>`: a column of a source, a table, a training set, or an input of a model.
    Column { of: Box<Node>, name: String },
    /// `feature:ns/view@digest#name`: a feature of a view at one definition.
    Feature { namespace: String, view: String, digest: String, name: String },
    /// `recipe:ns/name`
    Recipe { namespace: String, name: String },
    /// `monitor:ns/name`
    Monitor { namespace: String, name: String },
    /// `device:ns/name`: where a model version is put to work away from the platform.
    Device { namespace: String, name: String },
}

/// The text is not a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a lineage node; write source:sha256:…, table:ns/name@version, view:ns/name@digest, \
     feature:ns/view@digest#name, column:NODE#name, snapshot:sha256:…, run:ID, model:ns/name@version, endpoint:ns/name, \
     recipe:ns/name, monitor:ns/name, device:ns/name or prediction:ID"
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

    /// A column of `of`, which has columns: a source, a table, a training set or a model.
    pub fn column(of: &Self, name: impl Into<String>) -> Self {
        Self::Column { of: Box::new(of.clone()), name: name.into() }
    }

    pub fn feature(
        namespace: impl Into<String>,
        view: impl Into<String>,
        digest: impl fmt::Display,
        name: impl Into<String>,
    ) -> Self {
        Self::Feature { namespace: namespace.into(), view: view.into(), digest: digest.to_string(), name: name.into() }
    }

    pub fn recipe(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Recipe { namespace: namespace.into(), name: name.into() }
    }

    pub fn monitor(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Monitor { namespace: namespace.into(), name: name.into() }
    }

    pub fn device(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Device { namespace: namespace.into(), name: name.into() }
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
            Self::Column { .. } => "column",
            Self::Feature { .. } => "feature",
            Self::Recipe { .. } => "recipe",
            Self::Monitor { .. } => "monitor",
            Self::Device { .. } => "device",
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
            Self::Column { of, name } => write!(f, "{of}#{name}"),
            Self::Feature { namespace, view, digest, name } => write!(f, "{namespace}/{view}@{digest}#{name}"),
            Self::Endpoint { namespace, name }
            | Self::Recipe { namespace, name }
            | Self::Monitor { namespace, name }
            | Self::Device { namespace, name } => write!(f, "{namespace}/{name}"),
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
        "column" => column(id),
        "feature" => feature(id),
        "recipe" => named(id).map(|(namespace, name)| Node::recipe(namespace, name)),
        "monitor" => named(id).map(|(namespace, name)| Node::monitor(namespace, name)),
        "device" => named(id).map(|(namespace, name)| Node::device(namespace, name)),
        "endpoint" => named(id).map(|(namespace, name)| Node::endpoint(namespace, name)),
        "table" => versioned(id).map(|(namespace, name, version)| Node::table(namespace, name, version)),
        "view" => versioned(id).map(|(namespace, name, digest)| Node::view(namespace, name, digest)),
        "model" => versioned(id).map(|(namespace, name, version)| Node::model(namespace, name, version)),
        _ => None,
    }
}

fn column(id: &str) -> Option<Node> {
    let (of, name) = id.split_once('#').filter(|(_, name)| !name.is_empty())?;
    let of = parse(of)?;
    let has_columns = matches!(of, Node::Source(_) | Node::Table { .. } | Node::Snapshot(_) | Node::Model { .. });
    has_columns.then(|| Node::column(&of, name))
}

fn feature(id: &str) -> Option<Node> {
    let (view, name) = id.split_once('#').filter(|(_, name)| !name.is_empty())?;
    let (namespace, view, digest) = versioned(view)?;
    Some(Node::feature(namespace, view, digest, name))
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
            ("feature", &format!("flights/by-tail@{digest}#last#delay")),
            ("column", "table:flights/weather@12#temp"),
            ("column", &format!("source:{digest}#a b#c")),
            ("column", "model:flights/late@3#weather__temp"),
            ("recipe", "flights/late"),
            ("monitor", "flights/december"),
            ("device", "flights/gate-7"),
        ] {
            let text = format!("{sort}:{id}");
            let node: Node = text.parse().unwrap();
            assert_eq!((node.sort(), node.to_string()), (sort, text));
        }
    }

    #[test]
    fn refuses_other_text() {
        for bad in [
            "",
            "column:table:a/b@1",
            "column:table:a/b@1#",
            "column:run:a#x",
            "column:column:table:a/b@1#x#y",
            "feature:a/b#x",
            "run:",
            "source:abc",
            "table:a/b",
            "table:a@1",
            "model:/b@1",
            "endpoint:a",
            "cat:a/b",
            "run:a\nb",
        ] {
            assert!(bad.parse::<Node>().is_err(), "{bad}");
        }
    }
}

//! The names of nodes in a graph, as Marquez spells them: `dataset:<namespace>:<name>`, `datasetField:…:<field>`, `job:…`.

use std::fmt;

use crate::part::Invalid;

/// The most colons of an id that is read in more than one way.
const COLONS: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NodeId {
    Dataset { namespace: String, name: String },
    Field { namespace: String, dataset: String, field: String },
    Job { namespace: String, name: String },
}

impl NodeId {
    pub fn dataset(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Dataset { namespace: namespace.into(), name: name.into() }
    }

    pub fn job(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Job { namespace: namespace.into(), name: name.into() }
    }

    pub fn field(namespace: impl Into<String>, dataset: impl Into<String>, field: impl Into<String>) -> Self {
        Self::Field { namespace: namespace.into(), dataset: dataset.into(), field: field.into() }
    }

    /// All that the text may mean, the likeliest first: namespaces and names may hold colons. As in Marquez, a colon before
    /// `//` or a digit (`s3://b`, `db:5432`) is first taken for a part of a namespace.
    ///
    /// # Errors
    /// When it does not begin as a node of this sort does, or lacks a part.
    pub fn readings(text: &str) -> Result<Vec<Self>, Invalid> {
        let wrong = || {
            Invalid::new(
                "nodeId",
                "must be dataset:NAMESPACE:NAME, datasetField:NAMESPACE:NAME:FIELD or job:NAMESPACE:NAME",
            )
        };
        let (sort, rest) = text.split_once(':').ok_or_else(wrong)?;
        let readings: Vec<Self> = match sort {
            "dataset" => pairs(rest).into_iter().map(|(namespace, name)| Self::dataset(namespace, name)).collect(),
            "job" => pairs(rest).into_iter().map(|(namespace, name)| Self::job(namespace, name)).collect(),
            "datasetField" => fields(rest),
            _ => Vec::new(),
        };
        if readings.is_empty() { Err(wrong()) } else { Ok(readings) }
    }
}

fn fields(rest: &str) -> Vec<NodeId> {
    let Some((dataset, field)) = rest.rsplit_once(':').filter(|(_, field)| !field.is_empty()) else {
        return Vec::new();
    };
    pairs(dataset).into_iter().map(|(namespace, name)| NodeId::field(namespace, name, field)).collect()
}

fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at).take(COLONS).collect();
    colons.sort_by_key(|at| belongs_to_a_namespace(&text[at + 1..]));
    let split = |at: usize| (&text[..at], &text[at + 1..]);
    colons.into_iter().map(split).filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty()).collect()
}

fn belongs_to_a_namespace(after: &str) -> bool {
    after.starts_with("//") || after.starts_with(|c: char| c.is_ascii_digit())
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dataset { namespace, name } => write!(f, "dataset:{namespace}:{name}"),
            Self::Field { namespace, dataset, field } => write!(f, "datasetField:{namespace}:{dataset}:{field}"),
            Self::Job { namespace, name } => write!(f, "job:{namespace}:{name}"),
        }
    }
}

impl serde::Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_reading_is_first_and_every_id_is_among_its_readings() {
        for id in [
            NodeId::dataset("flights", "weather"),
            NodeId::dataset("postgres://db:5432", "public.a"),
            NodeId::dataset("s3://bucket", "a/b:c"),
            NodeId::job("flights", "load.step:2"),
            NodeId::field("kafka://h:9092", "topic", "x"),
        ] {
            assert_eq!(NodeId::readings(&id.to_string()).unwrap()[0], id);
        }
        let odd = NodeId::dataset("a:b", "7:c");
        assert!(NodeId::readings(&odd.to_string()).unwrap().contains(&odd));
    }

    #[test]
    fn refuses_what_is_no_node() {
        for bad in
            ["", "dataset", "dataset:a", "dataset::a", "job:a:", "run:1", "datasetField:a:b", "datasetField:a:b:"]
        {
            assert_eq!(NodeId::readings(bad).unwrap_err().field, "nodeId", "{bad}");
        }
    }
}

//! The port to the features.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bedplate_identity::Principal;
use bedplate_policy::Tags;
use bedplate_types::{ErrorKind, Explained, Problem, Timestamp};
use serde_json::Value;

use crate::heading::Heading;

/// Takes and gives feature values. The caller has been authenticated and authorised for the namespace.
#[async_trait::async_trait]
pub trait FeatureStore: Send + Sync {
    /// Brings rows into every view the push source feeds; they are durable when it returns. Strings come as Utf8 (times
    /// too, as they were written), whole numbers as Int64, others and columns without any value as Float64, booleans as
    /// Boolean; all nullable, at least one row.
    async fn push(
        &self,
        principal: &Principal,
        namespace: &str,
        source: &str,
        frame: RecordBatch,
    ) -> Result<(), StoreError>;

    /// As [`FeatureStore::push`], into one view. The moment may stand in a column `event_timestamp`, and one without a zone
    /// is UTC: so Feast's client writes it.
    async fn write(
        &self,
        principal: &Principal,
        namespace: &str,
        view: &str,
        frame: RecordBatch,
    ) -> Result<(), StoreError>;

    /// The views of these names, or all of the namespace.
    async fn named(&self, namespace: &str, names: Option<&[String]>) -> Result<Vec<NamedView>, StoreError>;

    /// Whether rows of the view that were asked for are still being brought.
    async fn is_materializing(&self, namespace: &str, view: &NamedView) -> Result<bool, StoreError>;

    /// Asks for the rows of a range, beside whatever of the view is being brought; that it was asked for is durable when it
    /// returns the moment of the asking.
    async fn materialize(
        &self,
        principal: &Principal,
        namespace: &str,
        view: &NamedView,
        range: Range,
    ) -> Result<Timestamp, StoreError>;

    /// Returns when everything of the view that was asked for by then is in the store.
    async fn materialized(&self, namespace: &str, view: &NamedView, asked: Timestamp) -> Result<(), StoreError>;

    /// Finds what is asked for.
    async fn select(&self, namespace: &str, features: &Features) -> Result<Arc<Selected>, StoreError>;

    /// What is known now of `rows` entities, whose join keys are columns of as many values: for each selected feature a
    /// column.
    async fn read(
        &self,
        selected: &Arc<Selected>,
        entities: &BTreeMap<String, Vec<Value>>,
        rows: usize,
    ) -> Result<Vec<Vec<Cell>>, StoreError>;
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Features {
    /// (view, feature)
    Refs(Vec<(String, String)>),
    Service(String),
}

impl Features {
    /// What is told to whoever may not even know whether it is there.
    pub(crate) fn missing(&self) -> StoreError {
        match self {
            Self::Refs(refs) => StoreError::NoView(refs.first().map(|(view, _)| view.clone()).unwrap_or_default()),
            Self::Service(name) => StoreError::NoService(name.clone()),
        }
    }
}

/// A view by itself.
#[derive(Clone, Debug)]
pub struct NamedView {
    pub name: String,
    /// The name as it was asked for.
    pub asked: String,
    /// Of the data it is made of.
    pub tags: Tags,
}

/// Moments, both ends of which count; an end that is not there does not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// What was found.
pub struct Selected {
    pub views: Vec<SelectedView>,
    /// In the order asked for: the position of the view, and of the feature in it.
    pub features: Vec<(usize, usize)>,
    /// What the store needs to read it.
    pub inner: Box<dyn Any + Send + Sync>,
    pub(crate) heading: Heading,
}

impl Selected {
    #[must_use]
    pub fn new(views: Vec<SelectedView>, features: Vec<(usize, usize)>, inner: Box<dyn Any + Send + Sync>) -> Self {
        Self { heading: Heading::of(&views, &features), views, features, inner }
    }
}

pub struct SelectedView {
    pub name: String,
    /// The name as it was asked for: Feast's may have underscores where those of objects have hyphens.
    pub asked: String,
    pub join_keys: Vec<String>,
    /// All of the view's.
    pub features: Vec<String>,
    /// Of the data it is made of.
    pub tags: Tags,
}

/// One feature of one entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    pub value: Option<f64>,
    pub status: Status,
    /// When the entity's newest row became known.
    pub known: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Present,
    /// There are rows, and they say nothing.
    Null,
    /// There are no rows.
    NotFound,
    /// There are rows, all of them older than the view's time to live.
    OutsideMaxAge,
}

impl Status {
    /// As Feast spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "PRESENT",
            Self::Null => "NULL_VALUE",
            Self::NotFound => "NOT_FOUND",
            Self::OutsideMaxAge => "OUTSIDE_MAX_AGE",
        }
    }
}

/// Why a store could not do it. Most of it reads as Feast words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("Unable to find push source '{0}'.")]
    NoPushSource(String),
    #[error("Feature view {0} does not exist")]
    NoView(String),
    #[error("Feature service {0} does not exist")]
    NoService(String),
    #[error("Version {version} of feature view {view} does not exist")]
    NoVersion { view: String, version: String },
    #[error("Data source {0} does not exist")]
    NoSource(String),
    #[error("The entity dataframe you have provided must contain columns {}, but they were missing.", .0.join(", "))]
    MissingKeys(Vec<String>),
    #[error("Feature {feature} not found in feature view {view}")]
    NoFeature { view: String, feature: String },
    /// The frame or the entities lack something, or have it in the wrong type.
    #[error("column {column:?} {why}")]
    Column { column: String, why: String },
    #[error(transparent)]
    Other(#[from] Problem),
}

impl Explained for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoPushSource(_)
            | Self::NoView(_)
            | Self::NoService(_)
            | Self::NoVersion { .. }
            | Self::NoSource(_)
            | Self::NoFeature { .. } => ErrorKind::NotFound,
            Self::Column { .. } | Self::MissingKeys(_) => ErrorKind::Invalid,
            Self::Other(problem) => problem.kind,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Other(problem) => problem.fix.clone(),
            _ => None,
        }
    }
}

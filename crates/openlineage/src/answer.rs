//! The shapes of Marquez' answers (Marquez 0.51, `spec/openapi.yml`). Facets are written with the bytes they came in.

use std::collections::BTreeMap;

use bedplate_types::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::dataset::Field;
use crate::node_id::NodeId;

/// How much is told of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Where it is asked for by itself.
    Full,
    /// In a list: neither earlier runs, nor the columns' lineage, nor what is told of a dataset for one run alone.
    Brief,
}

pub(crate) type FacetTexts = BTreeMap<String, Box<RawValue>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Namespace {
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub owner_name: &'static str,
    pub description: Option<String>,
    pub is_hidden: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Id {
    pub namespace: String,
    pub name: String,
}

#[derive(Clone, Serialize)]
pub(crate) struct VersionId {
    pub namespace: String,
    pub name: String,
    pub version: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    pub id: Id,
    /// `BATCH` or `STREAM`
    #[serde(rename = "type")]
    pub sort: &'static str,
    pub name: String,
    pub simple_name: String,
    pub parent_job_name: Option<String>,
    pub parent_job_uuid: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub namespace: String,
    pub inputs: Vec<Id>,
    pub outputs: Vec<Id>,
    pub location: Option<String>,
    pub description: Option<String>,
    pub latest_run: Option<Run>,
    pub latest_runs: Vec<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<FacetTexts>,
    pub current_version: String,
    pub labels: Vec<String>,
    pub tags: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    pub id: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub nominal_start_time: Option<String>,
    pub nominal_end_time: Option<String>,
    pub state: String,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub args: BTreeMap<String, String>,
    pub job_version: VersionId,
    pub input_dataset_versions: Vec<UsedVersion>,
    pub output_dataset_versions: Vec<UsedVersion>,
    pub facets: FacetTexts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsedVersion {
    pub dataset_version_id: VersionId,
    pub facets: FacetTexts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dataset {
    pub id: Id,
    #[serde(rename = "type")]
    pub sort: &'static str,
    pub name: String,
    pub physical_name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub namespace: String,
    pub source_name: String,
    pub fields: Vec<FieldTold>,
    pub tags: Vec<String>,
    pub last_modified_at: Option<Timestamp>,
    pub last_lifecycle_state: Option<String>,
    pub description: Option<String>,
    pub current_version: Option<String>,
    pub column_lineage: Option<Vec<ColumnLineage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<FacetTexts>,
    pub deleted: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatasetVersion {
    pub id: VersionId,
    #[serde(rename = "type")]
    pub sort: &'static str,
    pub name: String,
    pub physical_name: String,
    pub created_at: Timestamp,
    pub version: String,
    pub namespace: String,
    pub source_name: String,
    pub fields: Vec<FieldTold>,
    pub tags: Vec<String>,
    pub description: Option<String>,
    pub created_by_run: Option<Run>,
}

#[derive(Serialize)]
pub(crate) struct FieldTold {
    #[serde(flatten)]
    pub field: Field,
    pub tags: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColumnLineage {
    pub name: String,
    pub input_fields: Vec<InputField>,
}

/// A column that another was made of.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InputField {
    pub namespace: String,
    pub dataset: String,
    pub field: String,
    pub transformation_description: Option<String>,
    pub transformation_type: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Graph {
    pub graph: Vec<Node>,
    /// Marquez has no bound and no such word; it stands here only when it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    pub id: NodeId,
    /// `JOB`, `DATASET` or `DATASET_FIELD`
    #[serde(rename = "type")]
    pub sort: &'static str,
    pub data: Data,
    pub in_edges: Vec<Edge>,
    pub out_edges: Vec<Edge>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Data {
    Job(Box<Job>),
    Dataset(Box<Dataset>),
    Field(Box<ColumnData>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColumnData {
    pub namespace: String,
    pub dataset: String,
    pub dataset_version: Option<String>,
    pub field: String,
    pub field_type: Option<String>,
    pub transformation_description: Option<String>,
    pub transformation_type: Option<String>,
    pub input_fields: Vec<InputField>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Edge {
    pub origin: NodeId,
    pub destination: NodeId,
}

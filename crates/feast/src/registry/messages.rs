//! The messages of Feast 0.67's registry (`feast/core/*.proto`) as far as they mean something here. Fields that are not
//! named are passed over: the blob itself is what is kept.

use std::collections::HashMap;

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Registry {
    #[prost(message, repeated, tag = "1")]
    pub entities: Vec<Entity>,
    #[prost(string, tag = "3")]
    pub registry_schema_version: String,
    #[prost(message, repeated, tag = "6")]
    pub feature_views: Vec<FeatureView>,
    #[prost(message, repeated, tag = "7")]
    pub feature_services: Vec<FeatureService>,
    #[prost(message, repeated, tag = "8")]
    pub on_demand_feature_views: Vec<Named>,
    #[prost(message, repeated, tag = "14")]
    pub stream_feature_views: Vec<Named>,
    #[prost(message, repeated, tag = "16")]
    pub permissions: Vec<Named>,
    #[prost(message, repeated, tag = "17")]
    pub projects: Vec<Project>,
    #[prost(message, repeated, tag = "19")]
    pub label_views: Vec<Named>,
}

/// Whatever has a name at this place.
#[derive(Clone, PartialEq, Message)]
pub struct Named {
    #[prost(message, optional, tag = "1")]
    pub spec: Option<NamedSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub struct NamedSpec {
    #[prost(string, tag = "1")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Project {
    #[prost(message, optional, tag = "1")]
    pub spec: Option<ProjectSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ProjectSpec {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub owner: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Entity {
    #[prost(message, optional, tag = "1")]
    pub spec: Option<EntitySpec>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EntitySpec {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int32, tag = "2")]
    pub value_type: i32,
    #[prost(string, tag = "3")]
    pub description: String,
    #[prost(string, tag = "4")]
    pub join_key: String,
    #[prost(string, tag = "9")]
    pub project: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct FeatureView {
    #[prost(message, optional, tag = "1")]
    pub spec: Option<FeatureViewSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub struct FeatureViewSpec {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub project: String,
    #[prost(string, repeated, tag = "3")]
    pub entities: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub features: Vec<FeatureSpec>,
    #[prost(message, optional, tag = "6")]
    pub ttl: Option<Duration>,
    #[prost(message, optional, tag = "7")]
    pub batch_source: Option<DataSource>,
    #[prost(message, optional, tag = "9")]
    pub stream_source: Option<DataSource>,
    #[prost(string, tag = "10")]
    pub description: String,
    #[prost(string, tag = "11")]
    pub owner: String,
    #[prost(message, repeated, tag = "12")]
    pub entity_columns: Vec<FeatureSpec>,
    #[prost(message, repeated, tag = "14")]
    pub source_views: Vec<NamedSpec>,
    /// A function of Python, or a plan: that there is one is enough.
    #[prost(message, optional, tag = "15")]
    pub feature_transformation: Option<Something>,
    #[prost(bool, tag = "20")]
    pub disabled: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct Something {}

#[derive(Clone, PartialEq, Message)]
pub struct FeatureSpec {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int32, tag = "2")]
    pub value_type: i32,
    #[prost(string, tag = "4")]
    pub description: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Duration {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct DataSource {
    #[prost(int32, tag = "1")]
    pub type_: i32,
    #[prost(map = "string, string", tag = "2")]
    pub field_mapping: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub timestamp_field: String,
    #[prost(string, tag = "5")]
    pub created_timestamp_column: String,
    #[prost(message, optional, tag = "11")]
    pub file_options: Option<FileOptions>,
    #[prost(string, tag = "20")]
    pub name: String,
    #[prost(string, tag = "23")]
    pub description: String,
    #[prost(string, tag = "25")]
    pub owner: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct FileOptions {
    #[prost(string, tag = "2")]
    pub uri: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct FeatureService {
    #[prost(message, optional, tag = "1")]
    pub spec: Option<FeatureServiceSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub struct FeatureServiceSpec {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub project: String,
    #[prost(message, repeated, tag = "3")]
    pub features: Vec<Projection>,
    #[prost(string, tag = "5")]
    pub description: String,
    #[prost(string, tag = "6")]
    pub owner: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Projection {
    #[prost(string, tag = "1")]
    pub feature_view_name: String,
    #[prost(message, repeated, tag = "2")]
    pub feature_columns: Vec<FeatureSpec>,
    #[prost(string, tag = "3")]
    pub feature_view_name_alias: String,
    #[prost(map = "string, string", tag = "4")]
    pub join_key_map: HashMap<String, String>,
}

/// `feast.core.DataSource.SourceType`.
pub const FILE: i32 = 1;
pub const PUSH: i32 = 9;

/// `feast.types.ValueType.Enum`.
pub mod value_type {
    pub const INVALID: i32 = 0;
    pub const STRING: i32 = 2;
    pub const INT32: i32 = 3;
    pub const INT64: i32 = 4;
    pub const DOUBLE: i32 = 5;
    pub const FLOAT: i32 = 6;
    pub const BOOL: i32 = 7;
}

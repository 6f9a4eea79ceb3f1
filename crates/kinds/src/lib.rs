//! The kinds: everything a person declares to bedplate, one noun a file, with the Kubernetes envelope.
//!
//! A kind is its spec, its status, and the rules a spec must obey before it is stored (`validate`). The schema the API
//! server publishes is derived from these types. Start with [`registry`], which lists the kinds; each file reads alone.
//! This crate knows nothing of storage, HTTP or who reconciles a kind.

mod amount;
mod approval;
mod budget;
mod change_class;
mod check;
mod condition;
mod constraint;
mod data_tags;
mod dataset;
mod dataset_source;
pub mod definition;
mod endpoint;
mod entity;
mod expectation_suite;
mod feature_service;
mod feature_view;
mod glossary_term;
mod masking;
mod model;
mod monitor;
mod object_store;
mod partitioning;
mod pii_suggestion;
mod policy;
mod postgres_source;
mod price_sheet;
mod quota;
pub mod registry;
mod role_binding;
mod site;
mod training_recipe;
mod validate;
mod workload;

pub use amount::{Amount, InvalidAmount};
pub use approval::{
    Approval, ApprovalDecision, ApprovalGiven, ApprovalSpec, ApprovalState, ApprovalStatus, ApprovedChange,
};
pub use budget::{Budget, BudgetSpec, BudgetStatus, Enforcement};
pub use change_class::{
    Approver, ChangeClass, ChangeClassSpec, ChangeClassStatus, ChangeOperation, ChangeSelector, Escalation, Risk,
};
pub use check::{
    Anomaly, Between, Check, CompleteSeries, Distinct, Drift, Freshness, Increasing, KEPT_INGESTS, MIN_HISTORY,
    Matches, Mean, OnColumn, OneOf, Quantile, References, RowCount, Satisfies, Unique,
};
pub use condition::{Condition, Phase, set_condition};
pub use constraint::Constraint;
pub use data_tags::{DataTags, PLATFORM_TAGS};
pub use dataset::{Classification, Column, ColumnType, Dataset, DatasetSpec, DatasetStatus, ExpectationOutcome};
pub use dataset_source::{Compression, CsvOptions, DatasetSource, Format, Load, NEW_FILES_OF_DELTA, SchemaEvolution};
pub use endpoint::{Endpoint, EndpointCapacity, EndpointSpec, EndpointStatus};
pub use entity::{Entity, EntitySpec, EntityStatus, JoinKey};
pub use expectation_suite::{
    Expectation, ExpectationSuite, ExpectationSuiteSpec, ExpectationSuiteStatus, Over, Severity,
};
pub use feature_service::{
    FeatureService, FeatureServiceSpec, FeatureServiceStatus, RequestFeature, Transform, ViewSelection,
};
pub use feature_view::{
    Aggregate, Feature, FeatureView, FeatureViewSource, FeatureViewSpec, FeatureViewStatus, ParityResult, RowsAsked,
    RowsBrought, ViewFreshness, ViewParity,
};
pub use glossary_term::{ColumnTerm, FeatureTerm, GlossaryTerm, GlossaryTermSpec, GlossaryTermStatus};
pub use masking::{ColumnMask, Mask, RowFilter};
pub use model::{GateResult, Model, ModelSpec, ModelStatus, ModelVersion};
pub use monitor::{DriftResult, LabelShift, Monitor, MonitorSpec, MonitorStatus, Window};
pub use object_store::ObjectStore;
pub use pii_suggestion::PiiSuggestion;
pub use policy::{Policy, PolicySpec, PolicyStatus};
pub use postgres_source::{PostgresSource, SecretKey};
pub use price_sheet::{InvalidPrice, Price, PriceSheet, PriceSheetSpec, PriceSheetStatus};
pub use quota::{Quota, QuotaSpec, QuotaStatus};
pub use role_binding::{BoundRole, RoleBinding, RoleBindingSpec, RoleBindingStatus, Subject, SubjectKind};
pub use site::{Site, SiteCapacity, SiteSpec, SiteState, SiteStatus};
pub use training_recipe::{
    Algorithm, Gate, GradientBoosting, Label, LeakageGate, MetricGate, Split, TrainingRecipe, TrainingRecipeSpec,
    TrainingRecipeStatus,
};
pub use validate::{FieldError, Validate};
pub use workload::{Replay, Resources, Task, Train, Usage, Workload, WorkloadSpec, WorkloadStatus};

/// The API group of every kind here.
pub const GROUP: &str = "bedplate.dev";
/// The one served version.
pub const VERSION: &str = "v1alpha1";

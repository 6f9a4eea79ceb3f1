//! What the pages show, as plain values, and the port that brings it.

mod catalogue;
mod dataset;
mod feature_view;

use async_trait::async_trait;
use bedplate_identity::Principal;
use bedplate_types::{Bytes, Digest, Micros, Money, Problem, Timestamp};

pub use self::catalogue::{Catalogue, CatalogueHit, CatalogueQuery};
pub use self::dataset::{ColumnFacts, ColumnProfile, Dataset, IngestRow, Shape, Spread};
pub use self::feature_view::{FeatureFacts, FeatureView, Parity, Served};

/// Brings the facts one principal may see. An implementation leaves out what the principal may not list.
#[async_trait]
pub trait Facts: Send + Sync {
    async fn overview(&self, who: &Principal) -> Result<Overview, Problem>;

    /// `ErrorKind::NotFound` when the namespace is not there or may not be seen.
    async fn use_case(&self, who: &Principal, namespace: &str) -> Result<UseCase, Problem>;

    /// What of the catalogue matches, and the principal may get.
    async fn catalogue(&self, who: &Principal, asked: &CatalogueQuery) -> Result<Catalogue, Problem>;

    /// `ErrorKind::NotFound` when the dataset is not there or may not be seen. Values that may not be read are left out.
    async fn dataset(&self, who: &Principal, namespace: &str, name: &str) -> Result<Dataset, Problem>;

    /// The same of a feature view, and of what was served of it.
    async fn feature_view(&self, who: &Principal, namespace: &str, name: &str) -> Result<FeatureView, Problem>;
}

/// Everything at one glance.
#[derive(Clone, Debug)]
pub struct Overview {
    pub platform: Platform,
    pub use_cases: Vec<UseCaseSummary>,
    /// Newest first.
    pub runs: Vec<Run>,
    /// Newest first.
    pub predictions: Vec<Prediction>,
    /// `None` when the principal may not read the audit log.
    pub audit: Option<AuditHead>,
    pub cost: Cost,
}

#[derive(Clone, Debug)]
pub struct Platform {
    pub version: String,
    pub started_at: Timestamp,
}

/// One namespace and how far its loop has come.
#[derive(Clone, Debug)]
pub struct UseCaseSummary {
    pub namespace: String,
    /// What it answers, in a sentence; may be empty.
    pub question: String,
    pub stages: Vec<Stage>,
}

/// One namespace in full.
#[derive(Clone, Debug)]
pub struct UseCase {
    pub summary: UseCaseSummary,
    pub objects: Vec<ObjectRow>,
    pub gates: Vec<GateFinding>,
    pub drift: Vec<DriftFinding>,
    /// Above this a feature counts as drifted.
    pub drift_threshold: f64,
    pub label_by_month: Vec<Month>,
    pub runs: Vec<Run>,
    pub predictions: Vec<Prediction>,
    pub cost: Cost,
}

/// One station of the loop.
#[derive(Clone, Debug)]
pub struct Stage {
    pub kind: StageKind,
    pub state: State,
    /// The one figure that matters: `336,776 rows`, `AUC 0.759`.
    pub headline: String,
    /// A few words more: `5 tables, 1 row quarantined`.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageKind {
    Dataset,
    Features,
    Training,
    Gates,
    Model,
    Endpoint,
    Monitor,
}

impl StageKind {
    pub const ALL: [Self; 7] =
        [Self::Dataset, Self::Features, Self::Training, Self::Gates, Self::Model, Self::Endpoint, Self::Monitor];

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Dataset => "Data",
            Self::Features => "Features",
            Self::Training => "Training",
            Self::Gates => "Gates",
            Self::Model => "Model",
            Self::Endpoint => "Endpoint",
            Self::Monitor => "Monitor",
        }
    }

    /// The section of the use case's page that tells more.
    pub(crate) const fn section(self) -> &'static str {
        match self {
            Self::Dataset | Self::Features | Self::Model => "objects",
            Self::Training => "runs",
            Self::Gates => "gates",
            Self::Endpoint => "predictions",
            Self::Monitor => "drift",
        }
    }
}

/// How a thing stands. Shown by a word and a shape; colour only helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing of this kind is declared.
    Absent,
    Pending,
    Running,
    /// It works and stays.
    Ready,
    /// It ran to its end.
    Succeeded,
    /// It works, and somebody should look: drift, quarantine.
    Attention,
    Failed,
}

#[derive(Clone, Debug)]
pub struct ObjectRow {
    pub kind: String,
    pub name: String,
    pub state: State,
    /// The figures of its printer columns: `336,776 rows`.
    pub figures: String,
    /// Reason and message of its Ready condition.
    pub reason: String,
    pub message: String,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub namespace: String,
    pub name: String,
    /// train, replay
    pub task: String,
    pub state: State,
    pub started_at: Option<Timestamp>,
    pub wall: Option<Micros>,
    pub cpu: Option<Micros>,
    pub peak_memory: Option<Bytes>,
    pub exit_code: Option<i32>,
}

#[derive(Clone, Debug)]
pub struct Prediction {
    pub id: String,
    pub namespace: String,
    pub endpoint: String,
    pub model_version: String,
    pub at: Timestamp,
    /// 0 to 1.
    pub score: f64,
    pub latency: Micros,
}

#[derive(Clone, Debug)]
pub struct GateFinding {
    pub name: String,
    pub passed: bool,
    pub value: f64,
    pub bound: f64,
    pub detail: String,
}

#[derive(Clone, Debug)]
pub struct DriftFinding {
    pub feature: String,
    pub psi: f64,
    pub jensen_shannon: f64,
    pub wasserstein: f64,
    pub missing_reference: f64,
    pub missing_current: f64,
    pub drifted: bool,
}

/// The label's mean in one month.
#[derive(Clone, Debug)]
pub struct Month {
    /// 2013-07
    pub month: String,
    pub rows: u64,
    pub positive_share: f64,
}

#[derive(Clone, Debug)]
pub struct AuditHead {
    pub leaves: u64,
    pub root: Option<Digest>,
    /// What the last verification found, if there was one.
    pub verified: Option<bool>,
}

#[derive(Clone, Debug)]
pub struct Cost {
    pub total: Money,
    pub currency: String,
    /// By resource or by namespace, largest first.
    pub parts: Vec<(String, Money)>,
}

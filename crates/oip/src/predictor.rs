//! The port to whatever predicts, and the plain values that pass through it.

use std::sync::Arc;

use bedplate_identity::Principal;
use bedplate_policy::Tags;
use bedplate_types::{ErrorKind, Explained, Problem};
use serde_json::{Map, Value};

use crate::Datatype;

/// Makes predictions for endpoints. The caller has been authenticated and authorised, the request checked against
/// [`ModelMetadata`].
#[async_trait::async_trait]
pub trait Predictor: Send + Sync {
    /// What the endpoint takes and gives; `None` when there is no such endpoint. Asked on every request: keep it cheap.
    fn metadata(&self, namespace: &str, endpoint: &str) -> Option<Arc<ModelMetadata>>;

    /// Each output has the call's rows, in the call's order, as its first dimension.
    async fn predict(&self, call: Call) -> Result<Answer, PredictError>;

    /// Whether the server as a whole takes requests.
    fn ready(&self) -> bool {
        true
    }
}

/// What an endpoint takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelMetadata {
    /// The served versions of the model, newest last; none while the endpoint is not ready.
    pub versions: Vec<u32>,
    /// What runs it: `onnx_bedplate`, …
    pub platform: String,
    pub ready: bool,
    pub inputs: Vec<InputMetadata>,
    pub outputs: Vec<OutputMetadata>,
    /// How the data behind the model may be used.
    pub tags: Tags,
}

/// A column the endpoint takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputMetadata {
    pub name: String,
    /// The datatype that is published.
    pub datatype: Datatype,
    /// Others that are taken too, for example INT64 microseconds where BYTES in RFC 3339 are published.
    pub also: Vec<Datatype>,
    pub required: bool,
}

/// A tensor the endpoint gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputMetadata {
    pub name: String,
    pub datatype: Datatype,
    /// The first dimension is the rows: -1.
    pub shape: Vec<i64>,
}

/// One request for predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub principal: Principal,
    pub namespace: String,
    pub endpoint: String,
    /// The version in the URL, which is one of the metadata's.
    pub version: Option<u32>,
    /// Row `i` is prediction `<id>/<i>`.
    pub id: String,
    /// Known columns of accepted types, each once, each with `rows` values; the required ones are all there.
    pub columns: Vec<Column>,
    /// At least one.
    pub rows: usize,
    /// The request's own, without those of the binary extension.
    pub parameters: Map<String, Value>,
}

/// A request's column. Times are still as they came: RFC 3339 text or INT64 microseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub values: ColumnValues,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValues {
    /// BYTES
    Str(Vec<String>),
    /// INT32 and INT64
    I64(Vec<i64>),
    /// FP32 (rounded to it) and FP64; a JSON null is NaN.
    F64(Vec<f64>),
    Bool(Vec<bool>),
}

impl ColumnValues {
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Str(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The predictions of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub model_name: String,
    pub model_version: String,
    /// Every output of the metadata; the router leaves out those the request did not want.
    pub outputs: Vec<OutputTensor>,
    pub parameters: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OutputTensor {
    pub name: String,
    pub datatype: Datatype,
    /// The first dimension is the rows.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: ColumnValues,
}

/// Why there is no prediction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    /// A value that only the predictor can tell is wrong.
    #[error("input {tensor:?} {why}")]
    Input { tensor: String, why: String },
    #[error(transparent)]
    Other(#[from] Problem),
}

impl Explained for PredictError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Input { .. } => ErrorKind::Invalid,
            Self::Other(problem) => problem.kind,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Input { .. } => None,
            Self::Other(problem) => problem.fix.clone(),
        }
    }
}

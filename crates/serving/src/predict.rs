//! One request, from columns to probabilities.

use std::sync::Arc;

use arrow::array::{Array, Float64Array, RecordBatch};
use bedplate_features::{EntityKey, FeatureError};
use bedplate_infer::InferError;
use bedplate_online::{OnlineError, Question, Values};
use bedplate_types::{ErrorKind, Explained, NamespacedName, PredictionId, Timestamp};

use crate::deployment::{Deployment, Deployments, ViewBinding};
use crate::frame;
use crate::record::StoredPrediction;

/// What a request gets back: one probability a row, and the id of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    pub ids: Vec<PredictionId>,
    /// Probability of the label being 1.
    pub probabilities: Vec<f32>,
    pub model: String,
    pub version: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    #[error("no endpoint {0} is being served")]
    NotServed(NamespacedName),
    #[error("the request has no column {0:?}")]
    MissingColumn(String),
    #[error("column {column:?} is {found}; it must be an RFC 3339 string or a timestamp")]
    WrongType { column: String, found: String },
    #[error("column {0:?} has a row without a moment")]
    NoMoment(String),
    #[error("column {column:?} has {text:?}, which is not an RFC 3339 instant such as 2013-07-01T16:30:00Z")]
    BadMoment { column: String, text: String },
    #[error("the request's features could not be made")]
    Features(#[from] FeatureError),
    #[error("the online store could not be read")]
    Online(#[from] OnlineError),
    #[error("the model could not be run")]
    Infer(#[from] InferError),
    #[error("the request's columns do not fit together")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl Explained for PredictError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotServed(_) => ErrorKind::NotFound,
            // Of what is elsewhere it counts whether it is there.
            Self::Online(error @ OnlineError::Redis(_)) => error.kind(),
            Self::Online(_) | Self::Infer(_) => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::NotServed(endpoint) => {
                Some(format!("bedplate get endpoints -n {}  # is it Ready?", endpoint.namespace))
            }
            Self::Online(error) => error.fix(),
            _ => None,
        }
    }
}

impl Deployments {
    /// Probabilities for the rows of `batch`, with features as they were known at each row's own moment.
    ///
    /// `principal` asks; `request_id` names the request; row `i` becomes prediction `<request_id>/<i>`.
    pub fn predict(
        &self,
        endpoint: &NamespacedName,
        principal: &str,
        request_id: &str,
        batch: &RecordBatch,
    ) -> Result<Prediction, PredictError> {
        let deployment = self.get(endpoint).ok_or_else(|| PredictError::NotServed(endpoint.clone()))?;
        let started = self.inner.clock.now();
        let rows = self.inputs(&deployment, batch)?;
        let probabilities = deployment.engine.predict(&rows, deployment.signature.features.len())?;
        let ids: Vec<_> = (0..batch.num_rows()).map(|row| PredictionId::new(format!("{request_id}/{row}"))).collect();
        let asked = Asked { principal, started };
        self.record(&deployment, batch, &ids, &probabilities, asked);
        Ok(Prediction { ids, probabilities, model: deployment.model.clone(), version: deployment.version })
    }

    /// The model's inputs, row-major.
    fn inputs(&self, deployment: &Deployment, batch: &RecordBatch) -> Result<Vec<f32>, PredictError> {
        for column in &deployment.signature.request_columns {
            batch.column_by_name(column).ok_or_else(|| PredictError::MissingColumn(column.clone()))?;
        }
        let moments = frame::moments(batch, &deployment.signature.timestamp_column)?;
        let batch = frame::with_moments(batch, &deployment.signature.timestamp_column, &moments)?;
        let requested = deployment.signature.request.encode(&batch)?;
        let looked_up = self.look_up(&deployment.views, &batch, &moments)?;
        let mut rows = Vec::with_capacity(batch.num_rows() * deployment.signature.features.len());
        for row in 0..batch.num_rows() {
            for (view, values) in deployment.views.iter().zip(&looked_up) {
                rows.extend(view.selected.iter().map(|feature| narrow(values[row][*feature])));
            }
            rows.extend(requested.iter().map(|column| number(column, row)));
        }
        Ok(rows)
    }

    /// Each view's features for every row, as known at the row's moment. A share of them is looked at for the statistics.
    fn look_up(
        &self,
        views: &[ViewBinding],
        batch: &RecordBatch,
        moments: &[Timestamp],
    ) -> Result<Vec<Vec<Values>>, PredictError> {
        let asked: Vec<_> = views.iter().map(|view| asked_of(view, batch, moments)).collect::<Result<_, _>>()?;
        let questions = views.iter().zip(&asked);
        let questions: Vec<_> = questions
            .map(|(view, asked)| Question { definition: &view.definition, view_id: &view.id, asked })
            .collect();
        let found = self.inner.online.read_all(&questions)?;
        let now = self.inner.clock.now();
        for (view, values) in views.iter().zip(&found) {
            let size = (values.len(), view.definition.features.len());
            self.inner.served.offer(&view.id, size, now, |row, feature| values[row].get(feature).copied().flatten());
        }
        Ok(found)
    }

    fn record(
        &self,
        deployment: &Deployment,
        batch: &RecordBatch,
        ids: &[PredictionId],
        probabilities: &[f32],
        asked: Asked<'_>,
    ) {
        let now = self.inner.clock.now();
        let views = Arc::new(deployment.signature.view_versions.clone());
        for (row, (id, probability)) in ids.iter().zip(probabilities).enumerate() {
            self.inner.recorder.offer(StoredPrediction {
                id: id.clone(),
                at: asked.started,
                principal: asked.principal.to_owned(),
                endpoint: deployment.endpoint.clone(),
                team: deployment.team.clone(),
                model: deployment.model.clone(),
                version: deployment.version,
                digest: deployment.digest,
                view_versions: views.clone(),
                request: frame::row_json(batch, row),
                probability: f64::from(*probability),
                latency_micros: now.micros_since(asked.started),
            });
        }
    }
}

/// The view's entity of every row, and the row's moment.
fn asked_of(
    view: &ViewBinding,
    batch: &RecordBatch,
    moments: &[Timestamp],
) -> Result<Vec<(Option<EntityKey>, Timestamp)>, FeatureError> {
    let key = |row| EntityKey::from_batch(&view.definition.join_keys, batch, row);
    moments.iter().enumerate().map(|(row, at)| Ok((key(row)?, *at))).collect()
}

/// Who asked, and when.
#[derive(Clone, Copy)]
struct Asked<'a> {
    principal: &'a str,
    started: Timestamp,
}

fn number(column: &Float64Array, row: usize) -> f32 {
    narrow(column.is_valid(row).then(|| column.value(row)))
}

/// The one place where a feature becomes the model's input: missing is NaN, everything else rounds to the nearest f32.
#[expect(clippy::cast_possible_truncation, reason = "the model was trained on the same rounding")]
fn narrow(value: Option<f64>) -> f32 {
    value.map_or(f32::NAN, |value| value as f32)
}

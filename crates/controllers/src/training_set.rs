//! The training set: the label frame with every feature as it was known at the row's own moment, pinned by digest.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, TimeUnit};
use bedplate_features::request::RequestEncoder;
use bedplate_kinds::{RequestFeature, TrainingRecipeSpec, Window};
use bedplate_offline::Feature;
use bedplate_query::Frame;
use bedplate_types::{ErrorKind, Problem, Timestamp};

use crate::hold::{Hold, failed};
use crate::jobs::FEATURE_PREFIX;

/// The assembled set.
pub struct TrainingSet {
    pub batch: RecordBatch,
    /// The model's inputs in order, without the prefix.
    pub features: Vec<String>,
    pub encoder: RequestEncoder,
    pub label_rows: usize,
}

/// Joins every view's features to the label frame. No row of the frame is left out: that is checked, not assumed. `join`
/// gives the views' features of the label rows it is handed.
pub fn assemble(
    spec: &TrainingRecipeSpec,
    request: &[RequestFeature],
    labels: &Frame,
    join: impl FnOnce(&RecordBatch) -> Result<Vec<Feature>, Hold>,
) -> Result<TrainingSet, Hold> {
    let spine = spine(spec, labels)?;
    let mut columns = own_columns(&spine);
    let mut features = Vec::new();
    for feature in join(&spine)? {
        columns.push((format!("{FEATURE_PREFIX}{}", feature.name), Arc::new(feature.values)));
        features.push(feature.name);
    }
    let encoder = fit(spec, request, &spine)?;
    let encoded = encoder.encode(&spine).map_err(failed("the request features"))?;
    for (feature, values) in request.iter().zip(encoded) {
        columns.push((format!("{FEATURE_PREFIX}{}", feature.name), Arc::new(values)));
        features.push(feature.name.clone());
    }
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, values)| (name, values, true)))
            .map_err(|error| internal(&error.to_string()))?;
    Ok(TrainingSet { batch, features, encoder, label_rows: labels.rows() })
}

/// The rows of `batch` whose moment lies in the window.
pub fn within(batch: &RecordBatch, timestamp: &str, window: &Window) -> Result<RecordBatch, Hold> {
    let times = times(batch, timestamp)?;
    let mask: BooleanArray =
        (0..times.len()).map(|row| Some(window.contains(Timestamp::from_micros(times.value(row))))).collect();
    filter_record_batch(batch, &mask).map_err(|error| internal(&error.to_string()))
}

/// The column as microseconds.
pub fn times(batch: &RecordBatch, column: &str) -> Result<TimestampMicrosecondArray, Hold> {
    let values = batch.column_by_name(column).ok_or_else(|| {
        let names: Vec<_> = batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect();
        invalid(format!("it has no column {column:?}; it has {}", names.join(", ")))
    })?;
    let micros = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))
        .map_err(|_| invalid(format!("column {column:?} is {} and not a time", values.data_type())))?;
    match micros.as_any().downcast_ref::<TimestampMicrosecondArray>() {
        Some(times) => Ok(times.clone()),
        None => Err(internal("a cast to microseconds gave something else")),
    }
}

/// The label frame as one batch, with its time as microseconds; refuses rows without a moment or a label.
fn spine(spec: &TrainingRecipeSpec, labels: &Frame) -> Result<RecordBatch, Hold> {
    let batch = in_one_order(spec, labels)?;
    let times = times(&batch, &spec.label.timestamp_column)?;
    let label = batch.column_by_name(&spec.label.column);
    let label = label.ok_or_else(|| invalid(format!("it has no label column {:?}", spec.label.column)))?;
    for (name, values) in [(&spec.label.timestamp_column, &times as &dyn Array), (&spec.label.column, label.as_ref())] {
        if values.null_count() > 0 {
            let why = format!("{} rows have no {name:?}; leave them out in spec.label.sql", values.null_count());
            return Err(invalid(why));
        }
    }
    let replace = |name: &str, values: &ArrayRef| -> ArrayRef {
        if name == spec.label.timestamp_column { Arc::new(times.clone()) } else { values.clone() }
    };
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    let columns = fields.map(|(field, values)| (field.name().clone(), replace(field.name(), values), true));
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).map_err(|error| internal(&error.to_string()))
}

/// A query's rows come in no order of their own; the same rows must make the same training set, and the same model.
fn in_one_order(spec: &TrainingRecipeSpec, labels: &Frame) -> Result<RecordBatch, Hold> {
    let moment = spec.label.timestamp_column.as_str();
    let others = labels.schema.fields().iter().map(|field| field.name().as_str()).filter(|name| *name != moment);
    let columns: Vec<_> = labels.schema.column_with_name(moment).map(|_| moment).into_iter().chain(others).collect();
    let sorted = labels.sorted_by(&columns).map_err(failed("the label frame"))?;
    sorted.concat().map_err(failed("the label frame"))
}

fn own_columns(spine: &RecordBatch) -> Vec<(String, ArrayRef)> {
    let fields = spine.schema_ref().fields().iter().zip(spine.columns());
    fields.map(|(field, values)| (field.name().clone(), values.clone())).collect()
}

/// Vocabularies come from the training window alone: the test must not be seen.
fn fit(spec: &TrainingRecipeSpec, request: &[RequestFeature], spine: &RecordBatch) -> Result<RequestEncoder, Hold> {
    let train = within(spine, &spec.label.timestamp_column, &spec.split.train)?;
    RequestEncoder::fit(request, &[train]).map_err(failed("the request features"))
}

fn invalid(why: String) -> Hold {
    Hold::Failed(Problem::new(ErrorKind::Invalid, "the label frame", why))
}

fn internal(why: &str) -> Hold {
    Hold::Failed(Problem::new(ErrorKind::Internal, "assembling the training set", why))
}

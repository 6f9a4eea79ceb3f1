//! The inference protocol's port on the deployments.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use bedplate_features::ViewDefinition;
use bedplate_kinds::{ColumnType, Transform};
use bedplate_oip::{
    Answer, Call, Column, ColumnValues, Datatype, InputMetadata, ModelMetadata, OutputMetadata, OutputTensor,
    PredictError, Predictor,
};
use bedplate_policy::Tags;
use bedplate_serving::{Deployment, Deployments};
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use serde_json::{Map, json};

pub struct Served(pub Deployments);

#[async_trait::async_trait]
impl Predictor for Served {
    fn metadata(&self, namespace: &str, endpoint: &str) -> Option<Arc<ModelMetadata>> {
        let deployment = self.0.get(&NamespacedName::new(namespace, endpoint))?;
        Some(Arc::new(describe(&deployment)))
    }

    async fn predict(&self, call: Call) -> Result<Answer, PredictError> {
        let deployments = self.0.clone();
        let answered = tokio::task::spawn_blocking(move || answer(&deployments, &call)).await;
        answered.unwrap_or_else(|error| {
            Err(Problem::new(ErrorKind::Internal, "the prediction", format!("ended abnormally: {error}")).into())
        })
    }
}

fn answer(deployments: &Deployments, call: &Call) -> Result<Answer, PredictError> {
    let endpoint = NamespacedName::new(&call.namespace, &call.endpoint);
    let deployment = deployments
        .get(&endpoint)
        .ok_or_else(|| Problem::new(ErrorKind::NotFound, format!("endpoint {endpoint}"), "it is not being served"))?;
    let batch = batch(call, &deployment)?;
    let prediction = deployments
        .predict(&endpoint, &call.principal.name, &call.id, &batch)
        .map_err(|error| Problem::of(format!("endpoint {endpoint}"), &error))?;
    let values = prediction.probabilities.iter().map(|probability| f64::from(*probability)).collect();
    Ok(Answer {
        model_name: call.endpoint.clone(),
        model_version: prediction.version.to_string(),
        outputs: vec![OutputTensor {
            name: "probability".into(),
            datatype: Datatype::Fp64,
            shape: vec![call.rows],
            values: ColumnValues::F64(values),
        }],
        parameters: Map::from_iter([("model_digest".to_owned(), json!(deployment.digest))]),
    })
}

fn batch(call: &Call, deployment: &Deployment) -> Result<RecordBatch, PredictError> {
    let columns = call.columns.iter().map(|column| (column.name.as_str(), array(column, deployment), true));
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| Problem::new(ErrorKind::Invalid, "the request", error.to_string()).into())
}

fn array(column: &Column, deployment: &Deployment) -> ArrayRef {
    match &column.values {
        ColumnValues::Str(values) => Arc::new(StringArray::from_iter_values(values)),
        ColumnValues::I64(values) if column.name == deployment.signature.timestamp_column => {
            Arc::new(TimestampMicrosecondArray::from(values.clone()).with_timezone("UTC"))
        }
        ColumnValues::I64(values) => Arc::new(Int64Array::from(values.clone())),
        ColumnValues::F64(values) => {
            Arc::new(values.iter().map(|v| (!v.is_nan()).then_some(*v)).collect::<Float64Array>())
        }
        ColumnValues::Bool(values) => Arc::new(BooleanArray::from(values.clone())),
    }
}

fn describe(deployment: &Deployment) -> ModelMetadata {
    let columns = &deployment.signature.request_columns;
    ModelMetadata {
        versions: vec![deployment.version],
        platform: "onnx_bedplate".into(),
        ready: true,
        inputs: columns.iter().map(|name| input(name, deployment)).collect(),
        outputs: vec![OutputMetadata { name: "probability".into(), datatype: Datatype::Fp64, shape: vec![-1] }],
        tags: deployment.signature.tags.as_ref().map(Tags::from).unwrap_or_default(),
    }
}

fn input(name: &str, deployment: &Deployment) -> InputMetadata {
    let views = deployment.views.iter().map(|view| &view.definition);
    let (datatype, also) = if name == deployment.signature.timestamp_column {
        (Datatype::Bytes, vec![Datatype::Int64])
    } else {
        match key_type(views, name).or_else(|| made_type(deployment, name)) {
            Some(ColumnType::String) | None => (Datatype::Bytes, Vec::new()),
            Some(ColumnType::Int32 | ColumnType::Int64) => (Datatype::Int64, vec![Datatype::Int32]),
            Some(_) => (Datatype::Fp64, vec![Datatype::Fp32, Datatype::Int64, Datatype::Int32, Datatype::Bool]),
        }
    };
    InputMetadata { name: name.to_owned(), datatype, also, required: true }
}

fn key_type<'a>(mut views: impl Iterator<Item = &'a ViewDefinition>, name: &str) -> Option<ColumnType> {
    views.find_map(|view| view.join_keys.iter().find(|key| key.name == name).map(|key| key.type_))
}

fn made_type(deployment: &Deployment, name: &str) -> Option<ColumnType> {
    let made = deployment.signature.request.features.iter().find(|feature| feature.column == name)?;
    Some(match made.transform {
        Transform::Category => ColumnType::String,
        _ => ColumnType::Float64,
    })
}

//! A predictor whose answers can be checked by eye: `sum` = `a` + `b`, `tag` with "!" behind it, `odd` if `a` is.

use std::sync::Arc;

use bedplate_oip::{
    Answer, Call, ColumnValues, Datatype, InputMetadata, ModelMetadata, OutputMetadata, OutputTensor, PredictError,
    Predictor,
};
use bedplate_types::{ErrorKind, Problem};
use serde_json::{Map, json};

pub struct Adder;

#[async_trait::async_trait]
impl Predictor for Adder {
    fn metadata(&self, namespace: &str, endpoint: &str) -> Option<Arc<ModelMetadata>> {
        let ready = ["sum", "bound"].contains(&endpoint);
        let mut metadata = metadata(ready);
        if endpoint == "bound" {
            metadata.tags.purposes = Some(["care".to_owned()].into());
        }
        ((namespace == "flights") && (ready || endpoint == "loading")).then(|| Arc::new(metadata))
    }

    async fn predict(&self, call: Call) -> Result<Answer, PredictError> {
        let (a, b, tags) = (ints(&call, "a"), floats(&call, "b"), texts(&call, "tag"));
        match tags.first().map(String::as_str) {
            Some("refuse") => return Err(PredictError::Input { tensor: "tag".into(), why: "is refused".into() }),
            Some("busy") => return Err(Problem::new(ErrorKind::Busy, "endpoint sum", "too many calls").into()),
            Some("break") => return Err(Problem::new(ErrorKind::Internal, "secret place", "broke").into()),
            _ => {}
        }
        let sums: Vec<f64> = a.iter().zip(&b).map(|(a, b)| *a as f64 + b).collect();
        // One answer too few, to see that it is noticed.
        let sums = if tags.first().is_some_and(|tag| tag == "lose") { sums[1..].to_vec() } else { sums };
        let outputs = vec![
            tensor("sum", Datatype::Fp32, ColumnValues::F64(sums)),
            tensor("tag", Datatype::Bytes, ColumnValues::Str(tags.iter().map(|tag| format!("{tag}!")).collect())),
            tensor("odd", Datatype::Bool, ColumnValues::Bool(a.iter().map(|a| a % 2 != 0).collect())),
        ];
        let mut parameters: Map<_, _> = call.parameters.clone();
        parameters.insert("called".into(), json!(format!("{}/{} {:?}", call.namespace, call.endpoint, call.version)));
        Ok(Answer { model_name: call.endpoint, model_version: "3".into(), outputs, parameters })
    }
}

fn metadata(ready: bool) -> ModelMetadata {
    let input = |name: &str, datatype, also, required| InputMetadata { name: name.into(), datatype, also, required };
    let output = |name: &str, datatype| OutputMetadata { name: name.into(), datatype, shape: vec![-1] };
    ModelMetadata {
        versions: if ready { vec![3] } else { vec![] },
        platform: "adder".into(),
        ready,
        inputs: vec![
            input("a", Datatype::Int64, vec![Datatype::Int32], true),
            input("b", Datatype::Fp64, vec![Datatype::Fp32], true),
            input("tag", Datatype::Bytes, vec![], false),
        ],
        outputs: vec![output("sum", Datatype::Fp32), output("tag", Datatype::Bytes), output("odd", Datatype::Bool)],
        ..ModelMetadata::default()
    }
}

fn tensor(name: &str, datatype: Datatype, values: ColumnValues) -> OutputTensor {
    OutputTensor { name: name.into(), datatype, shape: vec![values.len()], values }
}

fn find<'a>(call: &'a Call, name: &str) -> Option<&'a ColumnValues> {
    call.columns.iter().find(|column| column.name == name).map(|column| &column.values)
}

fn ints(call: &Call, name: &str) -> Vec<i64> {
    let Some(ColumnValues::I64(values)) = find(call, name) else { panic!("{name} was checked") };
    values.clone()
}

fn floats(call: &Call, name: &str) -> Vec<f64> {
    let Some(ColumnValues::F64(values)) = find(call, name) else { panic!("{name} was checked") };
    values.clone()
}

fn texts(call: &Call, name: &str) -> Vec<String> {
    match find(call, name) {
        Some(ColumnValues::Str(values)) => values.clone(),
        None => vec![String::new(); call.rows],
        Some(_) => panic!("{name} was checked"),
    }
}

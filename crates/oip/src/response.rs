//! From an answer to the reply: JSON, or a JSON header with binary tensors behind it.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::OipError;
use crate::request::InferRequest;
use crate::{Answer, ColumnValues, Datatype, OutputTensor, binary};

pub(crate) const HEADER_LENGTH: &str = "inference-header-content-length";

/// Which outputs the request wants, in its order, and whether each in binary; no names mean all.
pub(crate) struct Wanted {
    outputs: Vec<(String, bool)>,
    all_binary: bool,
}

impl Wanted {
    pub fn by(request: &InferRequest) -> Self {
        let flag = |parameters: &Map<String, Value>, name| parameters.get(name).and_then(Value::as_bool);
        let all_binary = flag(&request.parameters, "binary_data_output").unwrap_or(false);
        let outputs = request.outputs.iter();
        let outputs = outputs.map(|out| (out.name.clone(), flag(&out.parameters, "binary_data").unwrap_or(all_binary)));
        Self { outputs: outputs.collect(), all_binary }
    }

    fn pick<'a>(&self, answer: &'a Answer) -> Result<Vec<(&'a OutputTensor, bool)>, OipError> {
        if self.outputs.is_empty() {
            return Ok(answer.outputs.iter().map(|output| (output, self.all_binary)).collect());
        }
        let find = |name: &str| answer.outputs.iter().find(|output| output.name == name);
        let lost = |name: &str| OipError::Broken(format!("output {name:?} is in the metadata but not in the answer"));
        self.outputs.iter().map(|(name, binary)| Ok((find(name).ok_or_else(|| lost(name))?, *binary))).collect()
    }
}

#[derive(serde::Serialize)]
struct Reply<'a> {
    model_name: &'a str,
    model_version: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    parameters: &'a Map<String, Value>,
    outputs: Vec<ReplyTensor<'a>>,
}

#[derive(serde::Serialize)]
struct ReplyTensor<'a> {
    name: &'a str,
    datatype: Datatype,
    shape: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<BinarySize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Elements<'a>>,
}

#[derive(serde::Serialize)]
struct BinarySize {
    binary_data_size: usize,
}

/// The reply to a call of so many rows.
pub(crate) fn reply(answer: &Answer, wanted: &Wanted, id: &str, rows: usize) -> Result<Response, OipError> {
    let mut blobs = Vec::new();
    let mut outputs = Vec::with_capacity(answer.outputs.len());
    let mut any_binary = false;
    for (output, binary) in wanted.pick(answer)? {
        check(output, rows)?;
        any_binary |= binary;
        outputs.push(tensor(output, binary, &mut blobs)?);
    }
    let Answer { model_name, model_version, parameters, .. } = answer;
    let json = serde_json::to_vec(&Reply { model_name, model_version, id, parameters, outputs });
    let json = json.map_err(|error| OipError::Broken(format!("the answer is no JSON: {error}")))?;
    Ok(if any_binary { in_binary(json, &blobs) } else { in_json(json) })
}

/// A row must never get another row's answer, so an answer of the wrong size is none at all.
fn check(output: &OutputTensor, rows: usize) -> Result<(), OipError> {
    let size: usize = output.shape.iter().product();
    if output.shape.first() == Some(&rows) && output.values.len() == size {
        return Ok(());
    }
    let (name, shape, values) = (&output.name, &output.shape, output.values.len());
    Err(OipError::Broken(format!("output {name:?} has shape {shape:?} and {values} values for {rows} rows")))
}

fn tensor<'a>(output: &'a OutputTensor, binary: bool, blobs: &mut Vec<u8>) -> Result<ReplyTensor<'a>, OipError> {
    let OutputTensor { name, datatype, shape, values } = output;
    let mut tensor = ReplyTensor { name, datatype: *datatype, shape, parameters: None, data: None };
    if binary {
        let bytes = binary::encode(*datatype, values);
        let bytes = bytes.ok_or_else(|| OipError::Broken(format!("output {name:?} does not hold {datatype}")))?;
        tensor.parameters = Some(BinarySize { binary_data_size: bytes.len() });
        blobs.extend(bytes);
    } else {
        tensor.data = Some(Elements { datatype: *datatype, values });
    }
    Ok(tensor)
}

/// Elements in JSON, where NaN and infinity are null.
struct Elements<'a> {
    datatype: Datatype,
    values: &'a ColumnValues,
}

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.values {
            ColumnValues::Str(values) => serializer.collect_seq(values),
            ColumnValues::I64(values) => serializer.collect_seq(values),
            ColumnValues::Bool(values) => serializer.collect_seq(values),
            ColumnValues::F64(values) if self.datatype == Datatype::Fp32 => {
                serializer.collect_seq(values.iter().map(|value| *value as f32))
            }
            ColumnValues::F64(values) => serializer.collect_seq(values),
        }
    }
}

fn in_json(json: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

fn in_binary(mut json: Vec<u8>, blobs: &[u8]) -> Response {
    let length = HeaderValue::from(json.len());
    json.extend_from_slice(blobs);
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(HEADER_LENGTH, length);
    response
}

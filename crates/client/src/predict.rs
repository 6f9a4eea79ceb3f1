//! `predict`: one row to a served model, over the Open Inference Protocol (V2, REST).

use kube::Client;
use serde_json::{Value, json};

use crate::error::ClientError;
use crate::request::{JSON, escaped, request, send};

/// The request for one row: every field a tensor of shape `[1, 1]`, its datatype from the JSON value.
/// `id` comes back in the response and in the name of the prediction.
#[must_use]
pub fn infer_request(id: &str, row: &serde_json::Map<String, Value>) -> Value {
    let inputs: Vec<Value> = row.iter().map(|(name, value)| tensor(name, value)).collect();
    json!({ "id": id, "inputs": inputs })
}

fn tensor(name: &str, value: &Value) -> Value {
    let datatype = match value {
        Value::Bool(_) => "BOOL",
        Value::Number(number) if number.is_i64() || number.is_u64() => "INT64",
        Value::Number(_) => "FP64",
        _ => "BYTES",
    };
    let value =
        if datatype == "BYTES" && !value.is_string() { Value::String(value.to_string()) } else { value.clone() };
    json!({ "name": name, "datatype": datatype, "shape": [1, 1], "data": [value] })
}

/// Sends `body` to `/v2/models/{model}/infer`; `client` is one of the inference listener
/// ([`Connection::client_of`](crate::Connection::client_of)).
/// `purpose` says what the prediction is for, where the model's data asks for that.
pub async fn predict(client: &Client, model: &str, purpose: Option<&str>, body: &Value) -> Result<Value, ClientError> {
    let path = format!("/v2/models/{}/infer", escaped(model));
    let bytes = serde_json::to_vec(body)
        .map_err(|error| ClientError::Answer { what: format!("POST {path}"), why: error.to_string() })?;
    let mut request = request("POST", &path, JSON, bytes)?;
    if let Some(purpose) = purpose {
        let value = http::HeaderValue::from_str(purpose).map_err(|error| ClientError::Answer {
            what: format!("the purpose {purpose:?}"),
            why: error.to_string(),
        })?;
        request.headers_mut().insert("x-bedplate-purpose", value);
    }
    send(client, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datatypes_follow_the_values() {
        let row = json!({ "tailnum": "N14228", "hour": 5, "delay": 1.5, "holiday": false });
        let body = infer_request("r1", row.as_object().unwrap());
        let types: Vec<&str> =
            body["inputs"].as_array().unwrap().iter().map(|input| input["datatype"].as_str().unwrap()).collect();
        assert_eq!(types, ["BYTES", "INT64", "FP64", "BOOL"]);
        assert_eq!(body["inputs"][0]["data"], json!(["N14228"]));
        assert_eq!(body["inputs"][0]["shape"], json!([1, 1]));
    }
}

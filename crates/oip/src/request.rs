//! An inference request as it is written.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::data::Data;
use crate::error::OipError;

/// Fields that are not named here are left unread, as the specification wants it.
#[derive(Debug, Deserialize)]
pub(crate) struct InferRequest {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    pub inputs: Vec<RequestInput>,
    #[serde(default)]
    pub outputs: Vec<RequestOutput>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RequestInput {
    pub name: String,
    pub shape: Vec<i64>,
    pub datatype: String,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// Left out when the tensor comes in binary.
    #[serde(default)]
    pub data: Option<Data>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RequestOutput {
    pub name: String,
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

/// The longest request id, in bytes: it becomes part of every prediction's id.
const LONGEST_ID: usize = 256;

impl InferRequest {
    pub fn parse(json: &[u8]) -> Result<Self, OipError> {
        serde_json::from_slice(json)
            .map_err(|error| OipError::Request(format!("the body is no inference request: {error}")))
    }

    /// The caller's own id, if there is one.
    pub fn own_id(&self) -> Result<Option<&str>, OipError> {
        let id = self.id.as_deref().filter(|id| !id.is_empty());
        if id.is_some_and(|id| id.len() > LONGEST_ID || id.chars().any(char::is_control)) {
            let why = format!("id must have at most {LONGEST_ID} bytes and no control characters");
            return Err(OipError::Request(why));
        }
        Ok(id)
    }

    /// The parameters that are not the protocol's.
    pub fn own_parameters(&self) -> Map<String, Value> {
        self.parameters
            .iter()
            .filter(|(name, _)| *name != "binary_data_output")
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    }
}

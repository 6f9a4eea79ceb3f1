//! `sql`: a statement that reads, and its rows as they come.

mod table;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde::Serialize;

use crate::error::{ClientError, causes};
use crate::request::{escaped, refusal, request, said};

pub use table::rows_as_text;

const ARROW: &str = "application/vnd.apache.arrow.stream";
/// What a refusal may have to say, in bytes.
const REFUSAL: usize = 1 << 20;

/// A statement and what it is for.
#[derive(Clone, Debug, Serialize)]
pub struct SqlQuery {
    #[serde(skip)]
    pub namespace: String,
    pub sql: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The most rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Where it is to run: `local` or `ballista://host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
}

/// The rows of a statement on their way.
pub struct SqlAnswer {
    what: String,
    body: Body,
    decoder: StreamDecoder,
    waiting: Buffer,
}

/// Asks. What is wrong with the statement is told here; what goes wrong later, by [`SqlAnswer::next`].
pub async fn sql(client: &Client, query: &SqlQuery) -> Result<SqlAnswer, ClientError> {
    let path = format!("/bedplate/v1/namespaces/{}/sql", escaped(&query.namespace));
    let unsendable =
        |error: serde_json::Error| ClientError::Answer { what: format!("POST {path}"), why: error.to_string() };
    let request = request("POST", &path, ARROW, serde_json::to_vec(query).map_err(unsendable)?)?;
    let what = said(&request);
    let answer = client.send(request.map(Body::from)).await.map_err(|error| ClientError::of(&what, error))?;
    let status = answer.status();
    if !status.is_success() {
        let told = http_body_util::Limited::new(answer.into_body(), REFUSAL).collect().await;
        let told = told.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        return Err(refusal(what, status.as_u16(), &told));
    }
    Ok(SqlAnswer {
        what,
        body: answer.into_body(),
        decoder: StreamDecoder::new(),
        waiting: Buffer::from(Vec::<u8>::new()),
    })
}

impl SqlAnswer {
    /// The columns, once the first bytes are there: after [`SqlAnswer::next`] was called.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.decoder.schema()
    }

    /// The next rows; `None` when there are no more and none is missing.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, ClientError> {
        loop {
            let decoded = self.decoder.decode(&mut self.waiting);
            if let Some(batch) = decoded.map_err(|error| self.unreadable(&error.to_string()))? {
                return Ok(Some(batch));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.waiting = Buffer::from(data.to_vec());
                    }
                }
                Some(Err(error)) => return Err(self.cut(&causes(&error))),
                None => {
                    let whole = self.decoder.finish();
                    return whole.map(|()| None).map_err(|error| self.cut(&error.to_string()));
                }
            }
        }
    }

    fn unreadable(&self, why: &str) -> ClientError {
        ClientError::Answer { what: self.what.clone(), why: why.to_owned() }
    }

    /// What went wrong meanwhile, the platform's log says.
    fn cut(&self, why: &str) -> ClientError {
        ClientError::Answer { what: self.what.clone(), why: format!("it broke off before its end: {why}") }
    }
}

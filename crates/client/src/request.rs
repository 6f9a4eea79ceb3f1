//! Building and sending one request: paths are escaped here, and every failure learns which request it was.

use http::Request;
use http_body_util::{BodyExt, Limited};
use kube::Client;
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ClientError, causes};

/// `text` as one segment of a path or one value of a query (RFC 3986, unreserved characters stay).
pub fn escaped(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// `?a=1&b=2` from the pairs that have a value, or nothing.
pub fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let said: Vec<String> =
        pairs.iter().filter_map(|(key, value)| value.map(|value| format!("{key}={}", escaped(value)))).collect();
    if said.is_empty() { String::new() } else { format!("?{}", said.join("&")) }
}

pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
pub const JSON: &str = "application/json";

pub fn get(path: &str, accept: &str) -> Result<Request<Vec<u8>>, ClientError> {
    request("GET", path, accept, Vec::new())
}

pub fn request(method: &str, path: &str, accept: &str, body: Vec<u8>) -> Result<Request<Vec<u8>>, ClientError> {
    let builder = Request::builder().method(method).uri(path).header("accept", accept).header("content-type", JSON);
    builder.body(body).map_err(|error| ClientError::Answer { what: format!("{method} {path}"), why: error.to_string() })
}

pub async fn send<T: DeserializeOwned>(client: &Client, request: Request<Vec<u8>>) -> Result<T, ClientError> {
    let what = said(&request);
    let (_, bytes) = answer(client, request, None).await?;
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer { what, why: error.to_string() })
}

/// The answer, and what the server warned of (RFC 7234, `Warning`).
pub async fn send_warned<T: DeserializeOwned>(
    client: &Client,
    request: Request<Vec<u8>>,
) -> Result<(T, Vec<String>), ClientError> {
    let what = said(&request);
    let (headers, bytes) = answer(client, request, None).await?;
    let answer =
        serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer { what, why: error.to_string() })?;
    Ok((answer, headers.get_all("warning").iter().filter_map(|value| warning(value.to_str().ok()?)).collect()))
}

/// The text of `299 - "text"`.
fn warning(header: &str) -> Option<String> {
    let quoted = header.split_once('"')?.1.strip_suffix('"')?;
    Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// The answer as text.
pub async fn send_text(client: &Client, request: Request<Vec<u8>>) -> Result<String, ClientError> {
    let what = said(&request);
    let (_, bytes) = answer(client, request, None).await?;
    String::from_utf8(bytes).map_err(|error| ClientError::Answer { what, why: error.to_string() })
}

/// The answer's bytes, which may be `limit` at most.
pub async fn bytes(client: &Client, request: Request<Vec<u8>>, limit: usize) -> Result<Vec<u8>, ClientError> {
    Ok(answer(client, request, Some(limit)).await?.1)
}

async fn answer(
    client: &Client,
    request: Request<Vec<u8>>,
    limit: Option<usize>,
) -> Result<(http::HeaderMap, Vec<u8>), ClientError> {
    let what = said(&request);
    let answer = client.send(request.map(Body::from)).await.map_err(|error| ClientError::of(&what, error))?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = Limited::new(answer.into_body(), limit.unwrap_or(usize::MAX)).collect().await;
    let body = body.map_err(|error| match error.downcast::<kube::Error>() {
        Ok(error) => ClientError::of(&what, *error),
        Err(error) => ClientError::Answer { what: what.clone(), why: causes(&*error) },
    })?;
    let bytes = body.to_bytes();
    if status.is_success() { Ok((headers, bytes.into())) } else { Err(refusal(what, status.as_u16(), &bytes)) }
}

/// The server's own words, whichever protocol it speaks: a Kubernetes `Status` (with bedplate's `fix`), the inference
/// protocol's `{"error"}`, or plain text.
pub fn refusal(what: String, code: u16, body: &[u8]) -> ClientError {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| told[name].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let plain = String::from_utf8_lossy(body).trim().to_owned();
    let silent = || format!("the server answered {code} and gave no reason");
    let otherwise = || if plain.is_empty() || !told.is_null() { silent() } else { plain.clone() };
    let message = text("message").or_else(|| text("error")).or_else(|| text("reason")).unwrap_or_else(otherwise);
    ClientError::Refused { what, code, message, fix: text("fix") }
}

pub fn said(request: &Request<Vec<u8>>) -> String {
    format!("{} {}", request.method(), request.uri())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_segment() {
        assert_eq!(escaped("../x?y#z/ü"), "..%2Fx%3Fy%23z%2F%C3%BC");
        assert_eq!(escaped("weather.v1-a_b~c"), "weather.v1-a_b~c");
    }

    #[test]
    fn every_protocols_refusal_is_told() {
        let told = |body: &str| match refusal("GET /".into(), 422, body.as_bytes()) {
            ClientError::Refused { message, fix, .. } => (message, fix),
            other => panic!("{other}"),
        };
        let status = told(r#"{"kind":"Status","message":"no such column","fix":"bedplate describe dataset flights"}"#);
        assert_eq!(status, ("no such column".into(), Some("bedplate describe dataset flights".into())));
        assert_eq!(told(r#"{"error":"carrier is missing"}"#).0, "carrier is missing");
        assert_eq!(told("upstream is down").0, "upstream is down");
        assert_eq!(told("{}").0, "the server answered 422 and gave no reason");
    }

    #[test]
    fn a_warning_is_its_text() {
        assert_eq!(
            warning(r#"299 - "column \"x\" is used by C:\\d""#).as_deref(),
            Some(r#"column "x" is used by C:\d"#)
        );
        assert_eq!(warning("299 - nothing"), None);
    }

    #[test]
    fn a_query_holds_only_what_was_said() {
        assert_eq!(query(&[("a", None)]), "");
        assert_eq!(query(&[("a", Some("x=y")), ("b", None), ("c", Some("1"))]), "?a=x%3Dy&c=1");
    }
}

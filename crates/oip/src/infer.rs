//! POST /v2/models/{model}[/versions/{version}]/infer

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, header};
use axum::response::Response;
use bedplate_identity::Principal;
use bedplate_policy::Action;
use uuid::Uuid;

use crate::columns::{check_outputs, columns};
use crate::error::OipError;
use crate::metadata::{self, Named};
use crate::request::InferRequest;
use crate::response::{HEADER_LENGTH, Wanted, reply};
use crate::target::{self, Target};
use crate::{BODY_LIMIT, Call, ModelMetadata, Served};

/// The body is not read before the caller is known to be allowed.
pub(crate) async fn infer(
    State(served): State<Arc<Served>>,
    Path(named): Path<Named>,
    request: Request<Body>,
) -> Result<Response, OipError> {
    let (parts, body) = request.into_parts();
    let (who, target, metadata) = admit(&served, &named, &parts.headers)?;
    let version = metadata::version(&named, &target, &metadata)?;
    let body = read(&parts.headers, body).await?;
    let (json, blobs) = split(&parts.headers, &body)?;
    let request = InferRequest::parse(json)?;
    check_outputs(&request.outputs, &metadata)?;
    let wanted = Wanted::by(&request);
    let call = call(who, target, version, request, blobs, &metadata)?;
    let (id, rows) = (call.id.clone(), call.rows);
    let answer = served.predictor.predict(call).await?;
    reply(&answer, &wanted, &id, rows)
}

fn admit(
    served: &Served,
    named: &Named,
    headers: &HeaderMap,
) -> Result<(Principal, Target, Arc<ModelMetadata>), OipError> {
    let who = served.guard.who(headers)?;
    let target = target::resolve(&named.model, headers, &who);
    let metadata = metadata::permitted(served, &who, Action::Predict, &target, headers)?;
    if !metadata.ready {
        return Err(OipError::NotReady(target));
    }
    Ok((who, target, metadata))
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, OipError> {
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(&b"identity"[..], |value| value.as_bytes());
    if !encoding.eq_ignore_ascii_case(b"identity") {
        return Err(OipError::Unsupported(
            "compressed requests are not supported yet: send no Content-Encoding".into(),
        ));
    }
    to_bytes(body, BODY_LIMIT).await.map_err(|error| {
        let cause = error.into_inner();
        if cause.is::<http_body_util::LengthLimitError>() {
            return OipError::TooLarge;
        }
        OipError::Request(format!("the request body could not be read: {cause}"))
    })
}

/// The JSON, and the binary tensors behind it.
fn split<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), OipError> {
    let Some(length) = headers.get(HEADER_LENGTH) else { return Ok((body, &[])) };
    let length = length.to_str().ok().and_then(|text| text.parse().ok());
    length.and_then(|length| body.split_at_checked(length)).ok_or_else(|| {
        let why =
            format!("Inference-Header-Content-Length is not the length of a header within the {} bytes", body.len());
        OipError::Request(why)
    })
}

fn call(
    principal: Principal,
    target: Target,
    version: Option<u32>,
    request: InferRequest,
    blobs: &[u8],
    metadata: &ModelMetadata,
) -> Result<Call, OipError> {
    let id = request.own_id()?.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let parameters = request.own_parameters();
    let (columns, rows) = columns(request.inputs, blobs, metadata)?;
    let Target { namespace, endpoint } = target;
    Ok(Call { principal, namespace, endpoint, version, id, columns, rows, parameters })
}

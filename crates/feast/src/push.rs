//! POST /push

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use bedplate_policy::Action;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::FeastError;
use crate::frame::frame;
use crate::{Served, StoreError, body};

/// Feast's `PushFeaturesRequest`; its switches for registry caches and transforms have no meaning here.
#[derive(Deserialize)]
struct PushFeatures {
    push_source_name: String,
    df: Map<String, Value>,
    #[serde(default = "online")]
    to: String,
}

fn online() -> String {
    "online".into()
}

/// 200 and an empty body once the rows are durable.
pub(crate) async fn push(State(served): State<Arc<Served>>, request: Request<Body>) -> Result<StatusCode, FeastError> {
    let (parts, body) = request.into_parts();
    let caller = served.guard.who(&parts.headers)?;
    let PushFeatures { push_source_name: source, df, to } = body::read(body).await?;
    served.guard.check(&caller, Action::Push, StoreError::NoPushSource(source.clone()))?;
    if to != "online" {
        let why = format!("{to:?} is not supported: bedplate takes pushes into the online store only; send \"online\"");
        return Err(FeastError::body("to", why));
    }
    served.store.push(&caller.principal, &caller.namespace, &source, frame(&df)?).await?;
    Ok(StatusCode::OK)
}

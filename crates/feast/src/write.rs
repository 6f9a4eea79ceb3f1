//! POST /write-to-online-store

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use bedplate_policy::Action;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::FeastError;
use crate::frame::frame;
use crate::{Served, StoreError, body};

/// Feast's `WriteToFeatureStoreRequest`. Its client sends moments as naive UTC, in `event_timestamp` and `created`.
#[derive(Deserialize)]
struct WriteToOnlineStore {
    feature_view_name: String,
    df: Map<String, Value>,
}

/// `null` once the rows are durable.
pub(crate) async fn write(
    State(served): State<Arc<Served>>,
    request: Request<Body>,
) -> Result<Json<Value>, FeastError> {
    let (parts, body) = request.into_parts();
    let caller = served.guard.who(&parts.headers)?;
    let WriteToOnlineStore { feature_view_name: view, df } = body::read(body).await?;
    served.guard.check(&caller, Action::Push, StoreError::NoView(view.clone()))?;
    served.store.write(&caller.principal, &caller.namespace, &view, frame(&df)?).await?;
    Ok(Json(Value::Null))
}

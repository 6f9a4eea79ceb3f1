//! `SelfSubjectAccessReview`: may I? (`kubectl auth can-i`)

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bedplate_identity::Principal;
use bedplate_policy::{Action, Resource as Subject};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::body;
use crate::error::ApiError;
use crate::server::Inner;

pub async fn access(
    State(server): State<Arc<Inner>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let asked = body::object(content_type, &body::read(body).await?)?;
    let status = decide(&server, &principal, &asked["spec"]);
    let review = json!({
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
        "spec": asked["spec"], "status": status,
    });
    Ok((StatusCode::CREATED, Json(review)).into_response())
}

fn decide(server: &Inner, principal: &Principal, spec: &Value) -> Value {
    let asked = &spec["resourceAttributes"];
    if !asked.is_object() {
        // Paths outside the resources (/version, /healthz, discovery) are open to whoever is signed in.
        let reads = spec["nonResourceAttributes"]["verb"] == "get";
        return json!({ "allowed": reads });
    }
    let text = |field: &str| asked[field].as_str().filter(|text| !text.is_empty());
    let Some(action) = text("verb").and_then(action) else {
        return json!({ "allowed": false, "reason": format!("{} is not a verb here", asked["verb"]) });
    };
    let plural = text("resource").unwrap_or_default();
    let served =
        server.catalogue.all().find(|one| one.plural == plural && one.group == text("group").unwrap_or_default());
    let kind = served.map_or(plural, |one| one.kind.as_str());
    let subject = Subject { namespace: text("namespace"), kind, name: text("name") };
    let decision = server.policy.decide(&principal.name, &principal.groups, action, &subject);
    json!({ "allowed": decision.allowed, "reason": decision.why() })
}

fn action(verb: &str) -> Option<Action> {
    match verb {
        "deletecollection" => Some(Action::Delete),
        other => Action::ALL.into_iter().find(|action| action.as_str() == other),
    }
}

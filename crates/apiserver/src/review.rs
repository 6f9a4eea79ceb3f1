//! What callers may ask about themselves: may I (`kubectl auth can-i`), what may I (`--list`), who am I (`auth whoami`).

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
use crate::discovery::{STATUS_VERBS, verbs};
use crate::error::ApiError;
use crate::resource::Resource;
use crate::server::Inner;

/// A resource that can only be created, and is answered instead of stored.
pub struct Review {
    pub group: &'static str,
    pub plural: &'static str,
    pub kind: &'static str,
}

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// All of them, of version `v1`, for discovery.
pub const REVIEWS: [Review; 3] = [
    Review { group: AUTHENTICATION, plural: "selfsubjectreviews", kind: "SelfSubjectReview" },
    Review { group: AUTHORIZATION, plural: "selfsubjectaccessreviews", kind: "SelfSubjectAccessReview" },
    Review { group: AUTHORIZATION, plural: "selfsubjectrulesreviews", kind: "SelfSubjectRulesReview" },
];

/// Paths outside the resources, open to whoever is signed in.
const OPEN_PATHS: [&str; 9] =
    ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi/*", "/readyz", "/version"];

type Server = State<Arc<Inner>>;

/// `SelfSubjectAccessReview`.
pub async fn access(
    State(server): Server,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = read(&headers, body).await?;
    let status = decide(&server, &principal, &asked["spec"]);
    Ok(answered(AUTHORIZATION, "SelfSubjectAccessReview", Some(&asked["spec"]), status))
}

/// `SelfSubjectRulesReview`.
pub async fn rules(
    State(server): Server,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = read(&headers, body).await?;
    let namespace = asked["spec"]["namespace"].as_str().filter(|namespace| !namespace.is_empty());
    let namespace = namespace.ok_or_else(|| ApiError::BadRequest("no namespace on request".to_owned()))?;
    let status = json!({
        "resourceRules": resource_rules(&server, &principal, namespace),
        "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": OPEN_PATHS }],
        "incomplete": false,
    });
    Ok(answered(AUTHORIZATION, "SelfSubjectRulesReview", Some(&asked["spec"]), status))
}

/// `SelfSubjectReview`.
pub async fn myself(
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    read(&headers, body).await?;
    let user = json!({ "username": principal.name, "groups": principal.groups });
    Ok(answered(AUTHENTICATION, "SelfSubjectReview", None, json!({ "userInfo": user })))
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Value, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    body::object(content_type, &body::read(body).await?)
}

fn answered(group: &str, kind: &str, spec: Option<&Value>, status: Value) -> Response {
    let mut review = json!({
        "kind": kind, "apiVersion": format!("{group}/v1"), "metadata": { "creationTimestamp": null },
    });
    if let Some(spec) = spec {
        review["spec"] = spec.clone();
    }
    review["status"] = status;
    (StatusCode::CREATED, Json(review)).into_response()
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

fn resource_rules(server: &Inner, principal: &Principal, namespace: &str) -> Vec<Value> {
    let mut rules: Vec<Value> = REVIEWS.iter().map(|one| rule(&["create"], one.group, one.plural)).collect();
    for resource in server.catalogue.all() {
        let inside = Subject { namespace: resource.namespaced.then_some(namespace), kind: &resource.kind, name: None };
        rules.extend(rules_of(server, principal, resource, &inside));
        if resource.kind == "Namespace" {
            let itself = rules_of(server, principal, resource, &Subject { name: Some(namespace), ..inside });
            rules.extend(itself.into_iter().map(|mut rule| {
                rule["resourceNames"] = json!([namespace]);
                rule
            }));
        }
    }
    rules
}

fn rules_of(server: &Inner, principal: &Principal, resource: &Resource, subject: &Subject<'_>) -> Vec<Value> {
    let may = |verb: &&str| {
        action(verb)
            .is_some_and(|action| server.policy.decide(&principal.name, &principal.groups, action, subject).allowed)
    };
    let mut rules = Vec::new();
    let allowed: Vec<&str> = verbs(resource).iter().copied().filter(may).collect();
    if !allowed.is_empty() {
        rules.push(rule(&allowed, &resource.group, &resource.plural));
    }
    let of_status: Vec<&str> = STATUS_VERBS.into_iter().filter(may).collect();
    if resource.has_status && !of_status.is_empty() {
        rules.push(rule(&of_status, &resource.group, &format!("{}/status", resource.plural)));
    }
    rules
}

fn rule(verbs: &[&str], group: &str, resource: &str) -> Value {
    json!({ "verbs": verbs, "apiGroups": [group], "resources": [resource] })
}

fn action(verb: &str) -> Option<Action> {
    match verb {
        "deletecollection" => Some(Action::Delete),
        other => Action::ALL.into_iter().find(|action| action.as_str() == other),
    }
}

//! Admission: a cluster's API server asks, before it stores one of the kinds, whether it may
//! (`admission.k8s.io/v1`, <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>).
//!
//! What is asked is judged by the same rules as a write of the embedded server: the policy, the schema, the kind's own rules.
//! What is let through is in the audit log before the answer is given; if it cannot be written there, the answer is no.

mod caller;
mod record;
mod review;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use bedplate_db::Db;
use bedplate_kinds::registry::MoreRules;
use bedplate_policy::{Operation as HttpOperation, Policy, Resource as Subject};
use bedplate_types::Clock;
use http::{HeaderMap, header};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

pub use caller::Trusted;
use review::{Asked, Operation, Review};

use crate::body::media_type;
use crate::catalogue::Catalogue;
use crate::error::ApiError;
use crate::options::FieldValidation;
use crate::resource::{Resource, Rules};
use crate::{admit, meta, status};

/// An object may be 3 MiB large, and a review of a change carries two.
const LARGEST: usize = 8 * 1024 * 1024;
/// Reviews read and judged at once; what comes on top is told to come again.
const AT_ONCE: usize = 32;

/// What admission is made of. `db` must have been opened with the migrations of this crate and of `bedplate-audit`.
pub struct AdmissionOptions {
    pub db: Db,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
    pub trusted: Trusted,
    /// Rules of the kinds that this crate has no engine to judge.
    pub more_rules: Option<MoreRules>,
}

/// Judges reviews. Clones share one.
#[derive(Clone)]
pub struct Admission {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    policy: Policy,
    clock: Arc<dyn Clock>,
    trusted: Trusted,
    kinds: Catalogue,
    places: Semaphore,
}

impl Admission {
    /// # Errors
    /// When a kind's schema or columns cannot be understood.
    pub fn new(options: AdmissionOptions) -> Result<Self, ApiError> {
        let inner = Inner {
            db: options.db,
            policy: options.policy,
            clock: options.clock,
            trusted: options.trusted,
            kinds: Catalogue::of_kinds(options.more_rules)?,
            places: Semaphore::new(AT_ONCE),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// `POST /admit`. Who asks is not told apart: let only the cluster's API server reach it.
    pub fn router(&self) -> Router {
        let routes = table().into_iter();
        let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
        router.with_state(self.inner.clone())
    }

    /// Every operation of [`Admission::router`], and who may.
    #[must_use]
    pub fn operations() -> Vec<HttpOperation> {
        table().into_iter().map(|(operation, _)| operation).collect()
    }
}

fn table() -> Vec<(HttpOperation, MethodRouter<Arc<Inner>>)> {
    vec![(HttpOperation::open("POST", "/admit"), post(admit_one))]
}

async fn admit_one(State(admission): State<Arc<Inner>>, request: Request) -> Response {
    let Ok(_place) = admission.places.try_acquire() else { return ApiError::TooBusy.into_response() };
    let (parts, body) = request.into_parts();
    let review = match read(&parts.headers, body).await {
        Ok(review) => review,
        Err(error) => return error.into_response(),
    };
    let uid = review.request.uid.clone();
    let mut answer = match admission.judge(review.request).await {
        Ok(warnings) => leave(&warnings),
        Err(error) => refusal(&error),
    };
    answer["uid"] = uid.into();
    Json(json!({ "apiVersion": review::API_VERSION, "kind": review::KIND, "response": answer })).into_response()
}

/// Some clients want a status even of what is allowed.
fn leave(warnings: &[String]) -> Value {
    let mut answer = json!({ "allowed": true, "status": { "status": "Success", "code": 200 } });
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    answer
}

fn refusal(error: &ApiError) -> Value {
    let mut told = status::of(error);
    if let Some(fields) = told.as_object_mut() {
        ["kind", "apiVersion"].iter().for_each(|name| drop(fields.remove(*name)));
    }
    if told["code"].as_u64().is_some_and(|code| code >= 500) {
        tracing::error!(%error, "a review could not be judged");
    }
    json!({ "allowed": false, "status": told })
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Review, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type(content_type) != "application/json" {
        return Err(ApiError::UnsupportedMediaType { accepted: "application/json" });
    }
    let bytes = axum::body::to_bytes(body, LARGEST).await.map_err(|error| {
        let too_large =
            std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_large {
            ApiError::TooLarge { limit: LARGEST }
        } else {
            ApiError::BadRequest(format!("cannot read the body: {error}"))
        }
    })?;
    Review::parse(&bytes)
}

impl Inner {
    /// Warnings for whoever asked, when it may be stored.
    async fn judge(&self, asked: Asked) -> Result<Vec<String>, ApiError> {
        let Some(resource) = self.kinds.find(&asked.resource.group, &asked.resource.version, &asked.resource.resource)
        else {
            let group = &asked.resource.group;
            return Ok(vec![format!("bedplate has no rules for {} of group {group:?}", asked.resource.resource)]);
        };
        let principal = self.trusted.principal(&asked.user_info);
        let name = asked.name();
        let subject = Subject { namespace: asked.namespace(), kind: &resource.kind, name };
        let action = asked.operation.action();
        let decision = self.policy.decide(&principal.name, &principal.groups, action, &subject);
        if !decision.allowed {
            let (resource, name) = (resource.qualified(), name.unwrap_or_default().to_owned());
            tracing::info!(principal = %principal.name, %resource, %name, policies = ?decision.policies, why = decision.why(), "denied");
            return Err(ApiError::Forbidden { resource, name, why: decision.why().to_owned() });
        }
        let warnings = if asked.brings_something_new() { self.check(&resource, &asked)? } else { Vec::new() };
        if !asked.dry_run {
            record::write(&self.db, record::leaf(&resource, &asked, &principal.name, self.clock.now())).await?;
        }
        Ok(warnings)
    }

    /// The shape and the rules of the kind, as far as this part of the object goes.
    fn check(&self, resource: &Resource, asked: &Asked) -> Result<Vec<String>, ApiError> {
        let Rules::Kind(_) = resource.rules else { return Ok(Vec::new()) };
        let mut object = asked.object.clone();
        admit::envelope(resource, &mut object, asked.namespace(), asked.name())?;
        if meta::name(&object).is_empty() && meta::text(&object, "generateName").is_some() {
            // The cluster finishes the name; it is judged as far as it is known.
            let prefix = meta::text(&object, "generateName").unwrap_or_default();
            let name = format!("{prefix}x");
            meta::set(&mut object, "name", name);
        }
        let part = (asked.sub_resource.as_deref() == Some("status")).then_some("status");
        admit::shape(resource, &mut object, FieldValidation::Strict, part)
    }
}

impl Operation {
    const fn action(self) -> bedplate_policy::Action {
        match self {
            Self::Create => bedplate_policy::Action::Create,
            Self::Update => bedplate_policy::Action::Update,
            Self::Delete => bedplate_policy::Action::Delete,
        }
    }
}

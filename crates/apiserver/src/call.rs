//! One request for a resource: may it, and then do it.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bedplate_identity::Principal;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::guard::{Guard, Presented};
use crate::options::Query;
use crate::patch::Change;
use crate::propagation::Propagation;
use crate::read::{self, List, Listed};
use crate::represent::View;
use crate::resource::Resource;
use crate::server::Inner;
use crate::target::Target;
use crate::verb::Verb;
use crate::watch::{self, Watch, in_background};
use crate::write::{Effect, Write, Written};
use crate::{body, meta, status};

/// One authorised request.
pub struct Call<'a> {
    server: &'a Inner,
    resource: Arc<Resource>,
    target: Target,
    verb: Verb,
    query: Query,
    headers: HeaderMap,
    guard: Guard,
}

impl<'a> Call<'a> {
    pub fn read(
        server: &'a Inner,
        group: &str,
        version: &str,
        rest: &str,
        principal: Principal,
        request: &Request,
    ) -> Result<Self, ApiError> {
        let target = Target::parse(rest).ok_or(ApiError::NoSuchPath)?;
        let resource = server.catalogue.find(group, version, &target.plural).ok_or(ApiError::NoSuchPath)?;
        let query = Query::parse(request.uri().query());
        let verb = Verb::asked(&resource, &target, request.method(), query.flag("watch"))?;
        let guard = Guard {
            authenticator: server.authenticator.clone(),
            policy: server.policy.clone(),
            principal,
            presented: request.extensions().get::<Presented>().cloned(),
            resource: resource.clone(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            action: verb.action(),
        };
        // Asked before anything is looked up: a refusal says nothing of what exists.
        guard.decide()?;
        let call = Self { server, resource, target, verb, query, headers: request.headers().clone(), guard };
        if call.resource.is_read_only() && !matches!(verb, Verb::Get | Verb::List | Verb::Watch) {
            return Err(ApiError::ReadOnly { resource: call.resource.qualified() });
        }
        Ok(call)
    }

    pub async fn answer(self, body: Body) -> Result<Response, ApiError> {
        match self.verb {
            Verb::Get => self.get().await,
            Verb::List => self.list().await,
            Verb::Watch => self.watch(),
            Verb::Create => self.create(body).await,
            Verb::Update | Verb::Patch => self.change(body).await,
            Verb::Delete => self.delete(body).await,
            Verb::DeleteCollection => self.delete_collection(body).await,
        }
    }

    async fn get(&self) -> Result<Response, ApiError> {
        let (resource, namespace, name) = (self.resource.clone(), self.target.namespace.clone(), self.name());
        if self.view().is_whole() && self.resource.is_shown_as_stored() && !self.guard.sight().is_keen() {
            let read = move |tx: &mut dyn bedplate_db::Tx| read::text(tx, &resource, namespace.as_deref(), &name);
            return Ok(json_text(StatusCode::OK, in_background(&self.server.db, read).await?));
        }
        let read = move |tx: &mut dyn bedplate_db::Tx| read::get(tx, &resource, namespace.as_deref(), &name);
        let object = in_background(&self.server.db, read).await?;
        self.guard.sight().check(&self.resource, &object)?;
        Ok(self.shown(StatusCode::OK, object))
    }

    async fn list(&self) -> Result<Response, ApiError> {
        let list = List::read(&self.query, &self.resource, self.guard.sight())?;
        let (resource, namespace, view) = (self.resource.clone(), self.target.namespace.clone(), self.view());
        let read = move |tx: &mut dyn bedplate_db::Tx| match view.is_whole() {
            true => list.whole(tx, &resource, namespace.as_deref()),
            false => list.run(tx, &resource, namespace.as_deref()).map(Listed::Found),
        };
        Ok(match in_background(&self.server.db, read).await? {
            Listed::Found(found) => self.listed(found),
            Listed::Text(text) => json_text(StatusCode::OK, text),
        })
    }

    fn listed(&self, found: read::Found) -> Response {
        Json(self.view().list(&self.resource, found.items, found.metadata, self.server.clock.now())).into_response()
    }

    async fn found(&self) -> Result<read::Found, ApiError> {
        let list = List::read(&self.query, &self.resource, self.guard.sight())?;
        let (resource, namespace) = (self.resource.clone(), self.target.namespace.clone());
        in_background(&self.server.db, move |tx| list.run(tx, &resource, namespace.as_deref())).await
    }

    fn watch(&self) -> Result<Response, ApiError> {
        self.server.feed.tend(&self.server.db, &self.server.writes);
        let watch = Watch {
            db: self.server.db.clone(),
            clock: self.server.clock.clone(),
            closed: self.server.closed.subscribe(),
            changed: self.server.feed.wait_for(&self.resource.storage()),
            guard: self.guard.clone(),
            resource: self.resource.clone(),
            namespace: self.target.namespace.clone(),
            list: List::to_watch(&self.query, &self.resource, self.guard.sight())?,
            view: self.view(),
            feed: self.server.feed.clone(),
            options: watch::Options::read(&self.query)?,
        };
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache, private")];
        Ok((headers, Body::from_stream(watch.stream())).into_response())
    }

    async fn create(&self, body: Body) -> Result<Response, ApiError> {
        let object = body::object(self.content_type(), &body::read(body).await?)?;
        let write = self.write_of(String::new())?;
        let dry_run = self.query.dry_run()?;
        let written = self.server.write(dry_run, move |tx| write.create(tx, &object)).await?;
        Ok(self.written(written, dry_run))
    }

    async fn change(&self, body: Body) -> Result<Response, ApiError> {
        let bytes = body::read(body).await?;
        let change = match self.verb {
            Verb::Update => Change::Replace(body::object(self.content_type(), &bytes)?),
            _ => {
                let (status_only, force) = (self.target.subresource.is_some(), self.query.flag("force"));
                Change::read(self.content_type(), &bytes, &self.resource, status_only, force)?
            }
        };
        if change.creates() && self.query.text("fieldManager").is_none() {
            return Err(ApiError::BadRequest("fieldManager is required for apply patch".to_owned()));
        }
        let write = self.write_of(self.name())?;
        let dry_run = self.query.dry_run()?;
        let written = self.server.write(dry_run, move |tx| write.change(tx, &change)).await?;
        Ok(self.written(written, dry_run))
    }

    async fn delete(&self, body: Body) -> Result<Response, ApiError> {
        let options = self.delete_options(body).await?;
        let written = self.delete_one(self.name(), &options).await?;
        if written.effect == Effect::Deleting {
            return Ok(warned(self.shown(StatusCode::OK, written.object), &written.warnings));
        }
        let uid = meta::uid(&written.object);
        let told = Json(status::deleted(&self.resource.qualified(), &self.name(), uid)).into_response();
        Ok(warned(told, &written.warnings))
    }

    async fn delete_collection(&self, body: Body) -> Result<Response, ApiError> {
        let options = self.delete_options(body).await?;
        let found = self.found().await?;
        for object in &found.items {
            match self.delete_one(meta::name(object).to_owned(), &options).await {
                Ok(_) | Err(ApiError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.listed(found))
    }

    async fn delete_options(&self, body: Body) -> Result<Value, ApiError> {
        let bytes = body::read(body).await?;
        if bytes.is_empty() { Ok(json!({})) } else { body::object(self.content_type(), &bytes) }
    }

    async fn delete_one(&self, name: String, options: &Value) -> Result<Written, ApiError> {
        let write = self.write_of(name)?;
        let in_options = options["dryRun"].as_array().is_some_and(|kinds| !kinds.is_empty());
        // Preconditions name uid and resourceVersion as metadata does.
        let expected = json!({ "metadata": options["preconditions"] });
        let how = Propagation::read(options, &self.query)?;
        self.server.write(self.query.dry_run()? || in_options, move |tx| write.delete(tx, &expected, how)).await
    }

    fn write_of(&self, name: String) -> Result<Write, ApiError> {
        let user_agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Write {
            resource: self.resource.clone(),
            namespace: self.target.namespace.clone(),
            name,
            status_only: self.target.subresource.is_some(),
            actor: self.guard.principal.name.clone(),
            sight: Some(self.guard.sight()),
            manager: self.query.manager(user_agent),
            validation: self.query.field_validation()?,
            now: self.server.clock.now(),
            random: self.server.random(),
            kept: self.server.kept(),
            gate: self.server.gate(&self.guard.principal),
        })
    }

    fn written(&self, mut written: Written, dry_run: bool) -> Response {
        let created = written.effect == Effect::Created;
        if dry_run && created {
            meta::of_mut(&mut written.object).remove("resourceVersion");
        }
        let code = if created { StatusCode::CREATED } else { StatusCode::OK };
        let answer = match written.text {
            Some(text) if self.view().is_whole() && !dry_run => json_text(code, text),
            _ => self.shown(code, written.object),
        };
        warned(answer, &written.warnings)
    }

    fn shown(&self, code: StatusCode, object: Value) -> Response {
        (code, Json(self.view().object(&self.resource, object, self.server.clock.now()))).into_response()
    }

    fn view(&self) -> View {
        let accept = self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        View::new(accept, self.query.text("includeObject"))
    }

    fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn name(&self) -> String {
        self.target.name.clone().unwrap_or_default()
    }
}

/// An object, or a list of them, that is JSON already.
fn json_text(code: StatusCode, text: String) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// With a header for every warning (RFC 7234).
fn warned(mut response: Response, warnings: &[String]) -> Response {
    for warning in warnings {
        let told = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{told}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

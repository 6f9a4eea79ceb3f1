//! The routes, with a real token store and policy and a predictor that adds.

mod fake;
mod infer;
mod infer_binary;
mod metadata;
mod rights;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bedplate_db::Db;
use bedplate_identity::{Authenticator, IdentityError, NewToken, Principal};
use bedplate_oip::router;
use bedplate_policy::{Grant, Policy, PolicyError, Role};
use bedplate_types::{FixedClock, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use fake::Adder;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000_000);

/// A server with the tokens of an editor of namespace `flights`, a viewer of it, and a stranger.
struct Server {
    router: Router,
    editor: String,
    viewer: String,
    stranger: String,
    _home: TempDir,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{:?}", String::from_utf8_lossy(&self.body)))
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().expect("the protocol's error shape").to_owned()
    }
}

impl Server {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let migrations = [bedplate_identity::MIGRATIONS, bedplate_policy::MIGRATIONS].concat();
        let db = Db::open(&home.path().join("bedplate.db"), &migrations).unwrap();
        grant(&db, "user:editor", Role::Editor);
        grant(&db, "user:viewer", Role::Viewer);
        let tokens =
            [("user:editor", 1), ("user:viewer", 2), ("user:stranger", 3)].map(|(name, seed)| token(&db, name, seed));
        let [editor, viewer, stranger] = tokens;
        let authenticator = Authenticator::new(db.clone(), Arc::new(FixedClock(NOW)));
        let router = router(Arc::new(Adder), authenticator, Policy::load(db).unwrap());
        Self { router, editor, viewer, stranger, _home: home }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(authorised(Request::get(path), token).body(Body::empty()).unwrap()).await
    }

    /// As the editor, to the endpoint that adds.
    async fn infer(&self, body: impl Into<Body>) -> Reply {
        let request = authorised(Request::post("/v2/models/flights.sum/infer"), &self.editor);
        self.send(request.body(body.into()).unwrap()).await
    }
}

fn authorised(request: axum::http::request::Builder, token: &str) -> axum::http::request::Builder {
    request.header("authorization", format!("Bearer {token}"))
}

fn grant(db: &Db, principal: &'static str, role: Role) {
    db.write(move |tx| bedplate_policy::grant(tx, &Grant::new(principal, "flights", role)))
        .unwrap_or_else(|error: PolicyError| panic!("{error}"));
}

fn token(db: &Db, name: &str, seed: u8) -> String {
    let new = NewToken::new(Principal::new(name), "");
    db.write(move |tx| bedplate_identity::issue(tx, &new, NOW, [seed; 32]))
        .unwrap_or_else(|error: IdentityError| panic!("{error}"))
}

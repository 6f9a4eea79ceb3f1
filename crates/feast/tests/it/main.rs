//! The routes, with a real token store and policy and a store that remembers what it was given.

mod fake;
mod materialize;
mod push;
mod read;
mod rights;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bedplate_db::Db;
use bedplate_feast::router;
use bedplate_identity::{Authenticator, IdentityError, NewToken, Principal};
use bedplate_policy::{Grant, Policy, PolicyError, Role};
use bedplate_types::{FixedClock, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use fake::Memory;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000_000);

/// A server with the tokens of an editor of namespace `flights`, a viewer of it, and a stranger.
struct Server {
    router: Router,
    store: Arc<Memory>,
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

    /// Class and message of a Feast exception: a JSON string within which is JSON.
    fn exception(&self) -> (String, String) {
        let detail: Value = serde_json::from_str(self.json().as_str().expect("a JSON string")).unwrap();
        assert_eq!(detail["module"], "feast.errors");
        (detail["class"].as_str().unwrap().to_owned(), detail["message"].as_str().unwrap().to_owned())
    }

    /// The field and message of FastAPI's 422.
    fn unprocessable(&self) -> (String, String) {
        assert_eq!(self.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", String::from_utf8_lossy(&self.body));
        let detail = self.json()["detail"][0].clone();
        assert_eq!(detail["loc"][0], "body");
        (detail["loc"][1].as_str().unwrap().to_owned(), detail["msg"].as_str().unwrap().to_owned())
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
        let store = Arc::new(Memory::default());
        let router = router(store.clone(), authenticator, Policy::load(db).unwrap());
        Self { router, store, editor, viewer, stranger, _home: home }
    }

    async fn post(&self, path: &str, token: &str, body: impl Into<Body>) -> Reply {
        self.post_with(path, token, &[], body).await
    }

    async fn post_with(&self, path: &str, token: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::post(path).header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("x-bedplate-namespace", "flights").body(body.into()).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }
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

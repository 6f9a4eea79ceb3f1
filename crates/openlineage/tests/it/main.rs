//! The routes, with a real store, tokens, policy and audit log.

mod client;
mod columns;
mod export;
mod graph;
mod ingest;
mod order;
mod read;
mod rights;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use bedplate_db::Db;
use bedplate_identity::{Authenticator, IdentityError, NewToken, Principal};
use bedplate_policy::{Grant, Policy, PolicyError, Role};
use bedplate_types::{FixedClock, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// A server with the tokens of an administrator, an editor of namespace `flights`, a viewer of it, and a stranger.
struct Server {
    router: Router,
    db: Db,
    admin: String,
    editor: String,
    viewer: String,
    stranger: String,
    _home: TempDir,
}

struct Reply {
    status: StatusCode,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{:?}", self.text))
    }

    /// The field and message of a refusal.
    fn refusal(&self) -> (u16, String, String) {
        let told = self.json();
        assert_eq!(told["code"], self.status.as_u16());
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("field"), text("message"))
    }
}

impl Server {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let migrations = [
            bedplate_identity::MIGRATIONS,
            bedplate_policy::MIGRATIONS,
            bedplate_audit::MIGRATIONS,
            bedplate_lineage::MIGRATIONS,
            bedplate_openlineage::MIGRATIONS,
        ]
        .concat();
        let db = match bedplate_testkit::postgres_database() {
            Some(url) => Db::connect(&url, &migrations).unwrap(),
            None => Db::open(&home.path().join("bedplate.db"), &migrations).unwrap(),
        };
        grant(&db, "user:admin", "*", Role::Owner);
        grant(&db, "user:editor", "flights", Role::Editor);
        grant(&db, "user:viewer", "flights", Role::Viewer);
        let names = [("user:admin", 1), ("user:editor", 2), ("user:viewer", 3), ("user:stranger", 4)];
        let [admin, editor, viewer, stranger] = names.map(|(name, seed)| token(&db, name, seed));
        let clock = Arc::new(FixedClock(NOW));
        let authenticator = Authenticator::new(db.clone(), clock.clone());
        let policy = Policy::load(db.clone()).unwrap();
        let router = bedplate_openlineage::router(db.clone(), authenticator, policy, clock);
        Self { router, db, admin, editor, viewer, stranger, _home: home }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, text: String::from_utf8(body).unwrap() }
    }

    async fn post(&self, token: &str, path: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Tells events as the administrator; each is taken.
    async fn tell(&self, events: &[Value]) {
        for event in events {
            let reply = self.post(&self.admin, "/api/v1/lineage", event.to_string()).await;
            assert_eq!((reply.status, reply.text.as_str()), (StatusCode::CREATED, ""));
        }
    }

    async fn get_as(&self, token: &str, path: &str) -> Reply {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// What the administrator reads.
    async fn get(&self, path: &str) -> Value {
        let reply = self.get_as(&self.admin, path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        reply.json()
    }

    fn leaves(&self) -> Vec<bedplate_audit::Entry> {
        let entries = self.db.read(|tx| bedplate_audit::entries(tx, 0, 1000)).unwrap();
        entries.into_iter().map(|(_, entry)| entry).collect()
    }
}

fn grant(db: &Db, principal: &'static str, namespace: &'static str, role: Role) {
    db.write(move |tx| bedplate_policy::grant(tx, &Grant::new(principal, namespace, role)))
        .unwrap_or_else(|error: PolicyError| panic!("{error}"));
}

fn token(db: &Db, name: &str, seed: u8) -> String {
    let new = NewToken::new(Principal::new(name), "");
    db.write(move |tx| bedplate_identity::issue(tx, &new, NOW, [seed; 32]))
        .unwrap_or_else(|error: IdentityError| panic!("{error}"))
}

/// The id of the n-th run.
fn run(n: u32) -> String {
    format!("0192f2e4-7a5b-7000-8000-{n:012}")
}

fn at(second: u32) -> String {
    format!("2024-05-01T10:00:{second:02}Z")
}

fn dataset(namespace: &str, name: &str) -> Value {
    json!({ "namespace": namespace, "name": name })
}

/// A run event of job `flights/<job>`.
fn event(kind: &str, second: u32, id: u32, job: &str, inputs: &[Value], outputs: &[Value]) -> Value {
    json!({
        "eventType": kind, "eventTime": at(second), "producer": "https://test.example/1",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": { "runId": run(id) }, "job": { "namespace": "flights", "name": job },
        "inputs": inputs, "outputs": outputs,
    })
}

fn with_schema(mut dataset: Value, fields: &[(&str, &str)]) -> Value {
    let fields: Vec<Value> = fields.iter().map(|(name, of)| json!({ "name": name, "type": of })).collect();
    dataset["facets"]["schema"] = json!({ "_producer": "urn:t", "_schemaURL": "urn:s", "fields": fields });
    dataset
}

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres"]);
}

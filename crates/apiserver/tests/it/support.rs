//! A server on a database of its own, and one way to call it.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bedplate_apiserver::{ApiServer, Governance, Options};
use bedplate_db::{Db, Migration};
use bedplate_identity::{Authenticator, NewToken, Principal};
use bedplate_kinds::FieldError;
use bedplate_policy::{Grant, Policy, Role};
use bedplate_types::{Clock, SystemClock};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

pub const DATASETS: &str = "/apis/bedplate.dev/v1alpha1/namespaces/default/datasets";
pub const SECRETS: &str = "/api/v1/namespaces/default/secrets";
pub const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
pub const NAMESPACES: &str = "/api/v1/namespaces";

/// A rule of an engine that is not here.
pub fn more_rules(kind: &str, spec: &Value) -> Vec<FieldError> {
    let is_broken = kind == "Dataset" && spec["description"] == "breaks the engine's rule";
    if is_broken { vec![FieldError::new("spec.description", "is not what the engine wants")] } else { Vec::new() }
}

pub struct House {
    pub db: Db,
    pub server: ApiServer,
    pub admin: Router,
    policy: Policy,
    folder: Arc<tempfile::TempDir>,
}

impl House {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = match bedplate_testkit::postgres_database() {
            Some(url) => Db::connect(&url, &migrations()).unwrap(),
            None => Db::open(&folder.path().join("test.db"), &migrations()).unwrap(),
        };
        Self::open(db, folder, None)
    }

    /// One with somebody who governs.
    pub fn governed(governance: Arc<dyn Governance>) -> Self {
        let house = Self::new();
        Self::open(house.db.clone(), house.folder.clone(), Some(governance))
    }

    /// On the SQLite database at `path`.
    pub fn at(path: &Path) -> Self {
        Self::open(Db::open(path, &migrations()).unwrap(), tempfile::tempdir().unwrap(), None)
    }

    /// The same database, with a server that was started anew.
    pub fn reopened(&self) -> Self {
        Self::open(self.db.clone(), self.folder.clone(), None)
    }

    fn open(db: Db, folder: impl Into<Arc<tempfile::TempDir>>, governance: Option<Arc<dyn Governance>>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let policy = Policy::load(db.clone()).unwrap();
        let authenticator = Authenticator::new(db.clone(), clock.clone());
        let server = ApiServer::open(Options {
            db: db.clone(),
            policy: policy.clone(),
            authenticator,
            clock,
            secrets_key: [3; 32],
            seed,
            governance,
            more_rules: Some(more_rules),
        })
        .unwrap();
        let admin = server.in_process(admin());
        Self { db, server, admin, policy, folder: folder.into() }
    }

    /// A router for somebody with this role in the namespace.
    pub fn somebody(&self, name: &str, namespace: &str, role: Role) -> Router {
        let grant = Grant { principal: name.into(), namespace: namespace.into(), role };
        self.db.write(move |tx| bedplate_policy::grant(tx, &grant)).unwrap();
        self.policy.reload().unwrap();
        self.server.in_process(Principal::new(name))
    }

    pub fn policy(&self) -> Policy {
        self.policy.clone()
    }

    pub fn token(&self, principal: Principal) -> String {
        let token = NewToken::new(principal, "test");
        let random = [seed(), seed()].concat().try_into().unwrap();
        self.db.write(move |tx| bedplate_identity::issue(tx, &token, SystemClock.now(), random)).unwrap()
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        call(&self.admin, "GET", path, &Value::Null).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        call(&self.admin, "POST", path, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        call(&self.admin, "PUT", path, body).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        call(&self.admin, "DELETE", path, &Value::Null).await
    }

    pub async fn merge(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        send(&self.admin, "PATCH", path, &[("content-type", "application/merge-patch+json")], body).await
    }

    pub async fn apply(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        send(&self.admin, "PATCH", path, &[("content-type", "application/apply-patch+yaml")], body).await
    }

    /// Creates, and fails the test when that fails.
    pub async fn made(&self, path: &str, body: &Value) -> Value {
        let (code, made) = self.post(path, body).await;
        assert_eq!(code, StatusCode::CREATED, "{made}");
        made
    }
}

/// A house that answers on a socket.
pub struct Served {
    pub house: House,
    /// `127.0.0.1:41234`
    pub address: String,
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    pub fn new() -> Self {
        let house = House::new();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = house.server.router();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { house, address, _runtime: runtime }
    }
}

pub fn migrations() -> Vec<Migration> {
    [
        bedplate_audit::MIGRATIONS,
        bedplate_identity::MIGRATIONS,
        bedplate_policy::MIGRATIONS,
        bedplate_ledger::MIGRATIONS,
        bedplate_lineage::MIGRATIONS,
        bedplate_apiserver::MIGRATIONS,
    ]
    .concat()
}

pub fn admin() -> Principal {
    Principal { name: "user:admin".into(), groups: vec!["system:masters".into()] }
}

pub fn seed() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

pub async fn call(router: &Router, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    send(router, method, path, &[("content-type", "application/json")], body).await
}

pub async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> (StatusCode, Value) {
    let response = raw(router, method, path, headers, body).await;
    let code = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (code, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

pub async fn raw(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> axum::response::Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    router.clone().oneshot(request.body(body).unwrap()).await.unwrap()
}

pub fn dataset(name: &str) -> Value {
    json!({
        "apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "metadata": { "name": name },
        "spec": {
            "owner": "team-a", "source": { "path": "flights.parquet" },
            "schema": [{ "name": "id", "type": "int64" }],
        },
    })
}

pub fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "k": "v" } })
}

pub fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

//! A server with a planner, and people who ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bedplate_apiserver::{ApiServer, Options};
use bedplate_db::Db;
use bedplate_fabric::Prices;
use bedplate_identity::{Authenticator, NewToken, Principal};
use bedplate_kinds::SiteCapacity;
use bedplate_plan::{Asked, Governor, Ledger, Manifest, Plan, Planner, Saved, Scenario, Step};
use bedplate_policy::{Grant, Policy, Role};
use bedplate_types::{Clock, Money, Timestamp};
use http::{Request, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt;

/// A clock that tests turn.
pub struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

pub struct House {
    pub planner: Planner,
    pub server: ApiServer,
    pub policy: Policy,
    pub db: Db,
    pub routes: Router,
    pub hands: Arc<Hands>,
    spent: Arc<Mutex<BTreeMap<String, Money>>>,
    _folder: tempfile::TempDir,
}

pub const HOUR: i64 = 3_600_000_000;

impl House {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let migrations = [
            bedplate_audit::MIGRATIONS,
            bedplate_identity::MIGRATIONS,
            bedplate_policy::MIGRATIONS,
            bedplate_ledger::MIGRATIONS,
            bedplate_lineage::MIGRATIONS,
            bedplate_apiserver::MIGRATIONS,
        ]
        .concat();
        let db = Db::open(&folder.path().join("test.db"), &migrations).unwrap();
        let hands = Arc::new(Hands(Mutex::new("2026-11-16T00:00:00Z".parse().unwrap())));
        let clock: Arc<dyn Clock> = hands.clone();
        let policy = Policy::load(db.clone()).unwrap();
        let governor = Arc::new(Governor::new([7; 32]));
        let authenticator = Authenticator::new(db.clone(), clock.clone());
        let server = ApiServer::open(Options {
            db: db.clone(),
            policy: policy.clone(),
            authenticator: authenticator.clone(),
            clock: clock.clone(),
            secrets_key: [3; 32],
            seed,
            governance: Some(governor.clone()),
            more_rules: None,
        })
        .unwrap();
        let machine = SiteCapacity { milli_cpu: 4_000, memory_mib: 16_384, ..SiteCapacity::default() };
        let spent: Arc<Mutex<BTreeMap<String, Money>>> = Arc::default();
        let kept = spent.clone();
        let ledger = Ledger {
            prices: Arc::new(|_| Ok(prices())),
            spent: Arc::new(move |namespace, _| Ok(kept.lock().get(namespace).copied().unwrap_or_default())),
        };
        let planner = Planner { server: server.clone(), governor, ledger, machine, clock };
        let routes = server.router().merge(bedplate_plan::router(planner.clone(), authenticator));
        let house = Self { planner, server, policy, db, routes, hands, spent, _folder: folder };
        house.grant("group:system:masters", "*", Role::Owner);
        house
    }

    pub fn grant(&self, principal: &str, namespace: &str, role: Role) {
        let grant = Grant::new(principal, namespace, role);
        self.db.write(move |tx| bedplate_policy::grant(tx, &grant)).unwrap();
        self.policy.reload().unwrap();
    }

    pub fn later(&self, hours: i64) {
        let mut now = self.hands.0.lock();
        *now = Timestamp::from_micros(now.micros() + hours * HOUR);
    }

    pub fn spend(&self, namespace: &str, micros: i64) {
        self.spent.lock().insert(namespace.to_owned(), Money(micros));
    }

    pub async fn plan(&self, who: &Principal, objects: &[Value]) -> Plan {
        self.planner.plan(who, &asked(objects), &Scenario::default()).await.unwrap()
    }

    pub async fn saved(&self, who: &Principal, objects: &[Value]) -> Saved {
        Saved { plan: self.plan(who, objects).await, asked: asked(objects) }
    }

    /// Plans and applies as the administrator.
    pub async fn made(&self, objects: &[Value]) {
        let saved = self.saved(&admin(), objects).await;
        self.planner.apply(&admin(), &saved).await.unwrap();
    }

    /// What any client of Kubernetes' API would send.
    pub async fn call(&self, who: &Principal, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        answer(self.server.in_process(who.clone()), request.body(body).unwrap()).await
    }

    /// The same over the network's routes, with a token.
    pub async fn ask(&self, who: &Principal, path: &str, body: &Value) -> (StatusCode, Value) {
        let token = NewToken::new(who.clone(), "test");
        let (random, now) = ([seed(), seed()].concat().try_into().unwrap(), self.hands.now());
        let token = self.db.write(move |tx| bedplate_identity::issue(tx, &token, now, random)).unwrap();
        let request = Request::builder().method("POST").uri(path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {token}"));
        answer(self.routes.clone(), request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call(&admin(), "GET", path, &Value::Null).await.1
    }
}

async fn answer(router: Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.oneshot(request).await.unwrap();
    let code = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (code, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

pub fn asked(objects: &[Value]) -> Asked {
    let manifest =
        |(at, object): (usize, &Value)| Manifest { object: object.clone(), source: format!("test.yaml:{at}") };
    Asked { manifests: objects.iter().enumerate().map(manifest).collect(), namespace: "default".into(), prune: None }
}

pub fn prices() -> Prices {
    let units = [("cpu_seconds", 14), ("memory_gigabyte_seconds", 1), ("storage_gigabyte_hours", 30)];
    Prices { currency: "EUR".into(), units: units.map(|(name, price)| (name.to_owned(), Money(price))).into() }
}

pub fn admin() -> Principal {
    Principal { name: "user:admin".into(), groups: vec!["system:masters".into()] }
}

pub fn person(name: &str, groups: &[&str]) -> Principal {
    Principal { name: format!("user:{name}"), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
}

fn seed() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

pub const API: &str = "/apis/bedplate.dev/v1alpha1/namespaces";

pub fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": kind,
        "metadata": { "name": name, "namespace": namespace }, "spec": spec })
}

pub fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

pub fn endpoint(namespace: &str, name: &str, model: &str) -> Value {
    let capacity = json!({ "milliCpu": 500, "memoryMib": 256, "requestsPerSecond": 100 });
    object("Endpoint", namespace, name, json!({ "model": model, "capacity": capacity }))
}

pub fn dataset(namespace: &str, name: &str, owner: &str) -> Value {
    let spec = json!({ "owner": owner, "source": { "path": "x.parquet" },
        "schema": [{ "name": "id", "type": "int64" }, { "name": "at", "type": "timestamp" }] });
    object("Dataset", namespace, name, spec)
}

pub fn site(name: &str, spec: Value) -> Value {
    let mut whole = json!({ "provider": "test", "capacity": { "milliCpu": 8000, "memoryMib": 16384 } });
    for (field, value) in spec.as_object().unwrap() {
        whole[field.as_str()] = value.clone();
    }
    object("Site", "bedplate-system", name, whole)
}

#[track_caller]
pub fn step<'a>(plan: &'a Plan, object: &str) -> &'a Step {
    plan.steps.iter().find(|step| step.object() == object).unwrap_or_else(|| panic!("{object} is not in {plan:?}"))
}

pub fn paths(step: &Step) -> Vec<&str> {
    step.diff.iter().map(|field| field.change.path.as_str()).collect()
}

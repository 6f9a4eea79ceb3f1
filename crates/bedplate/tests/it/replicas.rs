//! Two processes on one PostgreSQL: what one writes counts on the other, one of them leads, and a leader that is killed or
//! stopped is replaced and does nothing more.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bedplate_testkit::{Postgres, Server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::http::Api;
use crate::run::{PORTS, bedplate, said, started};
use crate::small;

const PATIENCE: Duration = Duration::from_secs(120);
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/bedplate-system/leases/controllers";
const SECRET: &str = "/api/v1/namespaces/default/secrets";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A replica, until it is dropped.
pub fn up(url: &str, home: &Path, more: &[&str]) -> Server {
    let mut command = bedplate(home, &[&["up"], PORTS.as_slice(), more].concat());
    started(command.env("BEDPLATE_DATABASE", url))
}

/// Two replicas with homes of their own, and keys and tables that they share.
struct Pair {
    folder: tempfile::TempDir,
    url: String,
    server: &'static Postgres,
    a: Option<Server>,
    b: Option<Server>,
}

impl Pair {
    fn start(what: &str) -> Option<Self> {
        let server = Postgres::shared(what)?;
        let folder = tempfile::tempdir().unwrap();
        small::write(&folder.path().join("use-case"));
        let mut pair = Self { folder, url: server.database(), server, a: None, b: None };
        pair.a = Some(pair.up("a"));
        assert!(until(PATIENCE, || pair.holder("a").is_some()), "nobody leads");
        pair.b = Some(pair.up("b"));
        Some(pair)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn up(&self, home: &str) -> Server {
        let (keys, data, source) = (self.path("keys"), self.path("data"), self.path("use-case"));
        up(&self.url, &self.folder.path().join(home), &["--keys", &keys, "--data", &data, "--source-root", &source])
    }

    fn api(&self, home: &str) -> Api {
        Api::of(&self.folder.path().join(home), &self.folder.path().join("keys"))
    }

    fn holder(&self, home: &str) -> Option<String> {
        let (code, lease) = self.api(home).try_ask("GET", LEASE, &Value::Null)?;
        lease["spec"]["holderIdentity"].as_str().filter(|_| code == 200).map(str::to_owned)
    }

    fn leads(&self, home: &str, server: &Server) -> bool {
        self.holder(home).is_some_and(|holder| holder.contains(&format!("_{}_", server.pid())))
    }

    /// Declares the small use case through a replica.
    fn apply(&self, home: &str) {
        let home = self.folder.path().join(home);
        let told = said(&mut bedplate(&home, &["apply", "-f", &self.path("use-case")]));
        assert_eq!(told.code, Some(0), "{}", told.err);
    }

    /// What statuses tell: of every action but one by the phase, that a view was compared by what that came to.
    fn standing(&self, home: &str) -> Standing {
        let ready = self.phases(home).into_iter().filter(|(_, phase)| phase == "Ready").map(|(name, _)| name).collect();
        let views = self.api(home).get("/apis/bedplate.dev/v1alpha1/featureviews");
        let views = views["items"].as_array().unwrap().iter().filter(|view| !view["status"]["parity"].is_null());
        Standing { ready, verified: views.map(|view| named("featureviews", view)).collect() }
    }

    /// The phase of everything that was declared, by its kind and name.
    fn phases(&self, home: &str) -> BTreeMap<String, String> {
        let api = self.api(home);
        let mut phases = BTreeMap::new();
        for kind in [
            "datasets",
            "entities",
            "featureviews",
            "featureservices",
            "trainingrecipes",
            "workloads",
            "endpoints",
            "monitors",
        ] {
            for object in api.get(&format!("/apis/bedplate.dev/v1alpha1/{kind}"))["items"].as_array().unwrap() {
                phases.insert(named(kind, object), text(object, "/status/phase").to_owned());
            }
        }
        phases
    }

    fn is_settled(&self, home: &str) -> bool {
        let phases = self.phases(home);
        assert!(phases.values().all(|phase| phase != "Failed"), "{phases:?}");
        phases.len() >= 15 && phases.values().all(|phase| phase == "Ready" || phase == "Succeeded")
    }

    /// How often each thing the controllers did was told: action, object.
    fn told(&self, home: &str) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::new();
        for entry in self.api(home).log() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            let ours = ["create", "update", "patch", "delete"];
            if text("actor") == "system:controllers" && !ours.contains(&text("action").as_str()) {
                *counts.entry((text("action"), text("object"))).or_default() += 1;
            }
        }
        counts
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// `featureviews/flights/weather`
fn named(kind: &str, object: &Value) -> String {
    format!("{kind}/{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"))
}

struct Standing {
    ready: Vec<String>,
    verified: Vec<String>,
}

impl Standing {
    /// Whether a status told that it was done.
    fn tells(&self, action: &str, object: &String) -> bool {
        if action == "verify" { self.verified.contains(object) } else { self.ready.contains(object) }
    }
}

fn until(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "k": "v" } })
}

#[test]
fn what_is_written_on_one_counts_on_the_other() {
    let Some(pair) = Pair::start("two replicas on one PostgreSQL") else { return };
    let (a, b) = (pair.api("a"), pair.api("b"));

    // A watch.
    let version = b.get(CONFIG_MAPS)["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let mut lines = b.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=30"));
    // How soon it comes is measured by `cargo xtask bench replicas`, not here.
    for n in 0..20 {
        let name = format!("seen-{n}");
        assert_eq!(a.ask("POST", CONFIG_MAPS, &config_map(&name)).0, 201);
        let found = lines.by_ref().find(|line| line.contains(&format!("\"{name}\"")));
        assert!(found.is_some(), "the watch ended without {name}");
    }

    // A right, given and taken.
    let home = pair.folder.path().join("a");
    let made = said(&mut bedplate(&home, &["token", "create", "vera", "--expires", "1h"]));
    let token = made.out.lines().find(|line| line.starts_with("bp_")).unwrap_or_else(|| panic!("{made:?}")).to_owned();
    let vera = b.with_token(&token);
    assert_eq!(vera.ask("GET", CONFIG_MAPS, &Value::Null).0, 403);
    let binding = json!({
        "apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding", "metadata": { "name": "vera" },
        "spec": { "role": "viewer", "subjects": [{ "kind": "User", "name": "vera" }] },
    });
    let bindings = "/apis/bedplate.dev/v1alpha1/namespaces/default/rolebindings";
    let (code, answer) = a.ask("POST", bindings, &binding);
    assert_eq!(code, 201, "{answer}");
    assert!(until(PATIENCE, || vera.ask("GET", CONFIG_MAPS, &Value::Null).0 == 200), "the binding has no effect");
    a.ask("DELETE", &format!("{bindings}/vera"), &Value::Null);
    assert!(until(PATIENCE, || vera.ask("GET", CONFIG_MAPS, &Value::Null).0 == 403), "the binding still has effect");

    // A token, ended.
    let listed = said(&mut bedplate(&home, &["token", "list", "-o", "json"]));
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let mine =
        listed["tokens"].as_array().unwrap().iter().find(|token| token.to_string().contains("user:vera")).unwrap();
    assert_eq!(vera.ask("GET", CONFIG_MAPS, &Value::Null).0, 403, "it is known, and remembered");
    let ended = said(&mut bedplate(&home, &["token", "revoke", mine["id"].as_str().unwrap()]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(until(PATIENCE, || vera.ask("GET", CONFIG_MAPS, &Value::Null).0 == 401), "the token is still believed");

    // A Secret, sealed by one and opened by the other.
    let secret =
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "stringData": { "k": "v" } });
    assert_eq!(a.ask("POST", SECRET, &secret).0, 201);
    assert_eq!(b.get(&format!("{SECRET}/s"))["data"]["k"], "dg==");

    // Rows pushed to the one that does not lead would be seen by no prediction: it says so.
    let (code, told) = b.ask("POST", "/push", &json!({ "push_source_name": "x", "df": { "a": [1] }, "to": "online" }));
    assert!(code == 503 && told.to_string().contains("does not lead"), "{code} {told}");
}

#[test]
fn a_killed_leader_is_replaced_and_nothing_that_was_told_is_done_again() {
    let Some(mut pair) = Pair::start("a killed leader") else { return };
    let leader = pair.a.take().unwrap();
    assert!(pair.leads("a", &leader));
    pair.apply("b");
    // At work: some of it is told, some is not.
    let ready = |pair: &Pair| pair.phases("b").values().filter(|phase| *phase == "Ready").count();
    assert!(until(PATIENCE, || ready(&pair) >= 4), "{:?}", pair.phases("b"));
    leader.kill().unwrap();
    let killed = Instant::now();
    let done = pair.standing("b");
    assert!(until(PATIENCE, || pair.leads("b", pair.b.as_ref().unwrap())), "nobody took over");
    println!("taken over {:?} after the kill, with {} objects ready", killed.elapsed(), done.ready.len());
    assert!(until(PATIENCE, || pair.is_settled("b")), "{:?}", pair.phases("b"));
    for ((action, object), times) in pair.told("b") {
        // Each replica has an online store of its own, and loads it.
        // What was not told in a status when the leader died may have been told in the log.
        let most = if action == "materialize" || !done.tells(&action, &object) { 2 } else { 1 };
        assert!(times <= most, "{action} {object} was told {times} times");
    }
    let paid = pair.server.sql(&pair.url, "SELECT COUNT(*) FROM ledger_usage WHERE id LIKE 'ingested:%'");
    assert_eq!(paid.trim(), "5", "every dataset is paid for once");
    let verified = said(&mut bedplate(&pair.folder.path().join("b"), &["audit", "verify"]));
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn a_leader_that_was_stopped_past_its_lease_changes_nothing_when_it_wakes() {
    let Some(pair) = Pair::start("a stopped leader") else { return };
    let (a, b) = (pair.a.as_ref().unwrap(), pair.b.as_ref().unwrap());
    assert!(pair.leads("b", a));
    pair.apply("b");
    let lake = pair.folder.path().join("data").join("lake");
    assert!(until(PATIENCE, || crate::kill::files(&lake, "00000000000000000000.json") >= 1), "no table was written");
    let (mut stopped, mut said, mut done, mut told_before) = (Instant::now(), 0, None, BTreeMap::new());
    // Small work in numbers, so that it is stopped in the middle of some, and more waits for it when it wakes.
    let entities = "/apis/bedplate.dev/v1alpha1/namespaces/default/entities";
    for n in 0..105 {
        let keys = json!([{ "name": "id", "type": "string" }]);
        let entity = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Entity",
            "metadata": { "name": format!("e{n}") }, "spec": { "joinKeys": keys } });
        let (code, told) = pair.api("b").ask("POST", entities, &entity);
        assert_eq!(code, 201, "{told}");
        if n == 100 {
            assert!(pair.leads("b", a), "it lost the lease before it was stopped: {}", a.said());
            said = a.said().len();
            signal(a, Signal::STOP);
            stopped = Instant::now();
            done = Some(pair.standing("b"));
            told_before = pair.told("b");
        }
    }
    println!("{:?} after the stop four more objects were written", stopped.elapsed());
    assert!(until(PATIENCE, || pair.leads("b", b)), "nobody took over: {}", b.said());
    println!("taken over {:?} after the leader was stopped", stopped.elapsed());
    assert!(until(PATIENCE, || pair.is_settled("b")), "{:?}", pair.phases("b"));
    // The new leader loads its own online store behind what is settled; everything else is told once.
    let told = || -> BTreeMap<_, _> {
        pair.told("b").into_iter().filter(|((action, _), _)| action != "materialize").collect()
    };
    let before = (told(), pair.phases("b"));
    signal(a, Signal::CONT);
    let woken = Instant::now();
    // It had work under way, whose outcome it may not tell; it sees that another leads, and follows.
    assert!(until(PATIENCE, || a.said()[said..].contains("no longer leads")), "{}", a.said());
    println!("the old leader gave up {:?} after it woke", woken.elapsed());
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((told(), pair.phases("b")), before, "the old leader acted");
    for (one, times) in &before.0 {
        // As when it is killed: told in the log by the one, who was stopped before it was told in a status.
        let was_told = done.as_ref().is_some_and(|done| done.tells(&one.0, &one.1));
        let most = if told_before.contains_key(one) && !was_told { 2 } else { 1 };
        assert!(*times <= most, "{one:?} was told {times} times: {:?}", before.0);
    }
    assert!(pair.told("b").values().all(|times| *times <= 2), "a view is loaded once by each");
    assert!(pair.leads("a", b), "both say the same");
    assert!(a.said()[said..].contains("another replica leads"), "nothing it did was refused: {}", a.said());
}

#[test]
fn a_leader_that_ends_lets_go_at_once() {
    let Some(mut pair) = Pair::start("a leader that ends") else { return };
    let leader = pair.a.take().unwrap();
    assert!(leader.stop(Duration::from_secs(20)).unwrap().success());
    let ended = Instant::now();
    assert!(until(Duration::from_secs(4), || pair.leads("b", pair.b.as_ref().unwrap())), "it was not let go of");
    println!("taken over {:?} after the leader ended", ended.elapsed());
    let lease = pair.api("b").get(LEASE);
    assert_eq!(lease["spec"]["leaseTransitions"], 1, "{lease}");
    // Who took the lease is in the audit log, and that it was held on to is not.
    let looks = pair.server.sql(&pair.url, "SELECT COUNT(*) FROM api_changes WHERE resource LIKE 'leases%'");
    std::thread::sleep(Duration::from_secs(5));
    let later = pair.server.sql(&pair.url, "SELECT COUNT(*) FROM api_changes WHERE resource LIKE 'leases%'");
    assert!(later.trim().parse::<u32>().unwrap() > looks.trim().parse::<u32>().unwrap(), "it is not renewed");
    let log = pair.api("b").log();
    let of_lease = log.iter().filter(|entry| entry["object"] == "leases/bedplate-system/controllers").count();
    assert_eq!(of_lease, 3, "taken, let go, taken: {log:?}");
}

//! The platform under attack: what is in it, who is at its doors, and what must never be in an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bedplate_testkit::Server;
use serde_json::{Value, json};

use super::http::{Ask, Reply, send};
use super::s3;
use crate::run::{bedplate, quickstart, said, up};
use crate::small;

/// Planted where only the owner of `flights` may look.
pub const PLANTED: &str = "zq7-planted-where-nobody-may-look";
/// Of OpenLineage events about `flights`.
pub const RUN: &str = "0198c0de-7e57-7000-8000-00000000f117";

/// Another, which nobody else tells of.
pub const ANOTHER_RUN: &str = "0198c0de-7e57-7000-8000-00000000f118";

pub struct World {
    pub control: String,
    pub inference: String,
    pub flight: String,
    pub s3: String,
    /// Access keys and their secrets, by token; of nobody else.
    pub access_keys: BTreeMap<String, (String, String)>,
    /// An upload in parts that nobody completes.
    pub upload: String,
    pub admin: String,
    /// Everybody who has no right to `flights`, with their tokens.
    pub others: Vec<(&'static str, String)>,
    /// Of `flights`: the names of the objects of each resource, by the path prefix and plural.
    pub objects: BTreeMap<String, Vec<String>>,
    /// The same of `bedplate-system`.
    pub system: BTreeMap<String, Vec<String>>,
    /// Words of `flights` that no answer to anybody else may hold.
    pub secrets: BTreeSet<String>,
    /// An id of a token of the administrator's, and of a prediction.
    pub token_id: String,
    pub prediction: String,
    _platform: Server,
    _home: tempfile::TempDir,
}

impl World {
    pub fn make() -> Self {
        let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        small::write(folder.path());
        let summary = said(&mut quickstart(home.path(), &["--from", folder.path().to_str().unwrap()])).json();
        let platform = up(home.path(), &["--source-root", folder.path().to_str().unwrap()]);
        let said_so = platform.said();
        let address = |word: &str| {
            let line = said_so.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {said_so}"));
            let url = line.split("://").nth(1).unwrap_or_default();
            url.split([' ', '/']).next().unwrap_or_default().to_owned()
        };
        let admin = std::fs::read_to_string(home.path().join("credentials")).unwrap();
        let mut world = Self {
            control: address("bedplate is up on"),
            inference: address("inference"),
            flight: address("flight sql"),
            s3: address("s3  "),
            access_keys: BTreeMap::new(),
            upload: String::new(),
            admin,
            others: Vec::new(),
            objects: BTreeMap::new(),
            system: BTreeMap::new(),
            secrets: BTreeSet::new(),
            token_id: String::new(),
            prediction: summary["trace"]["prediction"].as_str().expect("a prediction was traced").to_owned(),
            _platform: platform,
            _home: home,
        };
        world.wait();
        world.furnish();
        world.invite();
        s3::furnish(&mut world);
        world.learn();
        world
    }

    /// Until the endpoint is served again.
    fn wait(&self) {
        let bearer = format!("Bearer {}", self.admin);
        let ready = Ask::new("GET", "/v2/models/flights.late-arrival/ready").header("authorization", bearer);
        for _ in 0..300 {
            if send(&self.inference, &ready).code == 200 {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the endpoint is not served");
    }

    pub fn ask(&self, token: &str, ask: Ask) -> Reply {
        let ask = if token.is_empty() { ask } else { ask.header("authorization", format!("Bearer {token}")) };
        let ask = if ask.body.is_empty() { ask } else { ask.header("content-type", "application/json") };
        send(&self.control, &ask)
    }

    #[track_caller]
    fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let reply = self.ask(&self.admin, Ask::new(method, path).body(body));
        assert!((200..300).contains(&reply.code), "{method} {path}: {}", reply.body());
        reply.json()
    }

    /// Puts what the quickstart does not make into `flights`, and makes `rides`.
    fn furnish(&self) {
        let kinds = "/apis/bedplate.dev/v1alpha1/namespaces/flights";
        let core = "/api/v1/namespaces/flights";
        self.done("POST", "/api/v1/namespaces", &json!({ "metadata": { "name": "rides" } }));
        let labelled = json!({ "name": "kept", "labels": { "planted": "yes" }, "annotations": { "note": PLANTED } });
        self.done("POST", &format!("{core}/configmaps"), &json!({ "metadata": labelled, "data": { "a": PLANTED } }));
        self.done("POST", &format!("{core}/secrets"), &json!({ "metadata": labelled, "stringData": { "a": PLANTED } }));
        let spec = json!({ "holderIdentity": PLANTED });
        let leases = "/apis/coordination.k8s.io/v1/namespaces/flights/leases";
        self.done("POST", leases, &json!({ "metadata": labelled, "spec": spec }));
        let subjects = json!([{ "kind": "User", "name": "planted-user" }]);
        self.kind(
            &format!("{kinds}/rolebindings"),
            "RoleBinding",
            &labelled,
            &json!({ "role": "viewer", "subjects": subjects }),
        );
        let cedar = format!("// {PLANTED}\nforbid (principal == User::\"nobody\", action, resource);");
        self.kind(&format!("{kinds}/policies"), "Policy", &labelled, &json!({ "cedar": cedar }));
        let term = json!({ "owner": "planted-team", "definition": PLANTED, "synonyms": ["planted-synonym"] });
        self.kind(&format!("{kinds}/glossaryterms"), "GlossaryTerm", &labelled, &term);
        self.govern(&kinds.replace("flights", "bedplate-system"), &labelled);
        let change = json!({ "digest": format!("sha256:{}", "0".repeat(64)), "operation": "create", "kind": "Budget", "name": "none" });
        let approval = json!({ "class": "kept", "change": change, "reason": PLANTED });
        self.kind(&format!("{kinds}/approvals"), "Approval", &labelled, &approval);
        for at in ["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"] {
            self.done("POST", "/api/v1/lineage", &event("flights", at));
            let mut another = event("flights", at);
            another["run"]["runId"] = ANOTHER_RUN.into();
            self.done("POST", "/api/v1/lineage", &another);
        }
    }

    /// What counts for the whole platform, and is about nothing that is tried here.
    fn govern(&self, system: &str, metadata: &Value) {
        let approvers = json!([{ "team": "nobody" }]);
        let selects = json!({ "kinds": ["Budget"], "namespaces": ["nowhere"] });
        let class = json!({ "risk": "low", "selects": selects, "approvers": approvers });
        self.kind(&format!("{system}/changeclasses"), "ChangeClass", metadata, &class);
        let capacity = json!({ "milliCpu": 64_000, "memoryMib": 262_144 });
        self.kind(&format!("{system}/sites"), "Site", metadata, &json!({ "provider": "own", "capacity": capacity }));
        let budget = json!({ "namespace": "flights", "monthlyLimit": "1000000" });
        self.kind(&format!("{system}/budgets"), "Budget", metadata, &budget);
        let quota = json!({ "namespace": "flights", "objects": { "Dataset": 1_000 } });
        self.kind(&format!("{system}/quotas"), "Quota", metadata, &quota);
    }

    fn kind(&self, path: &str, kind: &str, metadata: &Value, spec: &Value) {
        let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec });
        self.done("POST", path, &object);
    }

    /// A stranger, and everybody that `rides` has.
    fn invite(&mut self) {
        let bindings = "/apis/bedplate.dev/v1alpha1/namespaces/rides/rolebindings";
        for (role, kind, name) in [
            ("viewer", "User", "vic"),
            ("editor", "User", "ed"),
            ("owner", "User", "olga"),
            ("owner", "ServiceAccount", "robot"),
        ] {
            let spec = json!({ "role": role, "subjects": [{ "kind": kind, "name": name }] });
            self.kind(bindings, "RoleBinding", &json!({ "name": name }), &spec);
        }
        for name in ["sam", "vic", "ed", "olga"] {
            let made = self.done("POST", "/bedplate/v1/tokens", &json!({ "user": name, "s3": true }));
            let token = self.known(&made);
            self.others.push((name, token));
        }
        let account = json!({ "serviceAccount": { "namespace": "rides", "name": "robot" }, "s3": true });
        let made = self.done("POST", "/bedplate/v1/tokens", &account);
        let token = self.known(&made);
        self.others.push(("robot", token));
        let made = self.done(
            "POST",
            "/bedplate/v1/tokens",
            &json!({ "user": "root", "groups": ["system:masters"], "s3": true }),
        );
        let administrator = self.known(&made);
        let key = self.access_keys[&administrator].clone();
        self.access_keys.insert(self.admin.clone(), key);
        let mine = self.done("POST", "/bedplate/v1/tokens", &json!({ "user": "planted-user" }));
        self.token_id = mine["id"].as_str().unwrap().to_owned();
    }

    /// The token that was made, whose access key is kept.
    fn known(&mut self, made: &Value) -> String {
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        self.access_keys.insert(text("token"), (text("accessKeyId"), text("secretAccessKey")));
        text("token")
    }

    /// What there is in `flights`, and the words in it that are nowhere else.
    fn learn(&mut self) {
        self.secrets.insert(PLANTED.to_owned());
        // The same in a Secret's own spelling.
        self.secrets.insert("enE3LXBsYW50ZWQtd2hlcmUtbm9ib2R5LW1heS1sb29r".to_owned());
        self.secrets.insert(self.token_id.clone());
        let names = |objects: &[Value]| {
            objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
        };
        for (resource, objects) in self.everything_in("bedplate-system") {
            self.system.insert(resource, names(&objects));
        }
        for (resource, objects) in self.everything() {
            self.objects.insert(resource, names(&objects));
            objects.iter().for_each(|object| collect(object, &mut self.secrets));
        }
        assert!(self.secrets.len() > 50, "{:?}", self.secrets);
    }

    /// The objects of `flights`, by resource, as the administrator sees them.
    pub fn everything(&self) -> BTreeMap<String, Vec<Value>> {
        self.everything_in("flights")
    }

    fn everything_in(&self, namespace: &str) -> BTreeMap<String, Vec<Value>> {
        let mut found = BTreeMap::new();
        for (prefix, version) in [("/api/v1", "v1")].into_iter().chain(GROUPS) {
            let served = self.ask(&self.admin, Ask::new("GET", prefix)).json();
            for resource in served["resources"].as_array().unwrap_or_else(|| panic!("{prefix} {version}: {served}")) {
                let name = resource["name"].as_str().unwrap();
                let is_listed = resource["verbs"].as_array().unwrap().contains(&json!("list"));
                if resource["namespaced"] != true || name.contains('/') || !is_listed {
                    continue;
                }
                let path = format!("{prefix}/namespaces/{namespace}/{name}");
                let listed = self.ask(&self.admin, Ask::new("GET", path)).json();
                found.insert(format!("{prefix} {name}"), listed["items"].as_array().unwrap().clone());
            }
        }
        found
    }

    /// What may not change: everything of `flights` that people declare, and what was told of its lineage.
    pub fn declared(&self) -> Value {
        let mut all = json!({});
        all["objects of the bucket"] = s3::listed(self).into();
        for (resource, objects) in self.everything() {
            // Events come and go by themselves.
            if resource.ends_with(" events") {
                continue;
            }
            for object in objects {
                let mut kept = object.clone();
                for field in ["status", "metadata"] {
                    kept.as_object_mut().unwrap().remove(field);
                }
                kept["uid"] = object["metadata"]["uid"].clone();
                kept["labels"] = object["metadata"]["labels"].clone();
                kept["gone"] = object["metadata"]["deletionTimestamp"].clone();
                all[format!("{resource} {}", object["metadata"]["name"])] = kept;
            }
        }
        for part in ["jobs", "datasets"] {
            let path = format!("/openlineage/api/v1/namespaces/flights/{part}");
            all[part] = self.ask(&self.admin, Ask::new("GET", path)).json()["totalCount"].clone();
        }
        all
    }
}

const GROUPS: [(&str, &str); 3] = [
    ("/apis/bedplate.dev/v1alpha1", "v1alpha1"),
    ("/apis/coordination.k8s.io/v1", "v1"),
    ("/apis/events.k8s.io/v1", "v1"),
];

/// Uids and digests: long, and nobody else's.
fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let is_uid = text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4;
            let is_digest = text.len() == 71 && text.starts_with("sha256:");
            if is_uid || is_digest {
                words.insert(text.clone());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, words)),
        _ => {}
    }
}

/// A run of OpenLineage that reads and writes in a namespace.
pub fn event(namespace: &str, at: &str) -> Value {
    let schema = json!({ "_producer": "https://example.com/p", "_schemaURL": "https://example.com/s.json",
        "fields": [{ "name": "planted", "type": PLANTED }] });
    let columns = json!({ "_producer": "https://example.com/p", "_schemaURL": "https://example.com/s.json",
        "fields": { "planted": { "inputFields": [{ "namespace": namespace, "name": "raw", "field": "planted" }] } } });
    json!({
        "eventTime": at, "eventType": "COMPLETE", "producer": "https://example.com/p",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": { "runId": RUN, "facets": { "note": { "_producer": "https://example.com/p", "_schemaURL": "https://example.com/s.json", "text": PLANTED } } },
        "job": { "namespace": namespace, "name": "load" },
        "inputs": [{ "namespace": namespace, "name": "raw", "facets": { "schema": schema } }],
        "outputs": [{ "namespace": namespace, "name": "clean", "facets": { "schema": schema, "columnLineage": columns } }],
    })
}

/// Every operation there is, as the binary itself tells it.
pub fn operations() -> Vec<Value> {
    let home = tempfile::tempdir().unwrap();
    let told = said(&mut bedplate(home.path(), &["policy", "operations", "-o", "json"])).json();
    told["operations"].as_array().unwrap().clone()
}

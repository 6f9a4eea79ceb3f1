//! The operator, on an API server that is a process of its own and has no controllers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bedplate_testkit::{Ready, Server};
use serde_json::{Value, json};

use crate::api_process::{ApiProcess, OPERATOR};
use crate::run::{PORTS, Said, bedplate, said};
use crate::{chart, plain, small};

/// A cluster with the small use case declared, and the operator that works on it.
struct House {
    folder: tempfile::TempDir,
    api: ApiProcess,
    operator: Server,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = ApiProcess::start(&folder.path().join("cluster-state"));
        small::write(&folder.path().join("flights"));
        let operator = start(&api, folder.path());
        Self { folder, api, operator }
    }

    /// A command of the cluster's administrator.
    #[track_caller]
    fn cluster(&self, arguments: &[&str]) -> Said {
        said(&mut bedplate(&self.api.admin_home(), arguments))
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let said = self.cluster(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        said.out
    }

    #[track_caller]
    fn object(&self, kind: &str, name: &str) -> Value {
        serde_json::from_str(&self.ok(&["get", kind, name, "-n", "flights", "-o", "json"])).unwrap()
    }

    /// Waits until the object is in the phase.
    #[track_caller]
    fn until(&self, kind: &str, name: &str, phase: &str) -> Value {
        let began = Instant::now();
        loop {
            let object = self.object(kind, name);
            let found = object["status"]["phase"].as_str().unwrap_or_default();
            if found == phase {
                return object;
            }
            let told = self.operator.said();
            assert!(found != "Failed", "{kind} {name}: {object:#}\n{told}");
            assert!(began.elapsed() < Duration::from_secs(400), "{kind} {name} is {found}: {object:#}\n{told}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("operator-home")
    }

    /// What the operator said it listens on: `inference`, `webhook`.
    fn url(&self, listener: &str) -> String {
        let told = self.operator.said();
        let line = told.lines().find_map(|line| line.trim().strip_prefix(listener)).expect("a line of it");
        line.trim().to_owned()
    }

    /// A prediction somebody asks for: the status and the answer.
    fn predict(&self, token: &str) -> (u16, Value) {
        let row = json!({ "tailnum": "N14228", "carrier": "UA", "origin": "EWR", "dest": "IAH",
                          "scheduled_time": "2013-01-19T12:00:00Z" });
        let body = bedplate_client::infer_request("asked", row.as_object().unwrap());
        let url = format!("{}/v2/models/flights.late-arrival/infer", self.url("inference"));
        plain::post(&url, Some(token), &body)
    }
}

fn start(api: &ApiProcess, folder: &Path) -> Server {
    let (config, sources) = (api.operator_kubeconfig(), folder.join("flights"));
    let mut arguments = vec!["operator", "--kubeconfig", config.to_str().unwrap(), "--source-root"];
    arguments.extend([sources.to_str().unwrap(), "--webhook-listen", "127.0.0.1:0"]);
    arguments.extend(PORTS);
    let mut command = bedplate(&folder.join("operator-home"), &arguments);
    command.env_remove("KUBECONFIG");
    Server::start(&mut command, &Ready::Line("ready".into()), Duration::from_secs(60)).expect("the operator comes up")
}

/// One test, since the use case takes its time: everything that is asked of an operator.
#[test]
fn the_use_case_runs_on_a_cluster() {
    let mut house = House::new();
    let flights = house.folder.path().join("flights");
    house.ok(&["apply", "-f", flights.to_str().unwrap()]);
    house.until("dataset", "weather", "Ready");

    // The cluster's API server goes in the middle of it and comes back.
    house.api.crash_and_return(Duration::from_secs(3));
    let endpoint = house.until("endpoint", "late-arrival", "Ready");
    let replay = house.until("workload", "replay-july", "Succeeded");
    house.until("monitor", "december", "Ready");
    assert_eq!(replay["status"]["outputs"]["parityShare"], 1.0, "online and offline answers are equal: {replay:#}");
    assert!(replay["status"]["outputs"]["predictions"].as_u64() > Some(0), "{replay:#}");
    let served = endpoint["status"]["url"].as_str().unwrap();
    assert!(served.starts_with(&house.url("inference")), "{served}");

    let events = house.object_list("events");
    let told = |kind: &str| {
        // Discovery finds the newer of the two spellings of events.
        let about = |event: &&Value| event["regarding"]["kind"] == kind;
        events.iter().filter(about).any(|event| event["deprecatedSource"]["component"] == "bedplate-controllers")
    };
    assert!(told("Dataset") && told("Endpoint") && told("TrainingRecipe"), "{events:#?}");

    bindings(&house);
    records(&house);
    objects_are_elsewhere(&house);
    console(&house);
    webhook(&house);
    governing(&house);
    rights(&house);
    let code = house.operator.stop(Duration::from_secs(30)).unwrap();
    assert!(code.success(), "{code}");
}

impl House {
    fn object_list(&self, kind: &str) -> Vec<Value> {
        let list: Value = serde_json::from_str(&self.ok(&["get", kind, "-n", "flights", "-o", "json"])).unwrap();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    fn token(&self, name: &str) -> String {
        let said = said(&mut bedplate(&self.home(), &["token", "create", name]));
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out.trim().to_owned()
    }
}

/// A RoleBinding of the cluster counts on the operator's listeners, and ceases to when it goes.
fn bindings(house: &House) {
    let token = house.token("ana");
    assert_eq!(house.predict(&token).0, 404, "without a role she is not even told that it exists");
    let file = house.folder.path().join("binding.yaml");
    let text = "apiVersion: bedplate.dev/v1alpha1\nkind: RoleBinding\nmetadata: {name: team, namespace: flights}\n\
                spec: {role: editor, subjects: [{kind: User, name: ana}]}\n";
    std::fs::write(&file, text).unwrap();
    house.ok(&["apply", "-f", file.to_str().unwrap()]);
    house.until("rolebinding", "team", "Ready");
    let answer = until(|| house.predict(&token), |(code, _)| *code == 200).1;
    let probability = answer["outputs"][0]["data"][0].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&probability), "{answer}");
    house.ok(&["delete", "rolebinding", "team", "-n", "flights"]);
    until(|| house.predict(&token), |(code, _)| *code == 404);
}

fn until<T: std::fmt::Debug>(ask: impl Fn() -> T, good: impl Fn(&T) -> bool) -> T {
    let began = Instant::now();
    loop {
        let found = ask();
        if good(&found) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{found:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The operator's own records: what it did, and what came of what.
fn records(house: &House) {
    let own = |arguments: &[&str]| {
        let said = said(&mut bedplate(&house.home(), arguments));
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said.out
    };
    assert!(own(&["audit", "verify"]).starts_with("verified "));
    let log = own(&["audit", "log", "--limit", "1000"]);
    for action in ["ingest", "materialize", "pin", "run", "register", "sign", "deploy", "watch", "bind"] {
        assert!(log.contains(&format!(" {action} ")), "{action} is not in the audit log:\n{log}");
    }
    let traced = own(&["trace", "model:flights/late-arrival@1"]);
    assert!(traced.contains("source:sha256:"), "{traced}");
}

/// Who asks the operator for objects is told where they are.
fn objects_are_elsewhere(house: &House) {
    let asked = said(&mut bedplate(&house.home(), &["get", "datasets", "-n", "flights"]));
    assert_ne!(asked.code, Some(0));
    assert!(asked.err.contains("operator of a cluster"), "{asked:?}");
}

/// The console shows the cluster's namespaces to whoever may see them, and the probes are answered.
fn console(house: &House) {
    let control = house.url("the operator is up on").split(' ').next().unwrap().to_owned();
    for probe in ["/livez", "/readyz"] {
        assert_eq!(plain::send("GET", &format!("{control}{probe}"), &[], "").code, 200, "{probe}");
    }
    let token = std::fs::read_to_string(house.home().join("credentials")).unwrap();
    let asked = plain::send("GET", &format!("{control}/login"), &[], "");
    let key = asked
        .body
        .split("name=\"key\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the form's key");
    let before = cookie(&asked);
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", before.as_str())];
    let filled = format!("key={key}&token={}", token.trim());
    let signed_in = plain::send("POST", &format!("{control}/login"), &form, &filled);
    let cookie = cookie(&signed_in);
    let page = plain::send("GET", &format!("{control}/"), &[("Cookie", cookie.as_str())], "");
    assert!(page.code == 200 && page.body.contains("flights"), "{}", page.body);
}

/// What a browser would send back.
#[track_caller]
fn cookie(answer: &plain::Answer) -> String {
    let is_cookie = |line: &&str| line.to_lowercase().starts_with("set-cookie:");
    let line = answer.head.lines().rfind(is_cookie).expect("a cookie");
    line[11..].trim().split(';').next().unwrap_or_default().to_owned()
}

/// The listener a cluster would ask: judged, told, and the operator's own writes let through.
fn webhook(house: &House) {
    let mut object = house.object("dataset", "weather");
    object["metadata"]["name"] = "copy".into();
    let review = |uid: &str, username: &str, groups: Value, object: &Value| {
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": uid, "operation": "CREATE", "name": "copy", "namespace": "flights", "object": object,
            "kind": { "group": "bedplate.dev", "version": "v1alpha1", "kind": "Dataset" },
            "resource": { "group": "bedplate.dev", "version": "v1alpha1", "resource": "datasets" },
            "userInfo": { "username": username, "groups": groups },
        } })
    };
    let url = format!("{}/admit", house.url("webhook").trim_end_matches("/admit"));
    let ask = |review: Value| {
        let (code, answer) = plain::post(&url, None, &review);
        assert_eq!(code, 200, "{answer}");
        answer["response"].clone()
    };
    assert_eq!(ask(review("u1", "eve", json!([]), &object))["allowed"], false);
    assert_eq!(ask(review("u2", "eve", json!(["kubeadm:cluster-admins"]), &object))["allowed"], true);
    assert_eq!(ask(review("u3", OPERATOR, json!([]), &object))["allowed"], true);
    let mut wrong = object.clone();
    wrong["spec"]["owner"] = "".into();
    let refused = ask(review("u4", "eve", json!(["system:masters"]), &wrong));
    assert!(refused["status"]["message"].as_str().unwrap().contains("spec.owner"), "{refused}");
    let log = said(&mut bedplate(&house.home(), &["audit", "log", "--limit", "2000"])).out;
    assert_eq!(log.matches("datasets/flights/copy").count(), 2, "{log}");
    assert!(log.contains("user:eve"), "{log}");
}

const GOVERNING: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: bedplate-system}}
---
{apiVersion: bedplate.dev/v1alpha1, kind: Site, metadata: {name: here, namespace: bedplate-system},
 spec: {provider: local, capacity: {milliCpu: 2000, memoryMib: 4096}}}
---
{apiVersion: bedplate.dev/v1alpha1, kind: ChangeClass, metadata: {name: endpoints, namespace: bedplate-system},
 spec: {risk: high, selects: {kinds: [Endpoint]}, approvers: [{team: risk}]}}
---
{apiVersion: bedplate.dev/v1alpha1, kind: Budget, metadata: {name: flights, namespace: bedplate-system},
 spec: {namespace: flights, monthlyLimit: "250.00"}}
---
{apiVersion: bedplate.dev/v1alpha1, kind: Quota, metadata: {name: flights, namespace: bedplate-system},
 spec: {namespace: flights, objects: {endpoints: 3}}}
---
{apiVersion: bedplate.dev/v1alpha1, kind: Policy, metadata: {name: none, namespace: bedplate-system},
 spec: {cedar: 'forbid(principal == User::"eve", action, resource);'}}
---
{apiVersion: bedplate.dev/v1alpha1, kind: PriceSheet, metadata: {name: later, namespace: bedplate-system},
 spec: {currency: EUR, validFrom: "2099-01-01T00:00:00Z", prices: {cpu_seconds: "0.000014"}}}
---
{apiVersion: bedplate.dev/v1alpha1, kind: Approval, metadata: {name: asked, namespace: bedplate-system},
 spec: {class: endpoints, change: {digest: DIGEST, operation: delete, kind: Endpoint, name: late-arrival}}}
"#;

/// The kinds that govern have a state on a cluster, too.
fn governing(house: &House) {
    let file = house.folder.path().join("governing.yaml");
    let digest = format!("'sha256:{}'", "ab".repeat(32));
    std::fs::write(&file, GOVERNING.replace("DIGEST", &digest)).unwrap();
    house.ok(&["apply", "-f", file.to_str().unwrap()]);
    let phase = |kind: &str, name: &str| {
        let object = house.ok(&["get", kind, name, "-n", "bedplate-system", "-o", "json"]);
        serde_json::from_str::<Value>(&object).unwrap()["status"]["phase"].as_str().map(str::to_owned)
    };
    let declared = [("site", "here"), ("changeclass", "endpoints"), ("budget", "flights"), ("quota", "flights")];
    for (kind, name) in declared.into_iter().chain([("policy", "none"), ("pricesheet", "later")]) {
        until(|| (kind, phase(kind, name)), |(_, phase)| phase.as_deref() == Some("Ready"));
    }
    until(|| phase("approval", "asked"), |phase| phase.as_deref() == Some("Pending"));
}

/// The chart's role allows what the operator was seen to ask of the cluster, and nothing else.
fn rights(house: &House) {
    let used = used(&house.api.requests());
    let Some(objects) = chart::rendered(None) else { return };
    let binding = objects.iter().find(|one| one["kind"] == "ClusterRoleBinding").expect("the operator's binding");
    let is_bound = |one: &&Value| one["kind"] == "ClusterRole" && one["metadata"]["name"] == binding["roleRef"]["name"];
    let role = objects.iter().find(is_bound).expect("the operator's role");
    let granted = granted(role);
    let missing: Vec<_> = used.difference(&granted).collect();
    assert!(missing.is_empty(), "the chart's ClusterRole lacks what the operator does: {missing:#?}");
    let unused: Vec<_> = granted.difference(&used).collect();
    assert!(unused.is_empty(), "the chart's ClusterRole grants what the operator was never seen to do: {unused:#?}");
}

/// (group, resource with subresource, verb)
type Right = (String, String, String);

fn granted(role: &Value) -> BTreeSet<Right> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                rights.extend(texts(&rule["verbs"]).into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
            }
        }
    }
    rights
}

/// What the operator asked for, in Kubernetes' words. Discovery and reviews of oneself are open to everybody signed in.
fn used(requests: &str) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for line in requests.lines() {
        let Some(("operator", method, uri)) = split(line) else { continue };
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, rest) = match steps.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => continue,
        };
        let (resource, name, subresource) = match rest {
            [] => continue,
            ["namespaces", _, resource, more @ ..] => (*resource, more.first(), more.get(1)),
            [resource, more @ ..] => (*resource, more.first(), more.get(1)),
        };
        if resource == "selfsubjectreviews" {
            continue;
        }
        let watches = query.split('&').any(|part| part == "watch=true" || part == "watch=1");
        let verb = match (method, name) {
            ("GET", Some(_)) => "get",
            ("GET", None) if watches => "watch",
            ("GET", None) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", Some(_)) => "delete",
            _ => "deletecollection",
        };
        let resource = subresource.map_or(resource.to_owned(), |inner| format!("{resource}/{inner}"));
        rights.insert((group.to_owned(), resource, verb.to_owned()));
    }
    rights
}

fn split(line: &str) -> Option<(&str, &str, &str)> {
    let (who, rest) = line.split_once(' ')?;
    let (method, uri) = rest.split_once(' ')?;
    Some((who, method, uri))
}

#[test]
fn requests_are_told_as_rights() {
    let requests = "operator GET /apis/bedplate.dev/v1alpha1/datasets?watch=true&x=1\n\
                    other DELETE /apis/bedplate.dev/v1alpha1/namespaces/a/datasets/b\n\
                    operator PATCH /apis/bedplate.dev/v1alpha1/namespaces/a/datasets/b/status?\n\
                    operator GET /api/v1/namespaces\n\
                    operator GET /apis/bedplate.dev/v1alpha1\n\
                    operator POST /apis/authentication.k8s.io/v1/selfsubjectreviews?\n";
    let right = |group: &str, resource: &str, verb: &str| (group.to_owned(), resource.to_owned(), verb.to_owned());
    let expected = [
        right("bedplate.dev", "datasets", "watch"),
        right("bedplate.dev", "datasets/status", "patch"),
        right("", "namespaces", "list"),
    ];
    assert_eq!(used(requests), BTreeSet::from(expected));
}

#[test]
fn a_cluster_that_cannot_be_reached_or_lacks_the_kinds_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let port = bedplate_testkit::free_port();
    let config = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\n\
         users: [{{name: u, user: {{token: secret}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    );
    std::fs::write(&config, text).unwrap();
    let home = folder.path().join("home");
    let secure = folder.path().join("secure");
    std::fs::write(&secure, std::fs::read_to_string(&config).unwrap().replace("http://", "https://")).unwrap();
    let ask = |more: &[&str]| {
        let arguments = [&["operator", "--kubeconfig", config.to_str().unwrap()], PORTS.as_slice(), more].concat();
        said(&mut bedplate(&home, &arguments))
    };
    ask(&[]).refused(7, &[&format!("http://127.0.0.1:{port}"), "kubectl version"]);
    let arguments = [&["operator", "--kubeconfig", secure.to_str().unwrap()], PORTS.as_slice()].concat();
    said(&mut bedplate(&home, &arguments)).refused(7, &[&format!("https://127.0.0.1:{port}")]);
    ask(&["--context", "nowhere"]).refused(3, &["nowhere", "--kubeconfig"]);
}

//! How each operation is tried: on something that is there, and on something that is not. An operation that has no case
//! here fails the test: whoever adds one says how it is refused.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::grpc;
use super::http::Ask;
use super::s3;
use super::world::{ANOTHER_RUN, World, event};

/// The same operation on what exists in `flights`, and on what does not.
pub struct Case {
    pub there: Ask,
    pub not_there: Ask,
    /// What the two differ by, so that answers can be compared.
    pub words: [String; 2],
}

const NOWHERE: &str = "nowhere";

/// `None`: there is no case for it.
pub fn case(world: &World, operation: &Value) -> Option<Case> {
    let (method, path) = (operation["method"].as_str()?, operation["path"].as_str()?);
    if operation["listener"] == "s3" {
        return s3::case(world, method, path);
    }
    let is_resource = path.starts_with("/api/v1/") && path != "/api/v1/lineage" && path != "/api/v1/lineage/batch"
        || path.starts_with("/apis/") && operation["who"] == "may";
    if is_resource { resource(world, method, path) } else { other(world, method, path) }
}

fn resource(world: &World, method: &str, pattern: &str) -> Option<Case> {
    let plain = pattern.split('?').next()?;
    let inside = plain.contains("/namespaces/{namespace}/");
    let plural = plain.split('/').rev().find(|part| !part.starts_with('{') && *part != "status")?;
    let prefix = plain.split("/namespaces/{namespace}").next()?.trim_end_matches(&format!("/{plural}"));
    let mut namespace = "flights";
    let name = match (inside, plain.contains("{name}")) {
        (true, true) => {
            let resource = format!("{prefix} {plural}");
            let first = |known: &BTreeMap<String, Vec<String>>| known.get(&resource)?.first().cloned();
            first(&world.objects).unwrap_or_else(|| {
                // Some kinds count in one namespace only.
                namespace = "bedplate-system";
                first(&world.system).unwrap_or_else(|| panic!("there are no {plural}"))
            })
        }
        _ if plural == "namespaces" => "flights".to_owned(),
        _ => "datasets.bedplate.dev".to_owned(),
    };
    let body = if method == "GET" { String::new() } else { json!({ "metadata": { "name": "x" } }).to_string() };
    let at = |namespace: &str, name: &str| Ask {
        head_only: pattern.contains("watch=true"),
        body: body.clone(),
        ..Ask::new(method, pattern.replace("{namespace}", namespace).replace("{name}", name))
    };
    let is_named = plain.contains("{name}");
    let there = at(namespace, &name);
    match (inside, is_named) {
        (true, false) => return of(there, at(NOWHERE, ""), ["flights", NOWHERE]),
        (false, false) => return same(there),
        _ => {}
    }
    of(there, at(namespace, NOWHERE), [&name, NOWHERE])
}

fn of(there: Ask, not_there: Ask, words: [&str; 2]) -> Option<Case> {
    Some(Case { there, not_there, words: words.map(str::to_owned) })
}

/// A path with one part that is there or not.
fn part(method: &str, path: &str, there: &str) -> Option<Case> {
    let at = |word: &str| Ask::new(method, path.replace("{}", word));
    of(at(there), at(NOWHERE), [there, NOWHERE])
}

/// One address, and nothing to tell apart.
fn same(ask: Ask) -> Option<Case> {
    of(ask.clone(), ask, ["", ""])
}

fn other(world: &World, method: &str, path: &str) -> Option<Case> {
    if path.starts_with(grpc::SERVICE) {
        let name = grpc::there(path);
        let (there, not_there) = grpc::asks(path, [name, NOWHERE])?;
        return of(there, not_there, [name, NOWHERE]);
    }
    let prefix = if path.starts_with("/openlineage") { "/openlineage" } else { "" };
    let whole = format!("{method} {path}");
    match whole.as_str() {
        // Open to anybody.
        "GET /version"
        | "GET /healthz"
        | "GET /livez"
        | "GET /readyz"
        | "GET /health"
        | "GET /login"
        | "GET /v2"
        | "GET /v2/"
        | "GET /v2/health/live"
        | "GET /v2/health/ready"
        | "GET /assets/console.css"
        | "GET /assets/live.js"
        | "GET /assets/mark.svg" => same(Ask::new(method, path)),
        "POST /login" => same(Ask::new(method, path).body("token=bp_wrong")),
        "POST /logout" => same(Ask::new(method, path)),
        "GET /login/oidc" | "GET /login/callback" => same(Ask::new(method, path)),
        "GET /bedplate/v1/login" | "POST /bedplate/v1/login/device" => same(Ask::new(method, path)),
        "POST /bedplate/v1/login" => same(Ask::new(method, path).body(json!({ "idToken": "made up" }))),
        "ANY /v2/{*rest}" => same(Ask::new("GET", "/v2/repository/index")),
        // For whoever is signed in.
        "GET /api" | "GET /apis" | "GET /api/v1" | "GET /openapi/v3" | "GET /bedplate/v1/policy/schema" => {
            same(Ask::new(method, path))
        }
        "ANY /openapi/v2" => same(Ask::new("GET", "/openapi/v2")),
        "GET /apis/{group}" => same(Ask::new(method, "/apis/bedplate.dev")),
        "GET /apis/{group}/{version}" => same(Ask::new(method, "/apis/bedplate.dev/v1alpha1")),
        "GET /openapi/v3/{*path}" => same(Ask::new(method, "/openapi/v3/apis/bedplate.dev/v1alpha1")),
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews" => same(Ask::new(method, path).body(json!({}))),
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
            let spec =
                json!({ "resourceAttributes": { "verb": "get", "resource": "secrets", "namespace": "flights" } });
            same(Ask::new(method, path).body(json!({ "spec": spec })))
        }
        "POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews" => {
            same(Ask::new(method, path).body(json!({ "spec": { "namespace": "flights" } })))
        }
        "GET /bedplate/v1/policy/why" => {
            let at =
                |name: &str| Ask::new(method, format!("{path}?verb=get&kind=dataset&namespace=flights&name={name}"));
            of(at("weather"), at(NOWHERE), ["weather", NOWHERE])
        }
        // Pages.
        "GET /" => same(Ask::new(method, path)),
        "GET /ns/{namespace}" => part(method, "/ns/{}", "flights"),
        "GET /catalogue" => part(method, "/catalogue?q={}", "weather"),
        "GET /ns/{namespace}/datasets/{name}" => part(method, "/ns/flights/datasets/{}", "weather"),
        "GET /ns/{namespace}/featureviews/{name}" => part(method, "/ns/flights/featureviews/{}", "weather"),
        // Inference.
        "GET /v2/models/{model}" => part(method, "/v2/models/flights.{}", "late-arrival"),
        "GET /v2/models/{model}/ready" => part(method, "/v2/models/flights.{}/ready", "late-arrival"),
        "GET /v2/models/{model}/versions/{version}" => part(method, "/v2/models/flights.{}/versions/1", "late-arrival"),
        "GET /v2/models/{model}/versions/{version}/ready" => {
            part(method, "/v2/models/flights.{}/versions/1/ready", "late-arrival")
        }
        "POST /v2/models/{model}/infer" | "POST /v2/models/{model}/versions/{version}/infer" => {
            let version = if path.contains("versions") { "/versions/1" } else { "" };
            let at = |name: &str| {
                Ask::new(method, format!("/v2/models/flights.{name}{version}/infer")).body(json!({ "inputs": [] }))
            };
            of(at("late-arrival"), at(NOWHERE), ["late-arrival", NOWHERE])
        }
        "POST /push" => {
            let at = |source: &str| {
                Ask::new(method, path)
                    .header("x-bedplate-namespace", "flights")
                    .body(json!({ "push_source_name": source, "df": {} }))
            };
            of(at("arrivals"), at(NOWHERE), ["arrivals", NOWHERE])
        }
        "POST /write-to-online-store" => {
            let at = |view: &str| {
                Ask::new(method, path)
                    .header("x-bedplate-namespace", "flights")
                    .body(json!({ "feature_view_name": view, "df": {} }))
            };
            of(at("aircraft-history"), at(NOWHERE), ["aircraft-history", NOWHERE])
        }
        "POST /materialize" | "POST /materialize-incremental" => {
            // From the end of time: nothing is brought.
            let at = |view: &str| {
                Ask::new(method, path).header("x-bedplate-namespace", "flights").body(json!({ "feature_views": [view],
                    "start_ts": "9000-01-01T00:00:00Z", "end_ts": "9000-01-02T00:00:00Z" }))
            };
            of(at("aircraft-history"), at(NOWHERE), ["aircraft-history", NOWHERE])
        }
        "POST /get-online-features" => {
            let at = |view: &str| {
                Ask::new(method, path)
                    .header("x-bedplate-namespace", "flights")
                    .body(json!({ "features": [format!("{view}:last_arr_delay")], "entities": { "tailnum": ["N1"] } }))
            };
            of(at("aircraft-history"), at(NOWHERE), ["aircraft-history", NOWHERE])
        }
        // Bedplate's own.
        "GET /bedplate/v1/trace" => part(method, "/bedplate/v1/trace?node=model:flights/{}@1", "late-arrival"),
        "GET /bedplate/v1/audit/log"
        | "GET /bedplate/v1/audit/verify"
        | "GET /bedplate/v1/audit/checkpoint"
        | "GET /bedplate/v1/audit/vkey"
        | "GET /bedplate/v1/audit/witnesses"
        | "GET /bedplate/v1/audit/cosigned"
        | "GET /bedplate/v1/costs/verify" => same(Ask::new(method, path)),
        "GET /bedplate/v1/costs" => of(
            Ask::new(method, format!("{path}?namespace=flights")),
            Ask::new(method, format!("{path}?namespace={NOWHERE}")),
            ["flights", NOWHERE],
        ),
        "POST /bedplate/v1/costs/reversals" => {
            same(Ask::new(method, path).body(json!({ "event": "run:1", "reason": "x" })))
        }
        "GET /bedplate/v1/impact" => part(method, "/bedplate/v1/impact?namespace=flights&dataset={}", "weather"),
        "GET /bedplate/v1/audit/tile/{*path}" => of(
            Ask::new(method, "/bedplate/v1/audit/tile/0/000.p/1"),
            Ask::new(method, "/bedplate/v1/audit/tile/0/999"),
            ["", ""],
        ),
        "GET /bedplate/v1/audit/proof/{leaf}" => part(method, "/bedplate/v1/audit/proof/{}", "0"),
        "GET /bedplate/v1/search" => part(method, "/bedplate/v1/search?q={}", "weather"),
        "GET /bedplate/v1/namespaces/{namespace}/workloads/{name}/log" => {
            let name = &world.objects["/apis/bedplate.dev/v1alpha1 workloads"][0];
            part(method, "/bedplate/v1/namespaces/flights/workloads/{}/log", name)
        }
        "GET /bedplate/v1/namespaces/{namespace}/datasets/{name}/history" => {
            part(method, "/bedplate/v1/namespaces/flights/datasets/{}/history", "weather")
        }
        "GET /bedplate/v1/namespaces/{namespace}/datasets/{name}/profile" => {
            part(method, "/bedplate/v1/namespaces/flights/datasets/{}/profile", "weather")
        }
        "GET /bedplate/v1/namespaces/{namespace}/datasets/{name}/quarantine" => {
            part(method, "/bedplate/v1/namespaces/flights/datasets/{}/quarantine", "weather")
        }
        "POST /bedplate/v1/namespaces/{namespace}/datasets/{name}/quarantine/review" => {
            // A row that is not there: whoever may is told so, and nothing changes.
            let body = json!({ "action": "discard", "why": "x", "rows": [-1] });
            let at = |name: &str| {
                let path = format!("/bedplate/v1/namespaces/flights/datasets/{name}/quarantine/review");
                Ask::new(method, path).body(body.clone())
            };
            of(at("weather"), at(NOWHERE), ["weather", NOWHERE])
        }
        "GET /bedplate/v1/namespaces/{namespace}/datasets/{name}/versions" => {
            part(method, "/bedplate/v1/namespaces/flights/datasets/{}/versions", "weather")
        }
        "POST /bedplate/v1/namespaces/{namespace}/datasets/{name}/optimize"
        | "POST /bedplate/v1/namespaces/{namespace}/datasets/{name}/restore"
        | "POST /bedplate/v1/namespaces/{namespace}/datasets/{name}/vacuum" => {
            // Whoever may is told that it is not so, or what would go: nothing changes.
            let body = match path.rsplit('/').next() {
                Some("restore") => json!({ "version": 99_999 }),
                Some("vacuum") => json!({ "dryRun": true }),
                _ => json!({}),
            };
            let at = |name: &str| {
                Ask::new(method, path.replace("{namespace}", "flights").replace("{name}", name)).body(body.clone())
            };
            of(at("weather"), at(NOWHERE), ["weather", NOWHERE])
        }
        "GET /metrics" => same(Ask::new(method, path)),
        "POST /bedplate/v1/namespaces/{namespace}/featureviews/{name}/verify"
        | "POST /bedplate/v1/namespaces/{namespace}/featureviews/{name}/statistics"
        | "POST /bedplate/v1/namespaces/{namespace}/featureviews/{name}/skew"
        | "POST /bedplate/v1/namespaces/{namespace}/featureviews/{name}/drift" => {
            let body = match path.rsplit('/').next() {
                Some("verify") => json!({ "sample": 10 }),
                Some("drift") => json!({ "window": { "last": "7d" }, "against": {} }),
                _ => json!({}),
            };
            let at = |name: &str| {
                Ask::new(method, path.replace("{namespace}", "flights").replace("{name}", name)).body(body.clone())
            };
            of(at("weather"), at(NOWHERE), ["weather", NOWHERE])
        }
        "POST /bedplate/v1/namespaces/{namespace}/sql" => {
            let at = |table: &str| {
                let sql = format!("SELECT * FROM {table} LIMIT 1");
                Ask::new(method, "/bedplate/v1/namespaces/flights/sql").body(json!({ "sql": sql }))
            };
            of(at("weather"), at(NOWHERE), ["weather", NOWHERE])
        }
        "GET /bedplate/v1/policy/decisions" => of(
            Ask::new(method, format!("{path}?namespace=flights")),
            Ask::new(method, format!("{path}?namespace={NOWHERE}")),
            ["flights", NOWHERE],
        ),
        "POST /bedplate/v1/backup" => same(Ask::new(method, path)),
        "GET /bedplate/v1/tokens" => same(Ask::new(method, path)),
        "POST /bedplate/v1/tokens" => {
            let account = |namespace: &str| json!({ "serviceAccount": { "namespace": namespace, "name": "spy" } });
            of(
                Ask::new(method, path).body(account("flights")),
                Ask::new(method, path).body(account(NOWHERE)),
                ["flights", NOWHERE],
            )
        }
        "POST /bedplate/v1/plan" => {
            let asked = |name: &str| {
                let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "spec": {},
                    "metadata": { "namespace": "flights", "name": name } });
                json!({ "manifests": [{ "object": object, "source": "a:1" }], "namespace": "flights" })
            };
            let at = |name: &str| Ask::new(method, path).body(asked(name));
            of(at("weather"), at(NOWHERE), ["weather", NOWHERE])
        }
        "POST /bedplate/v1/plan/apply" => same(Ask::new(method, path).body(json!({}))),
        "POST /bedplate/v1/namespaces/{namespace}/approvals/{name}/vote" => {
            let name = &world.objects["/apis/bedplate.dev/v1alpha1 approvals"][0];
            let at = |name: &str| {
                Ask::new(method, format!("/bedplate/v1/namespaces/flights/approvals/{name}/vote")).body(json!({}))
            };
            of(at(name), at(NOWHERE), [name, NOWHERE])
        }
        "GET /bedplate/v1/certificates" => same(Ask::new(method, path)),
        "POST /bedplate/v1/certificates" => {
            let asked = |namespace: &str| {
                json!({ "kind": "device", "namespace": namespace, "name": "spy", "csr": "",
                "expiresIn": "1h" })
            };
            let at = |namespace: &str| Ask::new(method, path).body(asked(namespace));
            of(at("flights"), at(NOWHERE), ["flights", NOWHERE])
        }
        "DELETE /bedplate/v1/certificates/{fingerprint}" => {
            same(Ask::new(method, format!("/bedplate/v1/certificates/{}", "0".repeat(64))))
        }
        "DELETE /bedplate/v1/tokens/{id}" => part(method, "/bedplate/v1/tokens/{}", &world.token_id),
        _ => lineage(method, path.strip_prefix(prefix)?, prefix),
    }
}

/// OpenLineage and Marquez.
fn lineage(method: &str, path: &str, prefix: &str) -> Option<Case> {
    let at = |rest: &str| format!("{prefix}{rest}");
    match format!("{method} {path}").as_str() {
        "POST /api/v1/lineage" | "POST /api/lineage" => {
            let told = |namespace: &str| Ask::new(method, at(path)).body(event(namespace, "2026-02-01T00:00:00Z"));
            of(told("flights"), told(NOWHERE), ["flights", NOWHERE])
        }
        "POST /api/v1/lineage/batch" | "POST /api/lineage/batch" => {
            let told =
                |namespace: &str| Ask::new(method, at(path)).body(json!([event(namespace, "2026-02-01T00:00:00Z")]));
            of(told("flights"), told(NOWHERE), ["flights", NOWHERE])
        }
        "GET /api/v1/namespaces" | "GET /api/v1/events/lineage" => same(Ask::new(method, at(path))),
        "GET /api/v1/search" => same(Ask::new(method, at("/api/v1/search?q=a"))),
        "GET /api/v1/namespaces/{namespace}" => part(method, &at("/api/v1/namespaces/{}"), "flights"),
        "GET /api/v1/namespaces/{namespace}/datasets" => part(method, &at("/api/v1/namespaces/{}/datasets"), "flights"),
        "GET /api/v1/namespaces/{namespace}/jobs" => part(method, &at("/api/v1/namespaces/{}/jobs"), "flights"),
        "GET /api/v1/namespaces/{namespace}/datasets/{*rest}" => {
            part(method, &at("/api/v1/namespaces/{}/datasets/clean/versions"), "flights")
        }
        "GET /api/v1/namespaces/{namespace}/jobs/{*rest}" => {
            part(method, &at("/api/v1/namespaces/{}/jobs/load/runs"), "flights")
        }
        "GET /api/v1/jobs/runs/{id}" => {
            let nobody = ANOTHER_RUN.replace("f118", "f119");
            of(
                Ask::new(method, at(&format!("/api/v1/jobs/runs/{ANOTHER_RUN}"))),
                Ask::new(method, at(&format!("/api/v1/jobs/runs/{nobody}"))),
                [ANOTHER_RUN, &nobody],
            )
        }
        "GET /api/v1/lineage" => part(method, &at("/api/v1/lineage?nodeId=dataset:{}:clean"), "flights"),
        "GET /api/v1/column-lineage" => part(method, &at("/api/v1/column-lineage?nodeId=dataset:{}:clean"), "flights"),
        _ => None,
    }
}

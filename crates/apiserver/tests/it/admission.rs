//! Reviews as a cluster's API server sends them, read and answered in kube's own types.

use std::sync::Arc;

use axum::Router;
use bedplate_apiserver::{Admission, AdmissionOptions, Trusted};
use bedplate_policy::Role;
use bedplate_types::SystemClock;
use http::StatusCode;
use kube::core::admission::{AdmissionResponse, AdmissionReview};
use kube::core::dynamic::DynamicObject;
use serde_json::{Value, json};

use crate::support::{House, dataset, more_rules, raw, send};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

struct Gate {
    house: House,
    router: Router,
}

impl Gate {
    /// `user:ana` edits the namespace `default`; `system:serviceaccount:ops:op` is the operator.
    fn new() -> Self {
        let house = House::new();
        drop(house.somebody("user:ana", "default", Role::Editor));
        drop(house.somebody("serviceaccount:default/robot", "default", Role::Editor));
        let trusted =
            Trusted { own: "system:serviceaccount:ops:op".into(), administrators: vec!["cluster-admins".into()] };
        let options = AdmissionOptions {
            db: house.db.clone(),
            policy: house.policy(),
            clock: Arc::new(SystemClock),
            trusted,
            more_rules: Some(more_rules),
        };
        Self { router: Admission::new(options).unwrap().router(), house }
    }

    async fn ask(&self, review: &Value) -> AdmissionResponse {
        // It must be a review that kube reads, or the test proves nothing.
        serde_json::from_value::<AdmissionReview<DynamicObject>>(review.clone()).unwrap();
        let (code, answer) = send(&self.router, "POST", "/admit", &JSON, review).await;
        assert_eq!(code, StatusCode::OK, "{answer}");
        let answer: AdmissionReview<DynamicObject> = serde_json::from_value(answer).unwrap();
        let response = answer.response.unwrap();
        assert_eq!(response.uid, review["request"]["uid"].as_str().unwrap());
        response
    }

    /// What the audit log says of reviews: (actor, action, object).
    fn told(&self) -> Vec<(String, String, String)> {
        let entries = self.house.db.read(|tx| bedplate_audit::entries(tx, 0, 10_000)).unwrap();
        let of_reviews = entries.into_iter().map(|(_, entry)| entry).filter(|entry| entry.detail["review"].is_string());
        of_reviews.map(|entry| (entry.actor, entry.action, entry.object)).collect()
    }
}

/// A review as Kubernetes 1.32 sends one, with everything it says of itself.
fn review(uid: &str, operation: &str, object: &Value, old: &Value) -> Value {
    let gvk = json!({ "group": "bedplate.dev", "version": "v1alpha1", "kind": "Dataset" });
    let gvr = json!({ "group": "bedplate.dev", "version": "v1alpha1", "resource": "datasets" });
    let options = match operation {
        "CREATE" => {
            json!({ "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create" })
        }
        "UPDATE" => json!({ "kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1" }),
        _ => json!({ "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "propagationPolicy": "Background" }),
    };
    json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": uid, "kind": gvk, "resource": gvr, "requestKind": gvk, "requestResource": gvr,
            "name": "a", "namespace": "default", "operation": operation,
            "userInfo": { "username": "ana", "uid": "1", "groups": ["data", "system:authenticated"],
                          "extra": { "authentication.kubernetes.io/credential-id": ["X509SHA256=00"] } },
            "object": object, "oldObject": old, "dryRun": false, "options": options,
        },
    })
}

fn stored(name: &str) -> Value {
    let mut object = dataset(name);
    let metadata = json!({
        "name": name, "namespace": "default", "uid": "9f3c", "resourceVersion": "7", "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{ "manager": "kubectl-create", "operation": "Update", "apiVersion": "bedplate.dev/v1alpha1",
            "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": { "f:spec": { "f:owner": {} } } }],
    });
    object["metadata"] = metadata;
    object
}

#[tokio::test]
async fn what_may_be_stored_is_let_through_and_told_once() {
    let gate = Gate::new();
    let create = review("u1", "CREATE", &stored("a"), &Value::Null);
    for _ in 0..2 {
        let answer = gate.ask(&create).await;
        assert!(answer.allowed, "{answer:?}");
    }
    let mut changed = stored("a");
    changed["spec"]["description"] = "of 2013".into();
    assert!(gate.ask(&review("u2", "UPDATE", &changed, &stored("a"))).await.allowed);
    assert!(gate.ask(&review("u3", "DELETE", &Value::Null, &changed)).await.allowed);
    let told = |action: &str| ("user:ana".to_owned(), action.to_owned(), "datasets/default/a".to_owned());
    assert_eq!(gate.told(), [told("create"), told("update"), told("delete")]);
}

#[tokio::test]
async fn a_dry_run_is_judged_and_not_told() {
    let gate = Gate::new();
    let mut dry = review("u1", "CREATE", &stored("a"), &Value::Null);
    dry["request"]["dryRun"] = true.into();
    assert!(gate.ask(&dry).await.allowed);
    assert_eq!(gate.told(), []);
    // The same review in earnest is told.
    dry["request"]["dryRun"] = false.into();
    assert!(gate.ask(&dry).await.allowed);
    assert_eq!(gate.told().len(), 1);
}

#[tokio::test]
async fn the_schema_and_the_rules_of_the_kind_are_applied() {
    let gate = Gate::new();
    for (path, value, code, words) in [
        ("/spec/schema/0/type", json!("decimal"), 422, "spec.schema[0].type"),
        ("/spec/owner", json!(" "), 422, "spec.owner"),
        ("/spec/description", json!("breaks the engine's rule"), 422, "spec.description"),
        ("/spec/onwer", json!("x"), 400, "unknown field \"spec.onwer\""),
        ("/spec/schema/1", json!({ "name": "id", "type": "string" }), 422, "Duplicate value"),
        ("/metadata/name", json!("Not_A_Name"), 422, "metadata.name"),
    ] {
        let mut object = stored("a");
        let (parent, field) = path.rsplit_once('/').unwrap();
        match object.pointer_mut(parent).unwrap() {
            Value::Array(items) => items.push(value),
            other => other[field] = value,
        }
        let mut asked = review("u1", "CREATE", &object, &Value::Null);
        asked["request"]["name"] = object["metadata"]["name"].clone();
        let answer = gate.ask(&asked).await;
        assert!(!answer.allowed, "{path}");
        assert_eq!(i32::from(answer.result.code), code, "{path}: {:?}", answer.result);
        assert!(answer.result.message.contains(words), "{path}: {}", answer.result.message);
    }
    assert_eq!(gate.told(), []);
}

/// What an older version let in must still lose its finalizer, and its status is nobody's spec.
#[tokio::test]
async fn what_does_not_change_is_not_judged_again() {
    let gate = Gate::new();
    let mut old = stored("a");
    old["spec"]["owner"] = " ".into();
    let mut new = old.clone();
    new["metadata"]["finalizers"] = json!([]);
    assert!(gate.ask(&review("u1", "UPDATE", &new, &old)).await.allowed);
    new["status"] = json!({ "phase": "Ready" });
    let mut status = review("u2", "UPDATE", &new, &old);
    status["request"]["subResource"] = "status".into();
    assert!(gate.ask(&status).await.allowed);
    new["status"] = json!({ "phase": "Splendid" });
    status["request"]["object"] = new;
    let answer = gate.ask(&status).await;
    assert!(!answer.allowed && answer.result.message.contains("status.phase"), "{answer:?}");
}

#[tokio::test]
async fn the_policy_is_asked_as_it_is_in_the_embedded_server() {
    let gate = Gate::new();
    for (username, groups, allowed) in [
        ("ana", json!([]), true),
        ("eve", json!(["data"]), false),
        ("eve", json!(["system:masters"]), true),
        ("eve", json!(["cluster-admins"]), true),
        ("system:serviceaccount:default:robot", json!(["system:serviceaccounts"]), true),
        ("system:serviceaccount:other:robot", json!(["system:serviceaccounts"]), false),
        ("system:serviceaccount:ops:op", json!([]), true),
        ("system:controllers", json!([]), false),
        ("system:serviceaccount:kube-system:namespace-controller", json!(["system:serviceaccounts:kube-system"]), true),
    ] {
        let mut asked = review(username, "CREATE", &stored("a"), &Value::Null);
        asked["request"]["userInfo"] = json!({ "username": username, "groups": groups });
        let answer = gate.ask(&asked).await;
        assert_eq!(answer.allowed, allowed, "{username} {groups}: {answer:?}");
        if !allowed {
            assert_eq!(i32::from(answer.result.code), 403);
            assert!(answer.result.message.contains("is forbidden"), "{}", answer.result.message);
        }
    }
    let mut elsewhere = review("u", "DELETE", &Value::Null, &stored("a"));
    elsewhere["request"]["namespace"] = "other".into();
    assert!(!gate.ask(&elsewhere).await.allowed, "an editor of default is nobody in other");
}

/// An editor who may write everything else may not make herself an owner.
#[tokio::test]
async fn bindings_are_the_owners() {
    let gate = Gate::new();
    let binding = json!({
        "apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding", "metadata": { "name": "a", "namespace": "default" },
        "spec": { "role": "owner", "subjects": [{ "kind": "User", "name": "ana" }] },
    });
    let mut asked = review("u", "CREATE", &binding, &Value::Null);
    asked["request"]["resource"]["resource"] = "rolebindings".into();
    assert!(!gate.ask(&asked).await.allowed);
    asked["request"]["userInfo"]["groups"] = json!(["system:masters"]);
    assert!(gate.ask(&asked).await.allowed);
}

/// A webhook set on too much neither stands in the way nor keeps what it sees.
#[tokio::test]
async fn a_secret_is_none_of_its_business() {
    let gate = Gate::new();
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": "default" },
                         "data": { "k": "aHVudGVyMi1odW50ZXIy" } });
    let mut asked = review("u", "CREATE", &secret, &Value::Null);
    asked["request"]["resource"] = json!({ "group": "", "version": "v1", "resource": "secrets" });
    let (code, answer) = send(&gate.router, "POST", "/admit", &JSON, &asked).await;
    assert_eq!((code, &answer["response"]["allowed"]), (StatusCode::OK, &json!(true)));
    assert!(answer["response"]["warnings"][0].as_str().unwrap().contains("no rules for secrets"), "{answer}");
    assert!(!answer.to_string().contains("aHVudGVy"));
    assert_eq!(gate.told(), []);
    let all = gate.house.db.read(|tx| bedplate_audit::entries(tx, 0, 10_000)).unwrap();
    assert!(!format!("{all:?}").contains("aHVudGVy"));
    // Not even what is wrong with a review repeats it.
    asked["request"]["operation"] = "aHVudGVyMi1odW50ZXIy".into();
    let (code, answer) = send(&gate.router, "POST", "/admit", &JSON, &asked).await;
    assert_eq!(code, StatusCode::BAD_REQUEST);
    assert!(!answer.to_string().contains("aHVudGVy"), "{answer}");
}

#[tokio::test]
async fn what_is_no_review_is_refused() {
    let gate = Gate::new();
    let sound = review("u", "CREATE", &stored("a"), &Value::Null);
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut review = sound.clone();
        change(&mut review);
        let (code, answer) = send(&gate.router, "POST", "/admit", &JSON, &review).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{answer}");
    };
    refused(&|review| review["apiVersion"] = "admission.k8s.io/v1beta1".into()).await;
    refused(&|review| review["kind"] = "TokenReview".into()).await;
    refused(&|review| drop(review.as_object_mut().unwrap().remove("request"))).await;
    refused(&|review| review["request"]["uid"] = "".into()).await;
    refused(&|review| review["request"]["userInfo"]["username"] = "".into()).await;
    refused(&|review| review["request"]["operation"] = "CONNECT".into()).await;
    refused(&|review| review["request"]["object"] = Value::Null).await;
    let text = [("content-type", "text/plain")];
    let (code, _) = send(&gate.router, "POST", "/admit", &text, &sound).await;
    assert_eq!(code, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(raw(&gate.router, "GET", "/admit", &JSON, &Value::Null).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    let mut large = sound.clone();
    large["request"]["object"]["spec"]["description"] = "x".repeat(9 << 20).into();
    let (code, _) = send(&gate.router, "POST", "/admit", &JSON, &large).await;
    assert_eq!(code, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(gate.told(), []);
}

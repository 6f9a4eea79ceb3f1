//! The definitions of the kinds, Leases, and what callers may ask about themselves.

use bedplate_identity::Principal;
use bedplate_policy::Role;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{House, call, send, version};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

#[tokio::test]
async fn every_kind_has_a_definition_that_can_be_read_and_not_written() {
    let house = House::new();
    let list = house.get(DEFINITIONS).await.1;
    let mut names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|one| one["metadata"]["name"].clone()).collect();
    let mut expected: Vec<_> =
        bedplate_kinds::registry::kinds().iter().map(|kind| json!(format!("{}.bedplate.dev", kind.plural()))).collect();
    for all in [&mut names, &mut expected] {
        all.sort_by_key(Value::to_string);
    }
    assert_eq!(names, expected);
    let path = format!("{DEFINITIONS}/endpoints.bedplate.dev");
    let one = house.get(&path).await.1;
    assert_eq!(one["status"]["conditions"][1]["type"], "Established");
    assert_eq!(one["spec"]["versions"][0]["selectableFields"][0]["jsonPath"], ".spec.model");
    assert!(one["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].is_object());
    for (method, path) in
        [("POST", DEFINITIONS), ("PUT", &path), ("PATCH", &path), ("DELETE", &path), ("DELETE", DEFINITIONS)]
    {
        let (code, status) = call(&house.admin, method, path, &one).await;
        assert_eq!((code, &status["reason"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("MethodNotAllowed")), "{method}");
        assert!(status["message"].as_str().unwrap().contains("built into bedplate"), "{status}");
    }
    assert_eq!(house.get(&path).await.1, one);
}

#[tokio::test]
async fn definitions_follow_the_binary_and_stay_when_it_stays() {
    let house = House::new();
    let path = format!("{DEFINITIONS}/models.bedplate.dev");
    let before = house.get(&path).await.1;
    let stale = |tx: &mut dyn bedplate_db::Tx| {
        tx.execute(
            "UPDATE api_objects SET body = replace(body, 'Model', 'Mode1') WHERE name = 'models.bedplate.dev'",
            &[],
        )?;
        let sql = "INSERT INTO api_objects (resource, namespace, name, uid, body) SELECT resource, '', 'gone.bedplate.dev', 'u',
                   replace(body, 'endpoints.bedplate.dev', 'gone.bedplate.dev') FROM api_objects WHERE name = 'endpoints.bedplate.dev'";
        tx.execute(sql, &[])
    };
    assert_eq!(version(&house.reopened().get(&path).await.1), version(&before), "nothing changed, nothing is written");
    house.db.write(stale).unwrap();
    let house = house.reopened();
    let after = house.get(&path).await.1;
    assert_eq!((&after["spec"], &after["metadata"]["uid"]), (&before["spec"], &before["metadata"]["uid"]));
    assert!(version(&after) > version(&before) && after["metadata"]["generation"] == 2);
    assert_eq!(house.get(&format!("{DEFINITIONS}/gone.bedplate.dev")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn leases_are_kept_like_config_maps() {
    let house = House::new();
    let time = "2026-01-01T00:00:00.000001Z";
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
                       "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": time}});
    let made = house.made(LEASES, &lease).await;
    assert_eq!(made["spec"]["renewTime"], time);
    let mut taken = made.clone();
    taken["spec"]["holderIdentity"] = "b".into();
    assert_eq!(house.put(&format!("{LEASES}/l"), &taken).await.1["spec"]["holderIdentity"], "b");
    assert_eq!(house.put(&format!("{LEASES}/l"), &taken).await.0, StatusCode::CONFLICT, "one of two holders wins");
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let table = send(&house.admin, "GET", LEASES, &accept, &Value::Null).await.1;
    assert_eq!(table["rows"][0]["cells"][1], "b");
}

#[tokio::test]
async fn callers_learn_who_they_are_and_what_they_may() {
    let house = House::new();
    drop(house.somebody("user:viewer", "default", Role::Viewer));
    let viewer = house.server.in_process(Principal { name: "user:viewer".into(), groups: vec!["data".into()] });
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let (code, review) = call(&viewer, "POST", path, &json!({"kind": "SelfSubjectReview"})).await;
    assert_eq!(code, StatusCode::CREATED);
    assert_eq!(review["status"]["userInfo"], json!({"username": "user:viewer", "groups": ["data"]}));
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let verbs = |review: &Value, resource: &str| -> Value {
        let rules = review["status"]["resourceRules"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["resources"] == json!([resource]));
        rule.map(|rule| rule["verbs"].clone()).unwrap_or_default()
    };
    let review = call(&viewer, "POST", path, &json!({"spec": {"namespace": "default"}})).await.1;
    assert_eq!(verbs(&review, "datasets"), json!(["get", "list", "watch"]));
    assert_eq!(verbs(&review, "datasets/status"), json!(["get"]));
    assert_eq!(verbs(&review, "secrets"), Value::Null);
    let elsewhere = call(&viewer, "POST", path, &json!({"spec": {"namespace": "other"}})).await.1;
    assert_eq!(verbs(&elsewhere, "datasets"), Value::Null);
    let admins = house.post(path, &json!({"spec": {"namespace": "default"}})).await.1;
    assert_eq!(verbs(&admins, "customresourcedefinitions"), json!(["get", "list", "watch"]));
    assert_eq!(verbs(&admins, "secrets").as_array().unwrap().len(), 8);
    assert_eq!(call(&viewer, "POST", path, &json!({"spec": {}})).await.0, StatusCode::BAD_REQUEST);
}

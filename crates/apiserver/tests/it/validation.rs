//! What is refused, and how it is told.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{DATASETS, House, SECRETS, dataset, raw};

async fn check(change: impl Fn(&mut Value), field: &str) {
    let house = House::new();
    let mut object = dataset("a");
    change(&mut object);
    let (code, status) = house.post(DATASETS, &object).await;
    assert_eq!((code, &status["reason"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("Invalid")), "{status}");
    let fields: Vec<_> = status["details"]["causes"].as_array().unwrap().iter().map(|cause| &cause["field"]).collect();
    assert!(fields.iter().any(|one| *one == field), "{field}: {status}");
    assert_eq!((&status["details"]["kind"], &status["details"]["group"]), (&json!("Dataset"), &json!("bedplate.dev")));
}

#[tokio::test]
async fn the_schema_and_the_rules_of_the_kind() {
    check(|object| object["spec"]["owner"] = json!(1), "spec.owner").await;
    check(|object| object["spec"] = json!({}), "spec.owner").await;
    check(|object| drop(object.as_object_mut().unwrap().remove("spec")), "spec").await;
    check(|object| object["spec"]["schema"][0]["type"] = json!("decimal"), "spec.schema[0].type").await;
    check(|object| object["spec"]["owner"] = json!(""), "spec.owner").await;
    check(|object| object["spec"]["timeColumn"] = json!("nope"), "spec.timeColumn").await;
    check(|object| object["spec"]["description"] = json!("breaks the engine's rule"), "spec.description").await;
    check(|object| object["metadata"]["name"] = json!("Not_A_Name"), "metadata.name").await;
    check(|object| object["metadata"]["labels"] = json!({"a": 1}), "metadata.labels.a").await;
    check(|object| object["metadata"]["labels"] = json!({"a": "-"}), "metadata.labels").await;
}

#[tokio::test]
async fn unknown_fields_are_refused_warned_about_or_dropped() {
    let house = House::new();
    let mut object = dataset("a");
    object["spec"]["onwer"] = json!("x");
    let (code, status) = house.post(&format!("{DATASETS}?fieldValidation=Strict"), &object).await;
    assert_eq!(code, StatusCode::BAD_REQUEST);
    assert!(status["message"].as_str().unwrap().contains("unknown field \"spec.onwer\""), "{status}");
    let json = [("content-type", "application/json")];
    let warned = raw(&house.admin, "POST", &format!("{DATASETS}?dryRun=All"), &json, &object).await;
    assert_eq!(warned.headers()["warning"], r#"299 - "unknown field \"spec.onwer\"""#);
    let ignored = raw(&house.admin, "POST", &format!("{DATASETS}?fieldValidation=Ignore"), &json, &object).await;
    assert!(ignored.headers().get("warning").is_none());
    assert!(house.get(&format!("{DATASETS}/a")).await.1["spec"].get("onwer").is_none());
}

#[tokio::test]
async fn the_envelope_must_fit_the_address() {
    let house = House::new();
    for (field, value) in [("apiVersion", json!("v1")), ("kind", json!("Model"))] {
        let mut object = dataset("a");
        object[field] = value;
        assert_eq!(house.post(DATASETS, &object).await.0, StatusCode::BAD_REQUEST, "{field}");
    }
    let mut object = dataset("a");
    object["metadata"]["namespace"] = json!("elsewhere");
    assert_eq!(house.post(DATASETS, &object).await.0, StatusCode::BAD_REQUEST);
    let (code, status) = house.post(&DATASETS.replace("default", "missing"), &dataset("a")).await;
    assert_eq!((code, &status["details"]["kind"]), (StatusCode::NOT_FOUND, &json!("namespaces")));
}

#[tokio::test]
async fn secrets_hold_base64() {
    let house = House::new();
    let secret = json!({"metadata": {"name": "s"}, "data": {"k": "not base64!"}});
    let (code, status) = house.post(SECRETS, &secret).await;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!status.to_string().contains("not base64!"));
}

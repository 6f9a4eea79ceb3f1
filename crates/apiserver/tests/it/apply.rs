//! Server-side apply.

use http::StatusCode;
use serde_json::json;

use crate::support::{DATASETS, House, dataset, version};

fn config(spec: &serde_json::Value) -> serde_json::Value {
    let mut config = dataset("a");
    for (name, value) in spec.as_object().unwrap() {
        config["spec"][name] = value.clone();
    }
    config
}

#[tokio::test]
async fn apply_creates_owns_gives_up_and_is_idempotent() {
    let house = House::new();
    let path = format!("{DATASETS}/a?fieldManager=one");
    let (code, first) = house.apply(&path, &config(&json!({"tags": {"k": "v"}, "description": "d"}))).await;
    assert_eq!(code, StatusCode::CREATED, "{first}");
    let entry = &first["metadata"]["managedFields"][0];
    assert_eq!((&entry["manager"], &entry["operation"]), (&json!("one"), &json!("Apply")));
    assert_eq!(entry["fieldsV1"]["f:spec"]["f:tags"], json!({"f:k": {}}));
    let again = house.apply(&path, &config(&json!({"tags": {"k": "v"}, "description": "d"}))).await.1;
    assert_eq!(version(&again), version(&first));
    let (code, second) = house.apply(&path, &config(&json!({}))).await;
    assert_eq!(code, StatusCode::OK);
    assert!(second["spec"].get("tags").is_none_or(|tags| *tags == json!({})), "{second}");
    assert_eq!(second["metadata"]["generation"], 2);
}

#[tokio::test]
async fn conflicts_name_the_manager_and_force_takes_the_field() {
    let house = House::new();
    house.apply(&format!("{DATASETS}/a?fieldManager=one"), &config(&json!({"description": "mine"}))).await;
    let other = config(&json!({"description": "yours"}));
    let (code, status) = house.apply(&format!("{DATASETS}/a?fieldManager=two"), &other).await;
    assert_eq!((code, &status["reason"]), (StatusCode::CONFLICT, &json!("Conflict")));
    let cause = &status["details"]["causes"][0];
    assert_eq!((&cause["reason"], &cause["field"]), (&json!("FieldManagerConflict"), &json!(".spec.description")));
    assert!(cause["message"].as_str().unwrap().contains("\"one\""));
    let (code, taken) = house.apply(&format!("{DATASETS}/a?fieldManager=two&force=true"), &other).await;
    assert_eq!((code, &taken["spec"]["description"]), (StatusCode::OK, &json!("yours")));
}

#[tokio::test]
async fn status_is_applied_at_its_own_endpoint() {
    let house = House::new();
    house.made(DATASETS, &dataset("a")).await;
    let mut object = dataset("a");
    object["status"] = json!({"rows": 5});
    object["spec"]["owner"] = json!("other");
    let (code, applied) = house.apply(&format!("{DATASETS}/a/status?fieldManager=c&force=true"), &object).await;
    assert_eq!(code, StatusCode::OK, "{applied}");
    assert_eq!((&applied["status"]["rows"], &applied["spec"]["owner"]), (&json!(5), &json!("team-a")));
    let entries = applied["metadata"]["managedFields"].as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["manager"] == "c" && entry["subresource"] == "status"));
    let (code, _) = house.apply(&format!("{DATASETS}/none/status?fieldManager=c"), &dataset("none")).await;
    assert_eq!(code, StatusCode::NOT_FOUND);
    let (code, _) = house.apply(&format!("{DATASETS}/a"), &dataset("a")).await;
    assert_eq!(code, StatusCode::BAD_REQUEST, "an apply must say who manages");
}

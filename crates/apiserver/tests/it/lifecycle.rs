//! Deletion: finalizers, owners, namespaces.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, DATASETS, House, NAMESPACES, call, config_map, dataset};

#[tokio::test]
async fn a_deletion_waits_for_the_finalizers() {
    let house = House::new();
    let path = format!("{DATASETS}/a");
    let mut object = dataset("a");
    object["metadata"]["finalizers"] = json!(["bedplate.dev/test"]);
    house.made(DATASETS, &object).await;
    let (_, waiting) = house.delete(&path).await;
    assert!(waiting["metadata"]["deletionTimestamp"].is_string(), "{waiting}");
    let more = json!({"metadata": {"finalizers": ["bedplate.dev/test", "x/y"]}});
    assert_eq!(house.merge(&path, &more).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.merge(&path, &json!({"metadata": {"finalizers": null}})).await.0, StatusCode::OK);
    assert_eq!(house.get(&path).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn preconditions_hold_the_object_that_was_meant() {
    let house = House::new();
    let made = house.made(DATASETS, &dataset("a")).await;
    let path = format!("{DATASETS}/a");
    let options = |uid: &Value| json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}});
    assert_eq!(call(&house.admin, "DELETE", &path, &options(&json!("other"))).await.0, StatusCode::CONFLICT);
    let (code, status) = call(&house.admin, "DELETE", &path, &options(&made["metadata"]["uid"])).await;
    assert_eq!((code, &status["status"]), (StatusCode::OK, &json!("Success")));
    assert_eq!(status["details"]["uid"], made["metadata"]["uid"]);
}

#[tokio::test]
async fn dependents_go_with_their_last_owner() {
    let house = House::new();
    let mut owners = Vec::new();
    for name in ["one", "two"] {
        let made = house.made(CONFIG_MAPS, &config_map(name)).await;
        owners.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": made["metadata"]["uid"]}));
    }
    let mut child = dataset("child");
    child["metadata"]["ownerReferences"] = json!(owners);
    let child = house.made(DATASETS, &child).await;
    let mut grandchild = dataset("grandchild");
    grandchild["metadata"]["ownerReferences"] = json!([{"apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "name": "child", "uid": child["metadata"]["uid"]}]);
    house.made(DATASETS, &grandchild).await;
    house.delete(&format!("{CONFIG_MAPS}/one")).await;
    let (_, left) = house.get(&format!("{DATASETS}/child")).await;
    assert_eq!(left["metadata"]["ownerReferences"], json!([owners[1]]));
    house.delete(&format!("{CONFIG_MAPS}/two")).await;
    assert_eq!(house.get(&format!("{DATASETS}/child")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.get(&format!("{DATASETS}/grandchild")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_namespace_takes_its_contents_and_waits_for_what_is_held() {
    let house = House::new();
    house.made(NAMESPACES, &json!({"metadata": {"name": "n"}})).await;
    let maps = CONFIG_MAPS.replace("default", "n");
    let mut held = config_map("held");
    held["metadata"]["finalizers"] = json!(["x/y"]);
    house.made(&maps, &held).await;
    house.made(&maps, &config_map("free")).await;
    let (_, namespace) = house.delete(&format!("{NAMESPACES}/n")).await;
    assert_eq!(namespace["status"]["phase"], "Terminating");
    assert_eq!(house.get(&format!("{maps}/free")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.post(&maps, &config_map("late")).await.0, StatusCode::FORBIDDEN);
    house.merge(&format!("{maps}/held"), &json!({"metadata": {"finalizers": []}})).await;
    assert_eq!(house.get(&format!("{NAMESPACES}/n")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.delete(&format!("{NAMESPACES}/default")).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_namespace_waits_for_its_own_finalizers_too() {
    let house = House::new();
    house.made(NAMESPACES, &json!({"metadata": {"name": "n", "finalizers": ["x/y"]}})).await;
    house.delete(&format!("{NAMESPACES}/n")).await;
    assert_eq!(house.get(&format!("{NAMESPACES}/n")).await.1["metadata"]["finalizers"], json!(["x/y"]));
    house.merge(&format!("{NAMESPACES}/n"), &json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(house.get(&format!("{NAMESPACES}/n")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_collection_is_deleted_by_selection() {
    let house = House::new();
    for (name, tier) in [("a", "tin"), ("b", "gold")] {
        let mut object = config_map(name);
        object["metadata"]["labels"] = json!({ "tier": tier });
        house.made(CONFIG_MAPS, &object).await;
    }
    house.delete(&format!("{CONFIG_MAPS}?labelSelector=tier%3Dtin")).await;
    assert_eq!(house.get(&format!("{CONFIG_MAPS}/a")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.get(&format!("{CONFIG_MAPS}/b")).await.0, StatusCode::OK);
}

//! What a deletion means for the dependents.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, House, call, config_map};

/// Makes the map `name`, owned by `owners`: each with whether it is blocked by the new one.
async fn made(house: &House, name: &str, owners: &[(&Value, bool)], finalizers: &[&str]) -> Value {
    let mut object = config_map(name);
    let reference = |(owner, blocks): &(&Value, bool)| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
               "blockOwnerDeletion": blocks})
    };
    object["metadata"]["ownerReferences"] = owners.iter().map(reference).collect();
    object["metadata"]["finalizers"] = json!(finalizers);
    house.made(CONFIG_MAPS, &object).await
}

async fn delete(house: &House, name: &str, policy: &str) -> Value {
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
    let (code, answer) = call(&house.admin, "DELETE", &format!("{CONFIG_MAPS}/{name}"), &options).await;
    assert_eq!(code, StatusCode::OK, "{answer}");
    answer
}

async fn names(house: &House) -> Vec<String> {
    let list = house.get(CONFIG_MAPS).await.1;
    let items = list["items"].as_array().unwrap();
    items.iter().map(|one| one["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn let_go(house: &House, name: &str) {
    house.merge(&format!("{CONFIG_MAPS}/{name}"), &json!({"metadata": {"finalizers": null}})).await;
}

/// The deletions that were told, in order.
async fn deletions(house: &House) -> Vec<String> {
    let rows =
        house.db.read(|tx| tx.query("SELECT name FROM api_changes WHERE event = 'DELETED' ORDER BY version", &[]));
    rows.unwrap().iter().map(|row| row.text(0).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn in_the_foreground_dependents_go_before_their_owner() {
    let house = House::new();
    let owner = made(&house, "owner", &[], &[]).await;
    let child = made(&house, "child", &[(&owner, true)], &[]).await;
    made(&house, "grandchild", &[(&child, true)], &[]).await;
    let answer = delete(&house, "owner", "Foreground").await;
    assert_eq!(answer["status"], "Success", "nothing held it: {answer}");
    assert_eq!(deletions(&house).await, ["grandchild", "child", "owner"]);
    assert_eq!(names(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_owner_waits_for_the_dependents_that_block_it_and_for_no_others() {
    let house = House::new();
    let owner = made(&house, "owner", &[], &[]).await;
    made(&house, "blocks", &[(&owner, true)], &["x/y"]).await;
    made(&house, "idle", &[(&owner, false)], &["x/y"]).await;
    let waiting = delete(&house, "owner", "Foreground").await;
    assert_eq!(waiting["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    assert!(waiting["metadata"]["deletionTimestamp"].is_string());
    let held = house.get(&format!("{CONFIG_MAPS}/blocks")).await.1;
    assert!(held["metadata"]["deletionTimestamp"].is_string(), "it is being deleted: {held}");
    let idle = house.get(&format!("{CONFIG_MAPS}/idle")).await.1;
    assert!(idle["metadata"]["deletionTimestamp"].is_null(), "its turn comes after the owner's: {idle}");
    let_go(&house, "blocks").await;
    assert_eq!(names(&house).await, ["idle"]);
    let idle = house.get(&format!("{CONFIG_MAPS}/idle")).await.1;
    assert!(idle["metadata"]["deletionTimestamp"].is_string(), "now it is: {idle}");
}

#[tokio::test]
async fn an_owner_goes_when_what_blocked_it_no_longer_does() {
    let house = House::new();
    for patch in [json!([]), Value::Null] {
        let owner = made(&house, "owner", &[], &[]).await;
        made(&house, "blocks", &[(&owner, true)], &["x/y"]).await;
        delete(&house, "owner", "Foreground").await;
        assert_eq!(names(&house).await, ["blocks", "owner"]);
        let path = format!("{CONFIG_MAPS}/blocks");
        house.merge(&path, &json!({"metadata": {"ownerReferences": patch}})).await;
        assert_eq!(names(&house).await, ["blocks"]);
        let_go(&house, "blocks").await;
    }
}

#[tokio::test]
async fn a_dependent_with_another_owner_stays_in_the_foreground_too() {
    let house = House::new();
    let one = made(&house, "one", &[], &[]).await;
    let two = made(&house, "two", &[], &[]).await;
    made(&house, "shared", &[(&one, true), (&two, true)], &[]).await;
    delete(&house, "one", "Foreground").await;
    assert_eq!(names(&house).await, ["shared", "two"]);
    let shared = house.get(&format!("{CONFIG_MAPS}/shared")).await.1;
    let owners = shared["metadata"]["ownerReferences"].as_array().unwrap();
    assert_eq!((owners.len(), &owners[0]["uid"]), (1, &two["metadata"]["uid"]));
}

#[tokio::test]
async fn owners_of_each_other_do_not_wait_for_ever() {
    let house = House::new();
    let a = made(&house, "a", &[], &[]).await;
    let b = made(&house, "b", &[(&a, true)], &[]).await;
    let reference = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "b", "uid": b["metadata"]["uid"], "blockOwnerDeletion": true}]);
    house.merge(&format!("{CONFIG_MAPS}/a"), &json!({"metadata": {"ownerReferences": reference}})).await;
    delete(&house, "a", "Foreground").await;
    assert_eq!(names(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn orphans_lose_the_owner_and_stay() {
    for (query, options) in [
        ("", json!({"propagationPolicy": "Orphan"})),
        ("", json!({"orphanDependents": true})),
        ("?propagationPolicy=Orphan", Value::Null),
        ("?orphanDependents=true", Value::Null),
    ] {
        let house = House::new();
        let owner = made(&house, "owner", &[], &[]).await;
        made(&house, "child", &[(&owner, true)], &[]).await;
        let path = format!("{CONFIG_MAPS}/owner{query}");
        let mut options = options;
        if options.is_object() {
            options["kind"] = "DeleteOptions".into();
        }
        assert_eq!(call(&house.admin, "DELETE", &path, &options).await.0, StatusCode::OK);
        assert_eq!(names(&house).await, ["child"]);
        let child = house.get(&format!("{CONFIG_MAPS}/child")).await.1;
        assert!(child["metadata"]["ownerReferences"].is_null(), "{child}");
    }
}

#[tokio::test]
async fn a_dry_run_and_an_unknown_policy_change_nothing() {
    let house = House::new();
    let owner = made(&house, "owner", &[], &[]).await;
    made(&house, "child", &[(&owner, true)], &[]).await;
    for policy in ["Foreground", "Orphan", "Background"] {
        let path = format!("{CONFIG_MAPS}/owner?dryRun=All&propagationPolicy={policy}");
        assert_eq!(house.delete(&path).await.0, StatusCode::OK);
    }
    let (code, status) = house.delete(&format!("{CONFIG_MAPS}/owner?propagationPolicy=Sideways")).await;
    assert_eq!((code, &status["reason"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("Invalid")));
    let child = house.get(&format!("{CONFIG_MAPS}/child")).await.1;
    assert_eq!(child["metadata"]["ownerReferences"][0]["uid"], owner["metadata"]["uid"]);
    assert_eq!(names(&house).await, ["child", "owner"]);
}

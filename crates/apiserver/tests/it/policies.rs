//! Policies of people's: refused with the place of the flaw, counting from the moment they are stored, and keeping single
//! objects out of sight.

use bedplate_identity::Principal;
use bedplate_policy::Role;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, DATASETS, House, NAMESPACES, call, config_map, dataset};

const POLICIES: &str = "/apis/bedplate.dev/v1alpha1/namespaces/default/policies";

fn policy(name: &str, cedar: &str) -> Value {
    json!({"apiVersion": "bedplate.dev/v1alpha1", "kind": "Policy", "metadata": {"name": name}, "spec": {"cedar": cedar}})
}

#[tokio::test]
async fn a_flawed_policy_is_refused_with_its_place_and_nothing_is_stored() {
    let house = House::new();
    for (cedar, words) in [
        ("permit (principal, action, resource", "line 1, column"),
        ("forbid (principal, action, resource)\nwhen { resource.knid == \"x\" };", "line 2, column"),
        ("forbid (principal, action, resource in Namespace::\"other\");", "bedplate-system"),
    ] {
        let (code, status) = house.post(POLICIES, &policy("p", cedar)).await;
        assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY, "{status}");
        let cause = &status["details"]["causes"][0];
        assert_eq!(cause["field"], "spec.cedar", "{status}");
        assert!(cause["message"].as_str().unwrap().contains(words), "{status}");
    }
    assert_eq!(house.get(&format!("{POLICIES}/p")).await.0, StatusCode::NOT_FOUND);
    let elsewhere = POLICIES.replace("default", "bedplate-system");
    house
        .made(&elsewhere, &policy("p", "forbid (principal == User::\"x\", action, resource in Namespace::\"other\");"))
        .await;
}

#[tokio::test]
async fn a_policy_counts_at_once_and_goes_with_its_object() {
    let house = House::new();
    let ana = house.somebody("user:ana", "default", Role::Editor);
    let forbid = "@why(\"it is frozen\") forbid (principal, action in [Action::\"create\"], resource is ConfigMap);";
    house.made(POLICIES, &policy("frozen", forbid)).await;
    let (code, status) = call(&ana, "POST", CONFIG_MAPS, &config_map("a")).await;
    assert_eq!(code, StatusCode::FORBIDDEN);
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("forbidden by policy default/frozen: it is frozen"), "{message}");
    for method in ["PUT", "DELETE"] {
        let tried = call(&ana, method, &format!("{POLICIES}/frozen"), &policy("frozen", forbid)).await;
        assert_eq!(tried.0, StatusCode::FORBIDDEN, "an editor may not {method} policies");
    }
    house
        .merge(&format!("{POLICIES}/frozen"), &json!({"spec": {"cedar": forbid.replace("ConfigMap", "Secret")}}))
        .await;
    assert_eq!(call(&ana, "POST", CONFIG_MAPS, &config_map("a")).await.0, StatusCode::CREATED);
    house.merge(&format!("{POLICIES}/frozen"), &json!({"spec": {"cedar": forbid}})).await;
    assert_eq!(call(&ana, "POST", CONFIG_MAPS, &config_map("b")).await.0, StatusCode::FORBIDDEN);
    house.delete(&format!("{POLICIES}/frozen")).await;
    assert_eq!(call(&ana, "POST", CONFIG_MAPS, &config_map("b")).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_policy_goes_with_its_namespace_and_a_dry_run_changes_nothing() {
    let house = House::new();
    house.made(NAMESPACES, &json!({"metadata": {"name": "team"}})).await;
    let ana = house.somebody("user:ana", "team", Role::Viewer);
    let (maps, policies) = (CONFIG_MAPS.replace("default", "team"), POLICIES.replace("default", "team"));
    let forbid = policy("p", "forbid (principal, action, resource is ConfigMap);");
    assert_eq!(house.post(&format!("{policies}?dryRun=All"), &forbid).await.0, StatusCode::CREATED);
    house.made(&maps, &config_map("wakes")).await;
    assert_eq!(call(&ana, "GET", &maps, &Value::Null).await.0, StatusCode::OK);
    house.made(&policies, &forbid).await;
    assert_eq!(call(&ana, "GET", &maps, &Value::Null).await.0, StatusCode::FORBIDDEN);
    house.delete(&format!("{NAMESPACES}/team")).await;
    house.made(NAMESPACES, &json!({"metadata": {"name": "team"}})).await;
    assert_eq!(call(&ana, "GET", &maps, &Value::Null).await.0, StatusCode::OK, "a policy outlived its namespace");
}

#[tokio::test]
async fn objects_that_a_policy_hides_are_not_there() {
    let house = House::new();
    let ana = house.somebody("user:ana", "default", Role::Editor);
    let labelled =
        |name: &str, tier: &str| json!({"metadata": {"name": name, "labels": {"tier": tier}}, "data": {"a": "b"}});
    for (name, tier) in [("one", "gold"), ("two", "tin"), ("three", "gold")] {
        house.made(CONFIG_MAPS, &labelled(name, tier)).await;
    }
    let hide = "forbid (principal, action, resource is ConfigMap)
        when { resource.hasTag(\"tier\") && resource.getTag(\"tier\") == \"gold\" };";
    house.made(POLICIES, &policy("gold", hide)).await;
    let (code, list) = call(&ana, "GET", &format!("{CONFIG_MAPS}?limit=1"), &Value::Null).await;
    assert_eq!((code, list["items"].as_array().unwrap().len()), (StatusCode::OK, 1));
    assert_eq!(
        (&list["items"][0]["metadata"]["name"], &list["metadata"]["remainingItemCount"]),
        (&json!("two"), &Value::Null)
    );
    let one = format!("{CONFIG_MAPS}/one");
    let nowhere = call(&ana, "GET", &format!("{CONFIG_MAPS}/nowhere"), &Value::Null).await;
    for (method, body) in [("GET", Value::Null), ("PUT", labelled("one", "tin")), ("DELETE", Value::Null)] {
        let (code, status) = call(&ana, method, &one, &body).await;
        assert_eq!(code, StatusCode::NOT_FOUND, "{method} {status}");
        assert_eq!(status.to_string().replace("one", "nowhere"), nowhere.1.to_string(), "{method}");
    }
    let relabel = call(&ana, "PUT", &format!("{CONFIG_MAPS}/two"), &labelled("two", "gold")).await;
    assert_ne!(relabel.0, StatusCode::OK, "what becomes hidden may not be made so");
    assert_eq!(call(&ana, "POST", CONFIG_MAPS, &labelled("four", "gold")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(call(&ana, "DELETE", CONFIG_MAPS, &Value::Null).await.0, StatusCode::OK);
    let left = house.get(CONFIG_MAPS).await.1;
    let names: Vec<_> = left["items"].as_array().unwrap().iter().map(|one| one["metadata"]["name"].clone()).collect();
    assert_eq!(names, [json!("one"), json!("three")], "the administrator sees them, and ana deleted her own only");
}

#[tokio::test]
async fn nobody_but_the_platform_says_what_was_done_to_data() {
    let house = House::new();
    house.made(DATASETS, &dataset("claims")).await;
    let path = format!("{DATASETS}/claims/status");
    let read = house.get(&format!("{DATASETS}/claims")).await.1;
    let mut claimed = read.clone();
    claimed["status"] = json!({"deidentified": true});
    let (code, status) = house.put(&path, &claimed).await;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY, "{status}");
    assert_eq!(status["details"]["causes"][0]["field"], "status.deidentified");
    let platform = house.server.in_process(Principal::new("system:controllers"));
    assert_eq!(call(&platform, "PUT", &path, &claimed).await.0, StatusCode::OK);
    let mut other = house.get(&format!("{DATASETS}/claims")).await.1;
    other["status"]["rows"] = json!(1);
    assert_eq!(house.put(&path, &other).await.0, StatusCode::OK, "the rest of a status is written as before");
    let (_, refused) = house
        .post(DATASETS, &{
            let mut tagged = dataset("tagged");
            tagged["spec"]["tags"] = json!({"deidentified": "true"});
            tagged
        })
        .await;
    assert_eq!(refused["details"]["causes"][0]["field"], "spec.tags.deidentified", "{refused}");
}

//! Who may do what, and what a refusal gives away.

use bedplate_identity::Principal;
use bedplate_policy::Role;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, DATASETS, House, NAMESPACES, admin, call, config_map, dataset, send};

/// Every verb with an address it works at.
const OPERATIONS: [(&str, &str, &str); 8] = [
    ("GET", "", "list"),
    ("GET", "?watch=1&timeoutSeconds=1", "watch"),
    ("POST", "", "create"),
    ("DELETE", "", "deletecollection"),
    ("GET", "/a", "get"),
    ("PUT", "/a", "update"),
    ("PATCH", "/a", "patch"),
    ("DELETE", "/a", "delete"),
];

#[tokio::test]
async fn nothing_of_any_resource_is_open_to_a_stranger() {
    let house = House::new();
    let stranger = house.server.in_process(Principal::new("user:stranger"));
    for resource in house.server.resources() {
        let scope = if resource.is_namespaced() { "/namespaces/default" } else { "" };
        let path = format!("{}{scope}/{}", resource.path_prefix(), resource.plural());
        for (method, rest, verb) in OPERATIONS {
            let (code, status) = call(&stranger, method, &format!("{path}{rest}"), &json!({})).await;
            assert_eq!((code, &status["reason"]), (StatusCode::FORBIDDEN, &json!("Forbidden")), "{verb} {path}");
        }
    }
}

#[tokio::test]
async fn a_refusal_does_not_tell_what_exists() {
    let house = House::new();
    house.made(DATASETS, &dataset("there")).await;
    let stranger = house.server.in_process(Principal::new("user:stranger"));
    let mut answers = Vec::new();
    for (namespace, name) in [("default", "there"), ("default", "nowhere")] {
        let path = format!("{}/{name}", DATASETS.replace("default", namespace));
        let answer = call(&stranger, "GET", &path, &Value::Null).await;
        answers.push(answer.1.to_string().replace(name, "NAME"));
    }
    assert_eq!(answers[0], answers[1]);
    let missing = call(&stranger, "GET", &format!("{}/x", DATASETS.replace("default", "missing")), &Value::Null).await;
    assert_eq!(missing.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn roles_reach_as_far_as_their_namespace() {
    let house = House::new();
    house.made(NAMESPACES, &json!({"metadata": {"name": "other"}})).await;
    let viewer = house.somebody("user:viewer", "default", Role::Viewer);
    let editor = house.somebody("user:editor", "default", Role::Editor);
    assert_eq!(call(&viewer, "GET", CONFIG_MAPS, &Value::Null).await.0, StatusCode::OK);
    assert_eq!(call(&viewer, "POST", CONFIG_MAPS, &config_map("a")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(call(&editor, "POST", CONFIG_MAPS, &config_map("a")).await.0, StatusCode::CREATED);
    let elsewhere = CONFIG_MAPS.replace("default", "other");
    assert_eq!(call(&editor, "POST", &elsewhere, &config_map("a")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(call(&editor, "GET", "/api/v1/configmaps", &Value::Null).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_role_binding_counts_at_once_and_goes_with_its_namespace() {
    let house = House::new();
    let team = json!({"metadata": {"name": "team"}});
    house.made(NAMESPACES, &team).await;
    let ana = house.server.in_process(Principal { name: "user:ana".into(), groups: vec!["data".into()] });
    let maps = CONFIG_MAPS.replace("default", "team");
    let bindings = "/apis/bedplate.dev/v1alpha1/namespaces/team/rolebindings";
    let binding = |role: &str| {
        let subjects = json!([{"kind": "Group", "name": "data"}]);
        json!({"apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding", "metadata": {"name": "data"},
               "spec": {"role": role, "subjects": subjects}})
    };
    assert_eq!(call(&ana, "POST", &maps, &config_map("a")).await.0, StatusCode::FORBIDDEN);
    house.made(bindings, &binding("editor")).await;
    assert_eq!(call(&ana, "POST", &maps, &config_map("a")).await.0, StatusCode::CREATED);
    assert_eq!(call(&ana, "POST", CONFIG_MAPS, &config_map("a")).await.0, StatusCode::FORBIDDEN);
    for method in ["PUT", "DELETE"] {
        let tried = call(&ana, method, &format!("{bindings}/data"), &binding("owner")).await;
        assert_eq!(tried.0, StatusCode::FORBIDDEN, "an editor may not {method} bindings");
    }
    house.merge(&format!("{bindings}/data"), &json!({"spec": {"role": "viewer"}})).await;
    assert_eq!(call(&ana, "POST", &maps, &config_map("b")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(call(&ana, "GET", &maps, &Value::Null).await.0, StatusCode::OK);
    house.delete(&format!("{NAMESPACES}/team")).await;
    house.made(NAMESPACES, &team).await;
    assert_eq!(call(&ana, "GET", &maps, &Value::Null).await.0, StatusCode::FORBIDDEN, "a grant outlived its binding");
}

#[tokio::test]
async fn a_dry_run_of_a_binding_grants_nothing() {
    let house = House::new();
    let spec = json!({"role": "owner", "subjects": [{"kind": "User", "name": "ana"}]});
    let binding =
        json!({"apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding", "metadata": {"name": "b"}, "spec": spec});
    let path = "/apis/bedplate.dev/v1alpha1/namespaces/default/rolebindings?dryRun=All";
    assert_eq!(house.post(path, &binding).await.0, StatusCode::CREATED);
    house.made(CONFIG_MAPS, &config_map("wakes")).await;
    let ana = house.server.in_process(Principal::new("user:ana"));
    assert_eq!(call(&ana, "GET", CONFIG_MAPS, &Value::Null).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn tokens_open_the_networks_door() {
    let house = House::new();
    let router = house.server.router();
    for headers in [vec![], vec![("authorization", "Bearer bp_nonsense")]] {
        let (code, status) = send(&router, "GET", DATASETS, &headers, &Value::Null).await;
        assert_eq!((code, &status["reason"]), (StatusCode::UNAUTHORIZED, &json!("Unauthorized")));
        assert_eq!(send(&router, "GET", "/apis", &headers, &Value::Null).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(send(&router, "GET", "/version", &headers, &Value::Null).await.0, StatusCode::OK);
    }
    let bearer = format!("Bearer {}", house.token(admin()));
    assert_eq!(send(&router, "GET", DATASETS, &[("authorization", &bearer)], &Value::Null).await.0, StatusCode::OK);
}

#[tokio::test]
async fn access_reviews_answer_as_the_policy_does() {
    let house = House::new();
    let viewer = house.somebody("user:viewer", "default", Role::Viewer);
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    for (verb, allowed) in [("get", true), ("delete", false)] {
        let attributes = json!({"namespace": "default", "verb": verb, "group": "bedplate.dev", "resource": "datasets"});
        let review = call(&viewer, "POST", path, &json!({"spec": {"resourceAttributes": attributes}})).await.1;
        assert_eq!(review["status"]["allowed"], allowed, "{verb}");
    }
}

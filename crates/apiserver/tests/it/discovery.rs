//! What clients ask before they ask for anything.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{House, send};

#[tokio::test]
async fn plain_and_aggregated_discovery_name_the_same_resources() {
    let house = House::new();
    let plain = house.get("/apis/bedplate.dev/v1alpha1").await.1;
    let plain: Vec<_> =
        plain["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let accept = [("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")];
    let aggregated = send(&house.admin, "GET", "/apis", &accept, &Value::Null).await.1;
    assert_eq!(aggregated["kind"], "APIGroupDiscoveryList");
    let groups = aggregated["items"].as_array().unwrap();
    let group = groups.iter().find(|group| group["metadata"]["name"] == "bedplate.dev").unwrap();
    let resources = group["versions"][0]["resources"].as_array().unwrap();
    assert_eq!(resources.len(), bedplate_kinds::registry::kinds().len());
    for resource in resources {
        let name = resource["resource"].as_str().unwrap();
        assert!(plain.contains(&name) && plain.contains(&format!("{name}/status").as_str()), "{name}");
    }
    let core = send(&house.admin, "GET", "/api", &accept, &Value::Null).await.1;
    assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
    assert_eq!(house.get("/apis/nothing.dev/v1").await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/apis").await.1["kind"], "APIGroupList");
}

#[tokio::test]
async fn openapi_documents_describe_every_resource() {
    let house = House::new();
    let index = house.get("/openapi/v3").await.1;
    for resource in house.server.resources() {
        let path = resource.path_prefix();
        let address = index["paths"][path.trim_start_matches('/')]["serverRelativeURL"].as_str().unwrap();
        let document = house.get(address).await.1;
        if resource.is_read_only() {
            assert!(document["paths"][format!("{path}/{}", resource.plural())].get("post").is_none());
            continue;
        }
        let scope = if resource.is_namespaced() { "/namespaces/{namespace}" } else { "" };
        let patch = &document["paths"][format!("{path}{scope}/{}/{{name}}", resource.plural())]["patch"];
        assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], resource.kind());
        assert!(patch["parameters"].as_array().unwrap().iter().any(|one| one["name"] == "fieldValidation"));
    }
}

#[tokio::test]
async fn health_and_version() {
    let house = House::new();
    assert_eq!(house.get("/version").await.1["gitVersion"], "v1.32.0-bedplate");
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(house.get(path).await, (StatusCode::OK, json!(null)));
    }
}

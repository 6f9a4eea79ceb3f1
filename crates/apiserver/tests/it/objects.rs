//! Create, get, list, update, patch.

use http::StatusCode;
use serde_json::json;

use crate::support::{CONFIG_MAPS, DATASETS, House, SECRETS, call, config_map, dataset, send, version};

#[tokio::test]
async fn a_new_object_gets_what_the_server_gives() {
    let house = House::new();
    let made = house.made(DATASETS, &dataset("a")).await;
    let metadata = &made["metadata"];
    assert_eq!(metadata["namespace"], "default");
    assert_eq!(metadata["generation"], 1);
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    assert!(metadata["creationTimestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(made["spec"]["classification"], "internal", "defaults are filled in");
    assert_eq!(house.get(&format!("{DATASETS}/a")).await, (StatusCode::OK, made));
    let (code, status) = house.post(DATASETS, &dataset("a")).await;
    assert_eq!((code, &status["reason"]), (StatusCode::CONFLICT, &json!("AlreadyExists")));
}

#[tokio::test]
async fn names_are_generated() {
    let house = House::new();
    let mut object = config_map("");
    object["metadata"] = json!({ "generateName": "run-" });
    let made = house.made(CONFIG_MAPS, &object).await;
    let name = made["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("run-") && name.len() == 9, "{name}");
}

#[tokio::test]
async fn generation_counts_specs_and_not_status_or_labels() {
    let house = House::new();
    let path = format!("{DATASETS}/a");
    house.made(DATASETS, &dataset("a")).await;
    let labelled = house.merge(&path, &json!({"metadata": {"labels": {"x": "y"}}})).await.1;
    assert_eq!(labelled["metadata"]["generation"], 1);
    let with_status =
        house.merge(&format!("{path}/status"), &json!({"status": {"rows": 7}, "spec": {"owner": "b"}})).await.1;
    assert_eq!((&with_status["metadata"]["generation"], &with_status["status"]["rows"]), (&json!(1), &json!(7)));
    assert_eq!(with_status["spec"]["owner"], "team-a", "the status endpoint changes nothing else");
    let changed = house.merge(&path, &json!({"spec": {"owner": "b"}, "status": {"rows": 9}})).await.1;
    assert_eq!((&changed["metadata"]["generation"], &changed["spec"]["owner"]), (&json!(2), &json!("b")));
    assert_eq!(changed["status"]["rows"], 7, "the main endpoint leaves the status alone");
}

#[tokio::test]
async fn a_write_that_changes_nothing_makes_no_version() {
    let house = House::new();
    let made = house.made(DATASETS, &dataset("a")).await;
    let again = house.put(&format!("{DATASETS}/a"), &made).await.1;
    assert_eq!(again, made);
    let patched = house.merge(&format!("{DATASETS}/a"), &json!({"spec": {"owner": "team-a"}})).await.1;
    assert_eq!(version(&patched), version(&made));
}

#[tokio::test]
async fn an_update_of_an_old_version_is_refused() {
    let house = House::new();
    let path = format!("{DATASETS}/a");
    let old = house.made(DATASETS, &dataset("a")).await;
    house.merge(&path, &json!({"spec": {"owner": "b"}})).await;
    let (code, status) = house.put(&path, &old).await;
    assert_eq!((code, &status["reason"]), (StatusCode::CONFLICT, &json!("Conflict")));
    let (code, _) = house.put(&path, &dataset("a")).await;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY, "an update must name the version");
    let (code, _) = house.put(&format!("{DATASETS}/none"), &dataset("none")).await;
    assert_eq!(code, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn json_patch_with_a_test_and_the_415_of_strategic_merge() {
    let house = House::new();
    house.made(DATASETS, &dataset("a")).await;
    let path = format!("{DATASETS}/a");
    let json_patch = [("content-type", "application/json-patch+json")];
    let wrong = json!([{"op": "test", "path": "/spec/owner", "value": "x"}]);
    assert_eq!(send(&house.admin, "PATCH", &path, &json_patch, &wrong).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let right = json!([{"op": "test", "path": "/spec/owner", "value": "team-a"}, {"op": "replace", "path": "/spec/owner", "value": "b"}]);
    assert_eq!(send(&house.admin, "PATCH", &path, &json_patch, &right).await.1["spec"]["owner"], "b");
    let strategic = [("content-type", "application/strategic-merge-patch+json")];
    let (code, _) = send(&house.admin, "PATCH", &path, &strategic, &json!({"spec": {}})).await;
    assert_eq!(code, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    house.made(CONFIG_MAPS, &config_map("c")).await;
    let patch = json!({"data": {"k": null, "n": "m"}});
    let (code, patched) = send(&house.admin, "PATCH", &format!("{CONFIG_MAPS}/c"), &strategic, &patch).await;
    assert_eq!((code, &patched["data"]), (StatusCode::OK, &json!({"n": "m"})));
}

#[tokio::test]
async fn a_dry_run_answers_and_keeps_nothing() {
    let house = House::new();
    let (code, dry) = house.post(&format!("{DATASETS}?dryRun=All"), &dataset("a")).await;
    assert_eq!((code, &dry["metadata"]["generation"]), (StatusCode::CREATED, &json!(1)));
    assert_eq!(house.get(&format!("{DATASETS}/a")).await.0, StatusCode::NOT_FOUND);
    house.made(DATASETS, &dataset("a")).await;
    assert_eq!(house.delete(&format!("{DATASETS}/a?dryRun=All")).await.0, StatusCode::OK);
    assert_eq!(house.get(&format!("{DATASETS}/a")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn lists_select_and_page() {
    let house = House::new();
    for (name, tier) in [("a", "gold"), ("b", "tin"), ("c", "gold"), ("d", "gold")] {
        let mut object = config_map(name);
        object["metadata"]["labels"] = json!({ "tier": tier });
        house.made(CONFIG_MAPS, &object).await;
    }
    let names = |list: &serde_json::Value| -> Vec<String> {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let gold = house.get(&format!("{CONFIG_MAPS}?labelSelector=tier%20in%20(gold)&limit=2")).await.1;
    assert_eq!(names(&gold), ["a", "c"]);
    let token = gold["metadata"]["continue"].as_str().unwrap();
    let rest = house.get(&format!("{CONFIG_MAPS}?labelSelector=tier%3Dgold&limit=2&continue={token}")).await.1;
    assert_eq!((names(&rest), &rest["metadata"]["continue"]), (vec!["d".to_owned()], &json!(null)));
    assert_eq!(rest["metadata"]["resourceVersion"], gold["metadata"]["resourceVersion"]);
    let one = house.get("/api/v1/configmaps?fieldSelector=metadata.name%3Db,metadata.namespace%3Ddefault").await.1;
    assert_eq!(names(&one), ["b"]);
    assert_eq!(house.get(&format!("{CONFIG_MAPS}?fieldSelector=data.k%3Dv")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(house.get(&format!("{CONFIG_MAPS}?continue=nonsense")).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn tables_have_the_columns_of_the_kind() {
    let house = House::new();
    house.made(DATASETS, &dataset("a")).await;
    house.merge(&format!("{DATASETS}/a/status"), &json!({"status": {"phase": "Ready", "rows": 3}})).await;
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")];
    let table = send(&house.admin, "GET", DATASETS, &accept, &json!(null)).await.1;
    let headers: Vec<_> = table["columnDefinitions"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(headers, ["Name", "Phase", "Rows", "Quarantined", "Owner", "Classification", "Age"]);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(cells[..3], [json!("a"), json!("Ready"), json!(3)]);
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
}

#[tokio::test]
async fn secrets_fold_string_data_and_stay_out_of_the_audit_log() {
    let house = House::new();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "hunter2"},
    });
    let made = house.made(SECRETS, &secret).await;
    assert_eq!((&made["data"]["password"], &made["type"]), (&json!("aHVudGVyMg=="), &json!("Opaque")));
    let entries = house.db.read(|tx| bedplate_audit::entries(tx, 0, 100)).unwrap();
    let (_, last) = entries.last().unwrap();
    assert_eq!((last.action.as_str(), last.object.as_str()), ("create", "secrets/default/s"));
    assert_eq!(last.actor, "user:admin");
    let told = last.detail.to_string();
    assert!(!told.contains("hunter2") && !told.contains("aHVudGVyMg") && !told.contains("digest"), "{told}");
}

#[tokio::test]
async fn secrets_lie_sealed_in_the_database() {
    let house = House::new();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "data": {"password": "aHVudGVyMg=="},
        "metadata": {"name": "s", "annotations": {"last-applied": "aHVudGVyMg=="}},
    });
    house.made(SECRETS, &secret).await;
    house.merge(&format!("{SECRETS}/s"), &json!({"data": {"user": "aHVudGVyMg=="}})).await;
    for table in ["api_objects", "api_changes"] {
        let rows = house.db.read(|tx| tx.query(&format!("SELECT body FROM {table} WHERE resource = 'secrets'"), &[]));
        let rows = rows.unwrap();
        assert!(!rows.is_empty(), "{table}");
        for row in rows {
            let body = row.text(0).unwrap();
            assert!(body.contains("sealed") && !body.contains("aHVudGVyMg"), "{table}: {body}");
        }
    }
    let (_, read) = house.get(&format!("{SECRETS}/s")).await;
    assert_eq!(read["data"], json!({"password": "aHVudGVyMg==", "user": "aHVudGVyMg=="}));
    assert_eq!(read["metadata"]["annotations"]["last-applied"], "aHVudGVyMg==");
    let (_, list) = house.get(SECRETS).await;
    assert_eq!(list["items"][0]["data"], read["data"]);
}

#[tokio::test]
async fn every_change_is_one_audit_leaf() {
    let house = House::new();
    let leaves = || house.db.read(|tx| bedplate_audit::entries(tx, 0, 100)).unwrap();
    let before = leaves().len();
    let made = house.made(DATASETS, &dataset("a")).await;
    house.merge(&format!("{DATASETS}/a/status"), &json!({"status": {"rows": 1}})).await;
    house.put(&format!("{DATASETS}/a"), &made).await;
    house.delete(&format!("{DATASETS}/a")).await;
    let told: Vec<_> = leaves()[before..].iter().map(|(_, one)| (one.action.clone(), one.object.clone())).collect();
    let of = |action: &str| (action.to_owned(), "datasets/default/a".to_owned());
    assert_eq!(told, [of("create"), of("patch"), of("delete")], "the refused update leaves nothing");
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let house = House::new();
    assert_eq!(house.get("/api/v1/namespaces/default/pods").await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.get(&format!("{CONFIG_MAPS}/c/status")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.put(DATASETS, &dataset("a")).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let (code, status) = call(&house.admin, "POST", DATASETS, &json!([])).await;
    assert_eq!((code, &status["kind"]), (StatusCode::BAD_REQUEST, &json!("Status")));
    let huge = json!({ "data": "x".repeat(4 << 20) });
    assert_eq!(house.post(CONFIG_MAPS, &huge).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

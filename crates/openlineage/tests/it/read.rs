//! The read API: Marquez' shapes.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Server, dataset, event, run, with_schema};

fn keys(told: &Value) -> Vec<&str> {
    told.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn told() -> Server {
    let server = Server::start();
    let out = with_schema(dataset("postgres://db:5432", "public/weather"), &[("t", "INT")]);
    let mut complete = event("COMPLETE", 5, 1, "load.daily", &[dataset("flights", "raw")], &[out]);
    complete["run"]["facets"] = json!({ "nominalTime": { "nominalStartTime": "2024-05-01T00:00:00Z" } });
    complete["job"]["facets"] = json!({
        "documentation": { "description": "loads" }, "jobType": { "processingType": "STREAMING" },
        "sourceCodeLocation": { "url": "https://git.example/a" },
    });
    complete["outputs"][0]["outputFacets"] = json!({ "outputStatistics": { "rowCount": 3 } });
    server.tell(&[event("START", 1, 1, "load.daily", &[], &[]), complete]).await;
    server
}

#[tokio::test]
async fn namespaces() {
    let server = told().await;
    let all = server.get("/api/v1/namespaces").await;
    let names: Vec<&Value> = all["namespaces"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["flights", "postgres://db:5432"]);
    assert_eq!(server.get("/api/v1/namespaces?limit=1&offset=1").await["namespaces"][0]["name"], "postgres://db:5432");
    let one = server.get("/api/v1/namespaces/postgres%3A%2F%2Fdb%3A5432").await;
    assert_eq!(keys(&one), ["name", "createdAt", "updatedAt", "ownerName", "description", "isHidden"]);
    assert_eq!((&one["createdAt"], &one["ownerName"]), (&json!("2024-05-01T10:00:05Z"), &json!("anonymous")));
    let missing = server.get_as(&server.admin, "/api/v1/namespaces/none").await;
    assert_eq!(missing.json(), json!({ "code": 404, "message": "Namespace 'none' not found" }));
}

#[tokio::test]
async fn a_dataset_with_a_slash_in_its_name_encoded_or_not() {
    let server = told().await;
    let base = "/api/v1/namespaces/postgres%3A%2F%2Fdb%3A5432/datasets";
    let one = server.get(&format!("{base}/public%2Fweather")).await;
    assert_eq!(one, server.get(&format!("{base}/public/weather")).await);
    assert_eq!(one["id"], json!({ "namespace": "postgres://db:5432", "name": "public/weather" }));
    assert_eq!((&one["type"], &one["physicalName"]), (&json!("DB_TABLE"), &json!("public/weather")));
    assert_eq!(one["fields"], json!([{ "name": "t", "type": "INT", "description": null, "tags": [] }]));
    assert_eq!((&one["lastModifiedAt"], &one["deleted"]), (&json!("2024-05-01T10:00:05Z"), &json!(false)));
    let all = server.get(base).await;
    assert_eq!((&all["totalCount"], &all["datasets"][0]), (&json!(1), &one));
    let versions = server.get(&format!("{base}/public%2Fweather/versions")).await;
    assert_eq!((&versions["totalCount"], &versions["versions"][0]["version"]), (&json!(1), &one["currentVersion"]));
    assert_eq!(versions["versions"][0]["createdByRun"]["id"], run(1));
    let missing = server.get_as(&server.admin, &format!("{base}/other")).await;
    assert_eq!(missing.json()["message"], "Dataset 'other' not found");
}

#[tokio::test]
async fn the_columns_of_the_latest_event_count_and_each_schema_is_a_version() {
    let server = Server::start();
    let schema = |fields: &[(&str, &str)]| [with_schema(dataset("flights", "a"), fields)];
    let (old, new) = (schema(&[("x", "INT")]), schema(&[("x", "BIGINT"), ("y", "TEXT")]));
    server.tell(&[event("COMPLETE", 9, 2, "load", &[], &new), event("COMPLETE", 3, 1, "load", &[], &old)]).await;
    // Later, but says nothing of the columns.
    server.tell(&[event("COMPLETE", 12, 3, "load", &[], &[dataset("flights", "a")])]).await;
    let one = server.get("/api/v1/namespaces/flights/datasets/a").await;
    assert_eq!((one["fields"].as_array().unwrap().len(), &one["fields"][0]["type"]), (2, &json!("BIGINT")));
    let versions = server.get("/api/v1/namespaces/flights/datasets/a/versions").await;
    assert_eq!((&versions["totalCount"], &versions["versions"][0]["version"]), (&json!(2), &one["currentVersion"]));
    assert_eq!(versions["versions"][1]["fields"][0]["type"], "INT");
}

#[tokio::test]
async fn a_job_and_its_runs() {
    let server = told().await;
    let job = server.get("/api/v1/namespaces/flights/jobs/load.daily").await;
    assert_eq!(
        (&job["type"], &job["description"], &job["location"]),
        (&json!("STREAM"), &json!("loads"), &json!("https://git.example/a"))
    );
    assert_eq!(job["inputs"], json!([{ "namespace": "flights", "name": "raw" }]));
    assert_eq!(job["outputs"], json!([{ "namespace": "postgres://db:5432", "name": "public/weather" }]));
    assert_eq!((&job["latestRun"]["state"], &job["createdAt"]), (&json!("COMPLETED"), &json!("2024-05-01T10:00:01Z")));
    let all = server.get("/api/v1/namespaces/flights/jobs").await;
    assert_eq!((&all["totalCount"], &all["jobs"][0]["currentVersion"]), (&json!(1), &job["currentVersion"]));
    assert_eq!((&all["jobs"][0]["facets"], all["jobs"].as_array().unwrap().len()), (&job["facets"], 1));
    let one = server.get(&format!("/api/v1/jobs/runs/{}", run(1).to_uppercase())).await;
    let runs = server.get("/api/v1/namespaces/flights/jobs/load.daily/runs").await;
    assert_eq!(runs, json!({ "runs": [one], "totalCount": 1 }));
    assert_eq!(one["nominalStartTime"], "2024-05-01T00:00:00Z");
    assert_eq!((&one["jobVersion"]["name"], &one["durationMs"]), (&json!("load.daily"), &json!(4000)));
    let out = &one["outputDatasetVersions"][0];
    assert_eq!(out["facets"]["outputStatistics"]["rowCount"], 3);
    assert_eq!(out["datasetVersionId"]["name"], "public/weather");
    assert!(out["datasetVersionId"]["version"].is_string());
    assert_eq!(server.get_as(&server.admin, "/api/v1/jobs/runs/x").await.json()["message"], "Run 'x' not found");
}

#[tokio::test]
async fn one_id_in_two_jobs_is_two_runs() {
    let server = Server::start();
    server.tell(&[event("START", 1, 1, "load", &[], &[]), event("FAIL", 2, 1, "other", &[], &[])]).await;
    assert_eq!(server.get(&format!("/api/v1/jobs/runs/{}", run(1))).await["state"], "RUNNING");
    assert_eq!(server.get("/api/v1/namespaces/flights/jobs/other/runs").await["runs"][0]["state"], "FAILED");
}

#[tokio::test]
async fn facets_add_up_the_latest_word_counts_and_a_deleted_one_is_gone() {
    let server = Server::start();
    let job = |second: u32, facets: Value| {
        let mut event = event("RUNNING", second, 1, "load", &[], &[]);
        event["job"]["facets"] = facets;
        event
    };
    server.tell(&[job(5, json!({ "a": { "n": 5 }, "b": { "n": 5 }, "c": { "n": 5 } }))]).await;
    server
        .tell(&[job(3, json!({ "a": { "n": 3 }, "d": { "n": 3 } })), job(7, json!({ "b": { "_deleted": true } }))])
        .await;
    let told = server.get("/api/v1/namespaces/flights/jobs/load").await;
    assert_eq!(told["facets"], json!({ "a": { "n": 5 }, "c": { "n": 5 }, "d": { "n": 3 } }));
}

#[tokio::test]
async fn events_are_told_by_time_and_in_pages() {
    let server = Server::start();
    server.tell(&[3, 1, 2].map(|second| event("RUNNING", second, second, "load", &[], &[]))).await;
    let seconds = |told: &Value| -> Vec<String> {
        let events = told["events"].as_array().unwrap();
        events.iter().map(|one| one["eventTime"].as_str().unwrap()[17..19].to_owned()).collect()
    };
    let path = "/api/v1/events/lineage";
    let check = async |query: &str, expect: &[&str], total: u32| {
        let told = server.get(&format!("{path}{query}")).await;
        assert_eq!(
            (seconds(&told), &told["totalCount"]),
            (expect.iter().map(|s| (*s).to_owned()).collect(), &json!(total)),
            "{query}"
        );
    };
    check("", &["03", "02", "01"], 3).await;
    check("?sortDirection=asc&limit=1&offset=1", &["02"], 3).await;
    check("?after=2024-05-01T10:00:02Z", &["03", "02"], 2).await;
    check("?before=2024-05-01T10:00:02%2B00:00", &["01"], 1).await;
    check("?limit=0", &[], 3).await;
    for (query, field) in [("limit=-1", "limit"), ("before=now", "before"), ("sortDirection=up", "sortDirection")] {
        let refusal = server.get_as(&server.admin, &format!("{path}?{query}")).await.refusal();
        assert_eq!((refusal.0, refusal.1.as_str()), (422, field));
    }
}

#[tokio::test]
async fn search_finds_by_part_of_the_name_whatever_its_case() {
    let server = told().await;
    let found = server.get("/api/v1/search?q=WEATHER").await;
    assert_eq!((&found["totalCount"], &found["results"][0]["type"]), (&json!(1), &json!("DATASET")));
    assert_eq!(found["results"][0]["nodeId"], "dataset:postgres://db:5432:public/weather");
    assert_eq!(keys(&found["results"][0]), ["type", "name", "updatedAt", "namespace", "nodeId"]);
    let count = async |query: &str| server.get(&format!("/api/v1/search?{query}")).await["totalCount"].clone();
    assert_eq!(count("q=a").await, 3);
    assert_eq!(count("q=a&filter=JOB").await, 1);
    assert_eq!(count("q=a&namespace=flights").await, 2);
    assert_eq!(count("q=l%25daily&sort=updated_at").await, 1);
    assert_eq!(count("q=a&after=2024-05-02").await, 0);
    assert_eq!(count("q=a&limit=1").await, 1);
    assert_eq!(server.get_as(&server.admin, "/api/v1/search").await.refusal().1, "q");
    assert_eq!(
        server.get_as(&server.admin, "/api/v1/search?q=a&filter=run").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

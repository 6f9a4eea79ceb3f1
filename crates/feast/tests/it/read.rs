//! POST /get-online-features and /write-to-online-store

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{Reply, Server};

async fn ask(server: &Server, body: Value) -> Reply {
    server.post("/get-online-features", &server.editor, body.to_string()).await
}

fn planes(features: Value) -> Value {
    json!({ "entities": { "tailnum": ["N1", "N2", "N3", "N4"] }, "features": features })
}

#[tokio::test]
async fn values_come_by_column_with_their_status_and_age() {
    // As Feast's client asks.
    let body = json!({ "entities": { "tailnum": ["N1", "N2", "N3", "N4"] }, "features": ["seats:count"],
        "full_feature_names": false, "include_feature_view_version_metadata": false });
    let reply = ask(&Server::start(), body).await;
    assert_eq!(reply.status, StatusCode::OK);
    let (epoch, known) = ("1970-01-01T00:00:00Z", "2013-07-01T09:00:00Z");
    let expected = json!({
        "metadata": { "feature_names": ["tailnum", "count"] },
        "results": [
            { "values": ["N1", "N2", "N3", "N4"], "statuses": ["PRESENT", "PRESENT", "PRESENT", "PRESENT"],
              "event_timestamps": [epoch, epoch, epoch, epoch] },
            { "values": [1.5, null, null, null],
              "statuses": ["PRESENT", "NOT_FOUND", "NULL_VALUE", "OUTSIDE_MAX_AGE"],
              "event_timestamps": [known, epoch, known, known] },
        ],
    });
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn a_service_and_full_names() {
    let server = Server::start();
    let body = json!({ "entities": { "tailnum": ["N1"] }, "feature_service": "planes", "full_feature_names": true });
    let names = ask(&server, body).await.json()["metadata"]["feature_names"].clone();
    assert_eq!(names, json!(["tailnum", "seats__count", "seats__seats_mean"]));
    let names = ask(&server, planes(json!(["seats@latest:seats_mean", "seats:count"]))).await.json();
    assert_eq!(names["metadata"]["feature_names"], json!(["tailnum", "seats_mean", "count"]), "in the order asked for");
}

#[tokio::test]
async fn what_is_not_there_raises_feasts_exception() {
    let server = Server::start();
    let cases = [
        (json!(["nil:x"]), "FeatureViewNotFoundException", "Feature view nil does not exist"),
        (json!(["seats:x"]), "FeastObjectNotFoundException", "Feature x not found in feature view seats"),
        (json!(["seats@v2:count"]), "FeatureViewVersionNotFound", "Version v2 of feature view seats does not exist"),
    ];
    for (features, class, message) in cases {
        let reply = ask(&server, planes(features)).await;
        assert_eq!((reply.status, reply.exception()), (StatusCode::NOT_FOUND, (class.into(), message.into())));
    }
    let reply = ask(&server, json!({ "entities": { "tailnum": [] }, "feature_service": "nil" })).await;
    assert_eq!(reply.exception().0, "FeatureServiceNotFoundException");
}

#[tokio::test]
async fn names_that_collide_are_refused_unless_they_are_full() {
    let server = Server::start();
    let twice = json!(["seats:count", "seats:count"]);
    let (class, message) = ask(&server, planes(twice)).await.exception();
    assert_eq!(class, "FeatureNameCollisionError");
    assert!(message.contains("seats:count, seats:count"), "{message}");
}

#[tokio::test]
async fn a_wrong_question_names_the_field() {
    let server = Server::start();
    let cases = [
        (json!({ "features": ["seats:count"] }), "body", "entities"),
        (json!({ "entities": {}, "features": ["seats:count"] }), "entities", "is empty"),
        (json!({ "entities": { "a": [1], "b": [1, 2] }, "features": ["seats:count"] }), "entities", "as many values"),
        (json!({ "entities": { "a": [1] }, "features": ["seats:count"] }), "entities", "\"tailnum\""),
        (json!({ "entities": { "tailnum": [1.5] }, "features": ["seats:count"] }), "entities", "another type"),
        (planes(json!([])), "features", "no features"),
        (planes(json!(["seats"])), "features", "invalid feature reference"),
        (planes(json!([":count"])), "features", "invalid feature reference"),
        (
            json!({ "entities": { "tailnum": [] }, "features": ["a:b"], "feature_service": "x" }),
            "features",
            "one of them",
        ),
    ];
    for (body, field, part) in cases {
        let (said, message) = ask(&server, body.clone()).await.unprocessable();
        assert!(said == field && message.contains(part), "{body}: {said}: {message} should be {field}: {part}");
    }
}

#[tokio::test]
async fn only_who_may_read_data_reads_and_only_for_its_purpose() {
    let server = Server::start();
    let body = planes(json!(["seats:count"])).to_string();
    let viewer = server.post("/get-online-features", &server.viewer, body.clone()).await;
    assert_eq!((viewer.status, viewer.exception().0.as_str()), (StatusCode::FORBIDDEN, "FeastPermissionError"));
    let stranger = server.post("/get-online-features", &server.stranger, body.clone()).await;
    let missing = ask(&server, planes(json!(["nil:count"]))).await;
    assert_eq!((stranger.status, stranger.exception().0), (missing.status, missing.exception().0));
    let nobody = server.post("/get-online-features", "bp_nonsense", body).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);

    let crew = planes(json!(["crew:crew_mean"]));
    let (class, message) = ask(&server, crew.clone()).await.exception();
    assert_eq!(class, "FeastPermissionError");
    assert!(message.contains("purpose"), "{message}");
    for (purpose, status) in [("rostering", StatusCode::OK), ("marketing", StatusCode::FORBIDDEN)] {
        let headers = [("x-bedplate-purpose", purpose)];
        let reply = server.post_with("/get-online-features", &server.editor, &headers, crew.to_string()).await;
        assert_eq!(reply.status, status, "{purpose}");
    }
}

#[tokio::test]
async fn rows_are_written_into_a_view() {
    let server = Server::start();
    // As Feast's client sends it.
    let df = json!({ "tailnum": ["N1"], "count": [3], "event_timestamp": ["2013-07-01T09:00:00"], "created": [null] });
    let body = |view: &str| json!({ "feature_view_name": view, "df": df, "allow_registry_cache": false }).to_string();
    let reply = server.post("/write-to-online-store", &server.editor, body("seats")).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, Value::Null));
    assert_eq!(server.store.pushed.lock().unwrap()[0].2.num_columns(), 4);
    let reply = server.post("/write-to-online-store", &server.editor, body("nil")).await;
    assert_eq!(reply.exception().0, "FeatureViewNotFoundException");
    let reply = server.post("/write-to-online-store", &server.viewer, body("seats")).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert_eq!(server.store.pushed.lock().unwrap().len(), 1);
}

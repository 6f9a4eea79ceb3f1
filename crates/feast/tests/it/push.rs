//! POST /push

use arrow::array::{Array, Float64Array, Int64Array, RecordBatch, StringArray};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::Server;

fn df() -> Value {
    json!({
        "tailnum": ["N14228", "N24211"],
        "known_at": ["2013-07-01T09:00:00Z", null],
        "arr_delay": [11.5, "NaN"],
        "flight": [1545, 1714],
    })
}

fn column<'a, A: 'static>(frame: &'a RecordBatch, name: &str) -> &'a A {
    frame.column_by_name(name).and_then(|column| column.as_any().downcast_ref()).unwrap()
}

#[tokio::test]
async fn brings_the_frame_to_the_store_and_answers_with_nothing() {
    let server = Server::start();
    // As Feast's client sends it.
    let body = json!({ "push_source_name": "arrivals", "df": df(), "to": "online", "allow_registry_cache": true, "transform_on_write": true });
    let reply = server.post("/push", &server.editor, body.to_string()).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::OK, 0));
    let pushed = server.store.pushed.lock().unwrap();
    let (who, namespace, frame) = &pushed[0];
    assert_eq!((who.as_str(), namespace.as_str(), frame.num_rows(), pushed.len()), ("user:editor", "flights", 2, 1));
    assert_eq!(column::<StringArray>(frame, "tailnum").value(1), "N24211");
    assert!(column::<StringArray>(frame, "known_at").is_null(1));
    assert_eq!(column::<Int64Array>(frame, "flight").values(), &[1545, 1714]);
    let delays: &Float64Array = column(frame, "arr_delay");
    assert!(delays.value(0) == 11.5 && delays.value(1).is_nan());
}

#[tokio::test]
async fn a_source_that_is_not_there_raises_feasts_exception() {
    let server = Server::start();
    let reply =
        server.post("/push", &server.editor, json!({ "push_source_name": "nil", "df": df() }).to_string()).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(reply.exception(), ("PushSourceNotFoundException".into(), "Unable to find push source 'nil'.".into()));
}

#[tokio::test]
async fn a_wrong_body_names_the_field() {
    let server = Server::start();
    let push = |df: Value, to: &str| json!({ "push_source_name": "arrivals", "df": df, "to": to }).to_string();
    let cases = [
        ("{".to_owned(), "body", "EOF"),
        (json!({ "df": df() }).to_string(), "body", "push_source_name"),
        (push(json!([1]), "online"), "body", "expected a map"),
        (push(json!({ "tailnum": ["a"], "b": [1, 2] }), "online"), "df", "\"b\" has 2 rows"),
        (push(json!({ "tailnum": ["a", 1] }), "online"), "df", "\"tailnum\" mixes"),
        (push(json!({ "b": [1] }), "online"), "df", "\"tailnum\" is missing"),
        (push(df(), "offline"), "to", "online store only"),
        (push(df(), "online_and_offline"), "to", "online store only"),
    ];
    for (body, field, part) in cases {
        let (said_field, message) = server.post("/push", &server.editor, body).await.unprocessable();
        assert!(said_field == field && message.contains(part), "{said_field}: {message} should be {field}: {part}");
    }
    assert!(server.store.pushed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn too_large_a_body_and_a_failing_store_are_told() {
    let server = Server::start();
    let reply = server.post("/push", &server.editor, vec![b' '; bedplate_feast::BODY_LIMIT + 1]).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let reply =
        server.post("/push", &server.editor, json!({ "push_source_name": "full", "df": df() }).to_string()).await;
    assert_eq!(
        (reply.status, reply.json()),
        (StatusCode::INTERNAL_SERVER_ERROR, json!("the feature server failed; its log says why"))
    );
}

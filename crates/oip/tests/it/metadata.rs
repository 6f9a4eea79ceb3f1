//! GET /v2, /v2/health/…, /v2/models/{model}[/versions/{version}][/ready]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::Server;

#[tokio::test]
async fn the_server_tells_of_itself_to_anybody() {
    let server = Server::start();
    for path in ["/v2", "/v2/"] {
        let reply = server.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, &reply.json()["name"]), (StatusCode::OK, &json!("bedplate")));
        assert_eq!(reply.json()["extensions"], json!(["binary_tensor_data"]));
    }
    for (path, body) in [("/v2/health/live", json!({ "live": true })), ("/v2/health/ready", json!({ "ready": true }))] {
        let reply = server.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.json()), (StatusCode::OK, body));
    }
}

#[tokio::test]
async fn an_endpoint_tells_what_it_takes_and_gives() {
    let server = Server::start();
    let wanted = json!({
        "name": "flights.sum", "versions": ["3"], "platform": "adder",
        "inputs": [
            { "name": "a", "datatype": "INT64", "shape": [-1] },
            { "name": "b", "datatype": "FP64", "shape": [-1] },
            { "name": "tag", "datatype": "BYTES", "shape": [-1] },
        ],
        "outputs": [
            { "name": "sum", "datatype": "FP32", "shape": [-1] },
            { "name": "tag", "datatype": "BYTES", "shape": [-1] },
            { "name": "odd", "datatype": "BOOL", "shape": [-1] },
        ],
    });
    for path in ["/v2/models/flights.sum", "/v2/models/flights.sum/versions/3"] {
        let reply = server.get(path, &server.viewer).await;
        assert_eq!((reply.status, reply.json()), (StatusCode::OK, wanted.clone()));
    }
    assert_eq!(server.get("/v2/models/flights.sum/versions/2", &server.viewer).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn readiness_is_a_status() {
    let server = Server::start();
    for (model, status) in
        [("flights.sum", 200), ("flights.sum/versions/3", 200), ("flights.loading", 503), ("flights.none", 404)]
    {
        assert_eq!(server.get(&format!("/v2/models/{model}/ready"), &server.viewer).await.status, status, "{model}");
    }
}

#[tokio::test]
async fn what_is_no_path_or_method_has_the_same_shape_of_error() {
    let server = Server::start();
    let reply = server.get("/v2/repository/index", &server.editor).await;
    assert_eq!((reply.status, reply.error().contains("/v2/repository/index")), (StatusCode::NOT_FOUND, true));
    let reply = server.get("/v2/models/flights.sum/infer", &server.editor).await;
    assert_eq!((reply.status, reply.error().contains("GET")), (StatusCode::METHOD_NOT_ALLOWED, true));
}

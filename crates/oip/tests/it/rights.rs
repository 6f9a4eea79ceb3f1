//! Who may do what: every operation on an endpoint, for every kind of caller.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::{Reply, Server, authorised};

const OPERATIONS: [(Method, &str); 6] = [
    (Method::GET, "/v2/models/{model}"),
    (Method::GET, "/v2/models/{model}/ready"),
    (Method::POST, "/v2/models/{model}/infer"),
    (Method::GET, "/v2/models/{model}/versions/3"),
    (Method::GET, "/v2/models/{model}/versions/3/ready"),
    (Method::POST, "/v2/models/{model}/versions/3/infer"),
];

async fn call(server: &Server, operation: &(Method, &str), model: &str, token: &str) -> Reply {
    let request = Request::builder().method(&operation.0).uri(operation.1.replace("{model}", model));
    let tensor = |name, datatype| json!({ "name": name, "datatype": datatype, "shape": [1], "data": [1] });
    let body = json!({ "inputs": [tensor("a", "INT64"), tensor("b", "FP64")] }).to_string();
    server.send(authorised(request, token).body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let server = Server::start();
    for operation in &OPERATIONS {
        for token in ["", "bp_nonsense", &format!("{}x", server.editor)] {
            let reply = call(&server, operation, "flights.sum", token).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{operation:?}");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
            assert!(!reply.error().is_empty());
        }
    }
}

#[tokio::test]
async fn an_editor_may_all_and_a_viewer_may_look() {
    let server = Server::start();
    for operation in &OPERATIONS {
        let editor = call(&server, operation, "flights.sum", &server.editor).await;
        assert_eq!(editor.status, StatusCode::OK, "{operation:?}");
        let viewer = call(&server, operation, "flights.sum", &server.viewer).await;
        let wanted = if operation.0 == Method::POST { StatusCode::FORBIDDEN } else { StatusCode::OK };
        assert_eq!(viewer.status, wanted, "{operation:?}");
    }
    let refused = call(&server, &OPERATIONS[2], "flights.sum", &server.viewer).await;
    assert!(refused.error().contains("editor"), "{}", refused.error());
}

#[tokio::test]
async fn a_stranger_cannot_tell_what_exists() {
    let server = Server::start();
    for operation in &OPERATIONS {
        let there = call(&server, operation, "flights.sum", &server.stranger).await;
        let not_there = call(&server, operation, "flights.nil", &server.stranger).await;
        assert_eq!((there.status, not_there.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
        assert_eq!(there.error(), not_there.error().replace("nil", "sum"));
        assert_eq!(
            there.error(),
            call(&server, operation, "flights.nil", &server.editor).await.error().replace("nil", "sum")
        );
    }
}

#[tokio::test]
async fn what_is_not_ready_says_so() {
    let server = Server::start();
    let reply = call(&server, &OPERATIONS[2], "flights.loading", &server.editor).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reply.error().contains("bedplate describe endpoint loading -n flights"), "{}", reply.error());
}

#[tokio::test]
async fn a_model_of_data_with_purposes_is_asked_for_one_of_them() {
    let server = Server::start();
    let ask = async |purpose: &str, token: &str| {
        let tensor = |name, datatype| json!({ "name": name, "datatype": datatype, "shape": [1], "data": [1] });
        let body = json!({ "inputs": [tensor("a", "INT64"), tensor("b", "FP64")] }).to_string();
        let request = Request::builder().method(Method::POST).uri("/v2/models/flights.bound/infer");
        let request = authorised(request.header("x-bedplate-purpose", purpose), token);
        server.send(request.body(Body::from(body)).unwrap()).await
    };
    assert_eq!(ask("care", &server.editor).await.status, StatusCode::OK);
    for other in ["", "marketing", "Care"] {
        let refused = ask(other, &server.editor).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{other}");
        assert!(refused.error().contains("forbidden by policy purpose-limitation"), "{}", refused.error());
    }
    let stranger = ask("care", &server.stranger).await;
    assert_eq!(
        (stranger.status, stranger.error()),
        (StatusCode::NOT_FOUND, "there is no endpoint flights/bound here".into())
    );
    let look = &OPERATIONS[0];
    assert_eq!(call(&server, look, "flights.bound", &server.viewer).await.status, StatusCode::OK);
}

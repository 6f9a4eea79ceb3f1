//! POST /v2/models/{model}[/versions/{version}]/infer, in JSON.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{Server, authorised};

fn tensor(name: &str, datatype: &str, shape: Value, data: Value) -> Value {
    json!({ "name": name, "datatype": datatype, "shape": shape, "data": data })
}

fn a() -> Value {
    tensor("a", "INT64", json!([2]), json!([1, 2]))
}

fn b() -> Value {
    tensor("b", "FP64", json!([2]), json!([0.5, 0.25]))
}

#[tokio::test]
async fn answers_every_row_under_the_callers_id() {
    let tag = tensor("tag", "BYTES", json!([2, 1]), json!([["x"], ["y"]]));
    let body = json!({ "id": "r-1", "parameters": { "trace": true }, "inputs": [a(), b(), tag] });
    let reply = Server::start().infer(body.to_string()).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.headers["content-type"], "application/json");
    let wanted = json!({
        "model_name": "sum", "model_version": "3", "id": "r-1",
        "parameters": { "trace": true, "called": "flights/sum None" },
        "outputs": [
            { "name": "sum", "datatype": "FP32", "shape": [2], "data": [1.5, 2.25] },
            { "name": "tag", "datatype": "BYTES", "shape": [2], "data": ["x!", "y!"] },
            { "name": "odd", "datatype": "BOOL", "shape": [2], "data": [true, false] },
        ],
    });
    assert_eq!(reply.json(), wanted);
}

#[tokio::test]
async fn without_an_id_each_request_gets_its_own() {
    let server = Server::start();
    let body = json!({ "inputs": [a(), b()] }).to_string();
    let ids = [server.infer(body.clone()).await.json()["id"].clone(), server.infer(body).await.json()["id"].clone()];
    assert!(ids[0].as_str().is_some_and(|id| id.len() == 36) && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn only_the_wanted_outputs_in_the_wanted_order() {
    let body = json!({ "inputs": [a(), b()], "outputs": [{ "name": "odd" }, { "name": "sum" }] });
    let outputs = Server::start().infer(body.to_string()).await.json()["outputs"].clone();
    let names: Vec<_> = outputs.as_array().unwrap().iter().map(|output| output["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["odd", "sum"]);
}

#[tokio::test]
async fn a_version_in_the_path_must_be_served() {
    let server = Server::start();
    for (version, status) in [("3", 200), ("4", 404), ("x", 404)] {
        let path = format!("/v2/models/sum/versions/{version}/infer");
        let request = authorised(Request::post(path), &server.editor).header("x-bedplate-namespace", "flights");
        let body = json!({ "inputs": [a(), b()] }).to_string();
        let reply = server.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(reply.status, status);
        match status {
            200 => assert_eq!(reply.json()["parameters"]["called"], "flights/sum Some(3)"),
            _ => assert!(reply.error().contains(version) && reply.error().contains("[3]"), "{}", reply.error()),
        }
    }
}

/// Every wrong request: 400 and a message that names the tensor and what is wrong with it.
#[tokio::test]
async fn a_wrong_request_names_the_tensor() {
    let server = Server::start();
    let long = || tensor("b", "FP64", json!([3]), json!([1.0, 2.0, 3.0]));
    let cases = [
        (json!([a()]), r#"input "b" is missing; it is a FP64 column"#),
        (
            json!([a(), b(), tensor("c", "INT64", json!([2]), json!([1, 2]))]),
            r#"input "c" is not known; the endpoint takes a, b, tag"#,
        ),
        (json!([a(), b(), a()]), r#"input "a" appears twice"#),
        (
            json!([tensor("a", "FP64", json!([2]), json!([1, 2])), b()]),
            r#"input "a" has datatype "FP64"; it must be INT64 or INT32"#,
        ),
        (json!([tensor("a", "INT128", json!([2]), json!([1, 2])), b()]), r#"datatype "INT128""#),
        (json!([tensor("a", "INT64", json!([2]), json!([1, 3.5])), b()]), r#"input "a" holds numbers with a fraction"#),
        (json!([tensor("a", "INT64", json!([2]), json!(["1", "2"])), b()]), r#"input "a" holds strings"#),
        (json!([tensor("a", "INT64", json!([3]), json!([1, 2])), b()]), r#"input "a" has shape [3] but 2 elements"#),
        (json!([tensor("a", "INT64", json!([1, 2]), json!([1, 2])), b()]), r#"input "a" has shape [1, 2]; a column"#),
        (json!([tensor("a", "INT64", json!([-2]), json!([1, 2])), b()]), r#"input "a" has shape [-2]"#),
        (json!([tensor("a", "INT64", json!([]), json!([1, 2])), b()]), r#"input "a" has shape []"#),
        (json!([tensor("a", "INT64", json!([2, 1]), json!([[1], [2, 3]])), b()]), r#"input "a" has ragged data"#),
        (json!([tensor("a", "INT64", json!([2]), json!([[1, 2]])), b()]), r#"input "a" has data nested as [1, 2]"#),
        (
            json!([{ "name": "a", "datatype": "INT64", "shape": [2] }, b()]),
            r#"input "a" has neither data nor binary_data_size"#,
        ),
        (json!([a(), long()]), r#"input "b" has 3 rows, but "a" has 2"#),
        (json!([tensor("a", "INT64", json!([0]), json!([])), tensor("b", "FP64", json!([0]), json!([]))]), "no rows"),
        (json!([]), "is missing"),
    ];
    for (inputs, part) in cases {
        let reply = server.infer(json!({ "inputs": inputs }).to_string()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{inputs}");
        assert!(reply.error().contains(part), "{} should have {part}", reply.error());
    }
}

#[tokio::test]
async fn a_wrong_body_output_or_id_is_told() {
    let server = Server::start();
    for body in ["", "{", "[]", "{}", r#"{"inputs": 3}"#] {
        let reply = server.infer(body).await;
        assert_eq!(
            (reply.status, reply.error().contains("no inference request")),
            (StatusCode::BAD_REQUEST, true),
            "{body}"
        );
    }
    let reply = server.infer(json!({ "inputs": [a(), b()], "outputs": [{ "name": "x" }] }).to_string()).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.error(), r#"there is no output "x"; the endpoint gives sum, tag, odd"#);
    let reply = server.infer(json!({ "id": "a\nb", "inputs": [a(), b()] }).to_string()).await;
    assert_eq!((reply.status, reply.error().contains("id must")), (StatusCode::BAD_REQUEST, true));
}

#[tokio::test]
async fn too_large_or_compressed_bodies_are_refused() {
    let server = Server::start();
    let reply = server.infer(vec![b' '; bedplate_oip::BODY_LIMIT + 1]).await;
    assert_eq!((reply.status, reply.error().contains("fewer rows")), (StatusCode::PAYLOAD_TOO_LARGE, true));
    let request =
        authorised(Request::post("/v2/models/flights.sum/infer"), &server.editor).header("content-encoding", "gzip");
    let reply = server.send(request.body(Body::from("x")).unwrap()).await;
    assert_eq!((reply.status, reply.error().contains("Content-Encoding")), (StatusCode::BAD_REQUEST, true));
}

#[tokio::test]
async fn what_the_predictor_says_becomes_a_status() {
    let server = Server::start();
    let cases = [
        ("refuse", 400, "input \"tag\" is refused"),
        ("busy", 429, "too many calls"),
        ("break", 500, "its log"),
        ("lose", 500, "its log"),
    ];
    for (tag, status, part) in cases {
        let tag = tensor("tag", "BYTES", json!([2]), json!([tag, tag]));
        let reply = server.infer(json!({ "inputs": [a(), b(), tag] }).to_string()).await;
        assert_eq!(reply.status, status);
        assert!(reply.error().contains(part) && !reply.error().contains("secret"), "{}", reply.error());
    }
}

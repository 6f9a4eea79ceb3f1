//! POST /v2/models/{model}/infer with tensors in binary, laid out as Triton's clients lay them out.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{Reply, Server, authorised};

async fn send(server: &Server, header: &Value, blobs: &[u8]) -> Reply {
    let mut body = header.to_string().into_bytes();
    let length = body.len();
    body.extend(blobs);
    let request = authorised(Request::post("/v2/models/flights.sum/infer"), &server.editor);
    server.send(request.header("Inference-Header-Content-Length", length).body(Body::from(body)).unwrap()).await
}

fn inputs(size_of_b: u64) -> Value {
    json!([
        { "name": "a", "datatype": "INT32", "shape": [2, 1], "parameters": { "binary_data_size": 8 } },
        { "name": "b", "datatype": "FP64", "shape": [2], "parameters": { "binary_data_size": size_of_b } },
        { "name": "tag", "datatype": "BYTES", "shape": [2], "parameters": { "binary_data_size": 11 } },
    ])
}

fn blobs() -> Vec<u8> {
    let a = [1_i32, 2].map(i32::to_le_bytes).concat();
    let b = [0.5_f64, 0.25].map(f64::to_le_bytes).concat();
    [a, b, b"\x01\0\0\0x\x02\0\0\0yz".to_vec()].concat()
}

fn split(reply: &Reply) -> (Value, &[u8]) {
    let length: usize = reply.headers["inference-header-content-length"].to_str().unwrap().parse().unwrap();
    let (header, blobs) = reply.body.split_at(length);
    (serde_json::from_slice(header).unwrap(), blobs)
}

#[tokio::test]
async fn in_and_out() {
    let server = Server::start();
    let header = json!({ "id": "1", "inputs": inputs(16), "parameters": { "binary_data_output": true } });
    let reply = send(&server, &header, &blobs()).await;
    assert_eq!(
        (reply.status, reply.headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "application/octet-stream")
    );
    let (header, blobs) = split(&reply);
    let outputs = json!([
        { "name": "sum", "datatype": "FP32", "shape": [2], "parameters": { "binary_data_size": 8 } },
        { "name": "tag", "datatype": "BYTES", "shape": [2], "parameters": { "binary_data_size": 13 } },
        { "name": "odd", "datatype": "BOOL", "shape": [2], "parameters": { "binary_data_size": 2 } },
    ]);
    assert_eq!((&header["outputs"], &header["parameters"]), (&outputs, &json!({ "called": "flights/sum None" })));
    let sums = [1.5_f32, 2.25].map(f32::to_le_bytes).concat();
    assert_eq!(blobs, [sums, b"\x02\0\0\0x!\x03\0\0\0yz!".to_vec(), vec![1, 0]].concat());
}

#[tokio::test]
async fn some_outputs_in_binary_and_some_in_json() {
    let outputs = json!([{ "name": "odd", "parameters": { "binary_data": true } }, { "name": "sum" }]);
    let server = Server::start();
    let reply = send(&server, &json!({ "inputs": inputs(16), "outputs": outputs }), &blobs()).await;
    let (header, blobs) = split(&reply);
    assert_eq!((blobs, &header["outputs"][1]["data"]), (&[1_u8, 0][..], &json!([1.5, 2.25])));
    assert_eq!(header["outputs"][0].get("data"), None);
}

#[tokio::test]
async fn sizes_that_do_not_add_up_are_told() {
    let server = Server::start();
    let cases = [
        (
            inputs(16),
            &blobs()[..blobs().len() - 1],
            r#"input "tag" should have 11 bytes after the header, but 10 are left"#,
        ),
        (inputs(15), &blobs()[..], r#"input "b" has 15 bytes, which is no whole number of FP64"#),
        (inputs(8), &blobs()[..], r#"input "b" has shape [2] but 1 elements"#),
        (inputs(16), &[blobs(), vec![0]].concat()[..], "1 bytes follow"),
    ];
    for (inputs, blobs, part) in cases {
        let reply = send(&server, &json!({ "inputs": inputs }), blobs).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(reply.error().contains(part), "{} should have {part}", reply.error());
    }
    for length in ["9999", "-1", "x"] {
        let request = authorised(Request::post("/v2/models/flights.sum/infer"), &server.editor);
        let request = request.header("Inference-Header-Content-Length", length).body(Body::from("{}")).unwrap();
        assert!(server.send(request).await.error().contains("Inference-Header-Content-Length"));
    }
}

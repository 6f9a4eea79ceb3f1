//! openlineage-python against the routes on a real socket.

use std::process::Command;

use axum::http::StatusCode;
use bedplate_testkit::{not_run, python};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Server;

#[tokio::test(flavor = "multi_thread")]
async fn openlineage_python_is_understood() {
    let Some(python) = python() else {
        return not_run("no Python environment with the pinned clients: openlineage-python");
    };
    let server = Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = server.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let token = server.editor.clone();
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python);
        command.arg("-c").arg(include_str!("client.py")).arg(url).arg(token);
        // Settings of the machine must not lead the client elsewhere.
        command.env_remove("OPENLINEAGE_URL").env_remove("OPENLINEAGE_CONFIG").env("NO_PROXY", "127.0.0.1");
        command.output().expect("python starts")
    })
    .await
    .unwrap();
    serving.abort();
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{out}\n{err}");
    let told: Value = serde_json::from_str(out.trim()).unwrap();
    assert_eq!((&told["bytes"], &told["count"]), (&json!(true), &json!(4)), "{told}");
    assert_eq!((&told["run"]["state"], &told["run"]["durationMs"]), (&json!("COMPLETED"), &json!(5000)));
    assert_eq!(told["run"]["facets"]["odd"], told["facet"]);
    assert!(told["facet"]["nested"].is_object());
    assert_eq!((&told["failed"], &told["refused"]), (&json!("FAILED"), &json!(StatusCode::UNAUTHORIZED.as_u16())));
    assert_eq!(told["malformed"], json!([422, "run.runId"]));
    assert_eq!(told["fields"][0]["name"], "tail");
    assert_eq!(server.leaves().len(), 4, "a leaf for every event that was taken, and for no other");
}

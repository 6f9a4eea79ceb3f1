//! Each verb, from the kubeconfig's connection to the data it returns.

use std::path::Path;

use bedplate_client::{
    ClientError, Connection, Direction, Follow, Outcome, Query, Scope, apply, delete, delete_manifests, discover,
    infer_request, logs, parse_manifests, predict, table, trace, watch,
};
use bedplate_types::{ErrorKind, Explained};
use futures::TryStreamExt;

use crate::server::start;

const FLIGHTS: &str =
    "{apiVersion: bedplate.dev/v1alpha1, kind: Dataset, metadata: {name: flights}, spec: {owner: ops}}\n";

async fn applied(connection: &Connection, text: &str) -> Result<Vec<Outcome>, ClientError> {
    let client = connection.connect()?;
    let resources = discover(&client).await?;
    let manifests = parse_manifests(text, Path::new("flights.yaml"))?;
    let mut outcomes = Vec::new();
    for manifest in &manifests {
        outcomes.push(apply(&client, &resources, manifest, &connection.namespace, "test").await?.outcome);
    }
    Ok(outcomes)
}

#[tokio::test]
async fn apply_tells_created_unchanged_and_configured() {
    let connection = start().await;
    assert_eq!(applied(&connection, FLIGHTS).await.unwrap(), [Outcome::Created]);
    assert_eq!(applied(&connection, FLIGHTS).await.unwrap(), [Outcome::Unchanged]);
    assert_eq!(applied(&connection, &FLIGHTS.replace("ops", "data")).await.unwrap(), [Outcome::Configured]);
}

#[tokio::test]
async fn the_servers_refusal_reaches_the_person() {
    let connection = start().await;
    let error = applied(&connection, &FLIGHTS.replace("owner", "unknown")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.to_string(), "spec.unknown is not a field of Dataset");
    let stranger = Connection { token: "bp_wrong".into(), ..connection };
    let error = applied(&stranger, FLIGHTS).await.unwrap_err();
    assert_eq!((error.kind(), error.fix().is_some()), (ErrorKind::Unauthenticated, true));
}

#[tokio::test]
async fn nobody_there_says_how_to_start_it() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let connection = Connection {
        server: format!("http://{closed}"),
        token: "t".into(),
        namespace: "n".into(),
        trust: bedplate_client::Trust::default(),
    };
    let error = applied(&connection, FLIGHTS).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady);
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(error.fix().unwrap().contains("bedplate up"));
}

#[tokio::test]
async fn get_and_watch_see_what_was_applied() {
    let connection = start().await;
    applied(&connection, FLIGHTS).await.unwrap();
    let client = connection.connect().unwrap();
    let resource = discover(&client).await.unwrap().find("dataset").unwrap().clone();
    let query = Query::all(resource, Scope::Namespace("demo".into()));
    let found = table(&client, &query).await.unwrap();
    assert_eq!(found.texts(false, false).1, [["flights"]]);
    let changes: Vec<_> =
        watch(&client, &query, &found.metadata.resource_version).await.unwrap().try_collect().await.unwrap();
    assert_eq!(changes.len(), 1, "the bookmark is not a change");
    assert_eq!(changes[0].table.rows.len(), 1);
}

#[tokio::test]
async fn delete_is_strict_by_name_and_lenient_by_file() {
    let connection = start().await;
    applied(&connection, FLIGHTS).await.unwrap();
    let client = connection.connect().unwrap();
    let resources = discover(&client).await.unwrap();
    let scope = Scope::Namespace("demo".into());
    let gone = delete(&client, resources.find("datasets").unwrap(), &scope, "flights").await.unwrap();
    assert_eq!(gone.object, "dataset.bedplate.dev/flights");
    let again = delete(&client, resources.find("datasets").unwrap(), &scope, "flights").await.unwrap_err();
    assert!(again.is_not_found());
    let manifests = parse_manifests(FLIGHTS, Path::new("flights.yaml")).unwrap();
    let by_file = delete_manifests(&client, &resources, &manifests, "demo").await.unwrap();
    assert!(!by_file[0].existed);
}

#[tokio::test]
async fn logs_trace_and_predict_reach_their_paths() {
    let connection = start().await;
    let client = connection.connect().unwrap();
    let mut text = Vec::new();
    logs(&client, "demo", "train", Follow::No, &mut text).await.unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "epoch 1\nepoch 2\n");
    let graph = trace(&client, "prediction:r/1", Direction::Upstream, None).await.unwrap();
    let graph: serde_json::Value = serde_json::from_str(&graph).unwrap();
    assert_eq!(graph["asked"], "node=prediction%3Ar%2F1");
    let row = serde_json::json!({ "hour": 5 });
    let body = infer_request("r1", row.as_object().unwrap());
    assert_eq!(predict(&client, "late", &body).await.unwrap(), body);
}

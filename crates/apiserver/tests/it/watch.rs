//! Watches, through the router.

use std::time::Duration;

use axum::Router;
use axum::body::BodyDataStream;
use bedplate_identity::Principal;
use bedplate_policy::{Grant, Role};
use futures::StreamExt;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, DATASETS, House, admin, config_map, dataset, raw, version};

/// The events of one watch, line by line.
struct Lines {
    stream: BodyDataStream,
    buffer: String,
}

impl Lines {
    async fn open(house: &House, query: &str) -> Self {
        let response = raw(&house.admin, "GET", &format!("{CONFIG_MAPS}?watch=1&{query}"), &[], &Value::Null).await;
        assert_eq!(response.status(), StatusCode::OK);
        Self { stream: response.into_body().into_data_stream(), buffer: String::new() }
    }

    async fn next(&mut self) -> Option<Value> {
        tokio::time::timeout(Duration::from_secs(10), self.read()).await.expect("an event within 10 s")
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            if let Some((line, rest)) = self.buffer.split_once('\n') {
                let event = serde_json::from_str(line).unwrap();
                self.buffer = rest.to_owned();
                return Some(event);
            }
            let bytes = self.stream.next().await?.unwrap();
            self.buffer += std::str::from_utf8(&bytes).unwrap();
        }
    }

    async fn expect(&mut self, expected: &[(&str, &str)]) {
        for (type_, name) in expected {
            let event = self.next().await.unwrap();
            assert_eq!(
                (&event["type"], &event["object"]["metadata"]["name"]),
                (&json!(type_), &json!(name)),
                "{event}"
            );
        }
    }
}

#[tokio::test]
async fn a_watch_goes_on_from_a_version() {
    let house = House::new();
    let first = house.made(CONFIG_MAPS, &config_map("a")).await;
    house.made(CONFIG_MAPS, &config_map("b")).await;
    let mut lines = Lines::open(&house, &format!("resourceVersion={}", version(&first))).await;
    lines.expect(&[("ADDED", "b")]).await;
    house.merge(&format!("{CONFIG_MAPS}/a"), &json!({"data": {"k": "w"}})).await;
    house.merge(&format!("{CONFIG_MAPS}/a"), &json!({"data": {"k": "w"}})).await;
    house.delete(&format!("{CONFIG_MAPS}/a")).await;
    lines.expect(&[("MODIFIED", "a"), ("DELETED", "a")]).await;
}

#[tokio::test]
async fn without_a_version_it_begins_with_what_there_is() {
    let house = House::new();
    house.made(CONFIG_MAPS, &config_map("a")).await;
    let mut lines =
        Lines::open(&house, "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan").await;
    lines.expect(&[("ADDED", "a")]).await;
    let mark = lines.next().await.unwrap();
    assert_eq!(mark["type"], "BOOKMARK");
    assert_eq!(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    house.made(CONFIG_MAPS, &config_map("b")).await;
    lines.expect(&[("ADDED", "b")]).await;
}

#[tokio::test]
async fn labels_that_come_and_go_are_told_as_additions_and_deletions() {
    let house = House::new();
    let mut lines = Lines::open(&house, "labelSelector=tier%3Dgold&resourceVersion=1").await;
    house.made(CONFIG_MAPS, &config_map("a")).await;
    let label = |tier: &str| json!({"metadata": {"labels": {"tier": tier}}});
    for tier in ["gold", "tin", "gold"] {
        house.merge(&format!("{CONFIG_MAPS}/a"), &label(tier)).await;
    }
    house.merge(&format!("{CONFIG_MAPS}/a"), &json!({"data": {"k": "w"}})).await;
    lines.expect(&[("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a"), ("MODIFIED", "a")]).await;
}

#[tokio::test]
async fn fields_that_come_and_go_are_told_as_additions_and_deletions() {
    let house = House::new();
    let path = format!("{DATASETS}?watch=1&fieldSelector=status.phase%3DReady&resourceVersion=1");
    let response = raw(&house.admin, "GET", &path, &[], &Value::Null).await;
    let mut lines = Lines { stream: response.into_body().into_data_stream(), buffer: String::new() };
    house.made(DATASETS, &dataset("a")).await;
    for phase in ["Ready", "Failed", "Ready"] {
        house.merge(&format!("{DATASETS}/a/status"), &json!({"status": {"phase": phase}})).await;
    }
    house.delete(&format!("{DATASETS}/a")).await;
    lines.expect(&[("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a"), ("DELETED", "a")]).await;
}

#[tokio::test]
async fn a_version_that_is_no_longer_kept_is_gone() {
    let house = House::new();
    house.server.keep_changes(3);
    for name in ["a", "b", "c", "d", "e"] {
        house.made(CONFIG_MAPS, &config_map(name)).await;
    }
    let mut lines = Lines::open(&house, "resourceVersion=1").await;
    let event = lines.next().await.unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(event["object"]["reason"], "Expired");
    assert_eq!(lines.next().await, None);
}

#[tokio::test]
async fn it_ends_at_its_timeout_and_with_the_server() {
    let house = House::new();
    let mut short = Lines::open(&house, "timeoutSeconds=1&resourceVersion=1&allowWatchBookmarks=true").await;
    assert_eq!(short.next().await.unwrap()["type"], "BOOKMARK");
    assert_eq!(short.next().await, None);
    let mut long = Lines::open(&house, "resourceVersion=1").await;
    house.server.close();
    assert_eq!(long.next().await, None);
}

/// Writers at once, and a watcher that drops its connection and goes on from what it saw: every version once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_event_is_lost_or_doubled_across_reconnects() {
    const WRITERS: usize = 8;
    const WRITES: usize = 25;
    let house = std::sync::Arc::new(House::new());
    let mut seen =
        house.get(CONFIG_MAPS).await.1["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let house = house.clone();
            tokio::spawn(async move {
                for write in 0..WRITES {
                    house.made(CONFIG_MAPS, &config_map(&format!("w{writer}-{write}"))).await;
                }
            })
        })
        .collect();
    let mut names = std::collections::BTreeSet::new();
    while names.len() < WRITERS * WRITES {
        let mut lines = Lines::open(&house, &format!("resourceVersion={seen}")).await;
        for _ in 0..7.min(WRITERS * WRITES - names.len()) {
            let object = &lines.next().await.unwrap()["object"];
            assert_eq!(version(object), seen + 1, "versions come in order, without a gap");
            seen = version(object);
            assert!(names.insert(object["metadata"]["name"].as_str().unwrap().to_owned()), "told twice");
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

/// A watch of the config maps by whoever `router` believes in.
async fn watching(router: &Router, headers: &[(&str, &str)]) -> Lines {
    let path = format!("{CONFIG_MAPS}?watch=1&resourceVersion=1");
    let response = raw(router, "GET", &path, headers, &Value::Null).await;
    assert_eq!(response.status(), StatusCode::OK);
    Lines { stream: response.into_body().into_data_stream(), buffer: String::new() }
}

/// The watch tells `code` within a second of now, and then ends.
async fn is_cut(lines: &mut Lines, code: u16, reason: &str) {
    let event = tokio::time::timeout(Duration::from_secs(1), lines.next()).await.expect("within a second").unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(code)), "{event}");
    assert_eq!(event["object"]["reason"], reason);
    assert_eq!(lines.next().await, None);
}

#[tokio::test]
async fn a_watch_is_cut_with_the_right_to_it() {
    let house = House::new();
    let viewer = house.somebody("user:viewer", "default", Role::Viewer);
    let mut lines = watching(&viewer, &[]).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    house.made(CONFIG_MAPS, &config_map("a")).await;
    lines.expect(&[("ADDED", "a")]).await;
    // Behind the server's back, as another process would.
    let grant = Grant::new("user:viewer", "default", Role::Viewer);
    assert!(house.db.write(move |tx| bedplate_policy::revoke(tx, &grant)).unwrap());
    is_cut(&mut lines, 403, "Forbidden").await;
}

#[tokio::test]
async fn a_watch_is_cut_before_it_tells_more_when_its_binding_goes() {
    let house = House::new();
    let bindings = "/apis/bedplate.dev/v1alpha1/namespaces/default/rolebindings";
    let spec = json!({"role": "viewer", "subjects": [{"kind": "User", "name": "ana"}]});
    let binding =
        json!({"apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding", "metadata": {"name": "b"}, "spec": spec});
    house.made(bindings, &binding).await;
    let ana = house.server.in_process(Principal::new("user:ana"));
    let mut lines = watching(&ana, &[]).await;
    house.delete(&format!("{bindings}/b")).await;
    house.made(CONFIG_MAPS, &config_map("not-for-ana")).await;
    is_cut(&mut lines, 403, "Forbidden").await;
}

#[tokio::test]
async fn a_watch_is_cut_with_its_token() {
    let house = House::new();
    let token = house.token(admin());
    let router = house.server.router();
    let bearer = format!("Bearer {token}");
    let mut lines = watching(&router, &[("authorization", &bearer)]).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    house.made(CONFIG_MAPS, &config_map("a")).await;
    lines.expect(&[("ADDED", "a")]).await;
    let id = house.db.read(bedplate_identity::list).unwrap().remove(0).id;
    assert!(house.db.write(move |tx| bedplate_identity::revoke(tx, &id)).unwrap());
    is_cut(&mut lines, 401, "Unauthorized").await;
}

//! Lists of one piece: every page shows the objects as they were when the first was read.

use std::collections::BTreeMap;

use http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, House, NAMESPACES, config_map, version};

const EVERYWHERE: &str = "/api/v1/configmaps";
const OTHER: &str = "/api/v1/namespaces/other/configmaps";

/// What a writer does to the map `name` of one of two namespaces.
#[derive(Clone, Debug)]
struct Step {
    elsewhere: bool,
    name: u8,
    value: u8,
    deletes: bool,
}

impl Step {
    async fn run(&self, house: &House) {
        let maps = if self.elsewhere { OTHER } else { CONFIG_MAPS };
        let path = format!("{maps}/m{}", self.name);
        if self.deletes {
            house.delete(&path).await;
            return;
        }
        let label = json!({ "tier": if self.value.is_multiple_of(2) { "gold" } else { "tin" } });
        let mut object = config_map(&format!("m{}", self.name));
        object["data"]["k"] = self.value.to_string().into();
        object["metadata"]["labels"] = label.clone();
        let (code, _) = house.post(maps, &object).await;
        if code == StatusCode::CONFLICT {
            let patch = json!({ "data": object["data"], "metadata": { "labels": label } });
            assert_eq!(house.merge(&path, &patch).await.0, StatusCode::OK);
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    (any::<bool>(), 0..8_u8, any::<u8>(), prop::bool::weighted(0.3))
        .prop_map(|(elsewhere, name, value, deletes)| Step { elsewhere, name, value, deletes })
}

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().unwrap_or_else(|| panic!("{list}")).clone()
}

/// Lists page by page, lets a writer work before each page but the first, and holds the pages against the whole.
async fn check(before: &[Step], between: &[Vec<Step>], limit: usize, path: &str, selector: &str) {
    let house = House::new();
    house.made(NAMESPACES, &json!({"metadata": {"name": "other"}})).await;
    for step in before {
        step.run(&house).await;
    }
    let whole = house.get(&format!("{path}?{selector}")).await.1;
    let at = whole["metadata"]["resourceVersion"].clone();
    let mut found = Vec::new();
    let mut token = None;
    let mut writers = between.iter();
    loop {
        let going_on = token.map(|token: String| format!("&continue={token}")).unwrap_or_default();
        let page = house.get(&format!("{path}?{selector}&limit={limit}{going_on}")).await.1;
        assert_eq!(page["metadata"]["resourceVersion"], at);
        found.extend(items(&page));
        if selector.is_empty() && page["metadata"]["continue"].is_string() {
            let left = items(&whole).len() - found.len();
            assert_eq!(page["metadata"]["remainingItemCount"], left);
        }
        for step in writers.next().into_iter().flatten() {
            step.run(&house).await;
        }
        let Some(next) = page["metadata"]["continue"].as_str() else { break };
        token = Some(next.to_owned());
    }
    assert_eq!(found, items(&whole));
    let exactly = format!("{path}?{selector}&resourceVersion={}&resourceVersionMatch=Exact", at.as_str().unwrap());
    assert_eq!(items(&house.get(&exactly).await.1), items(&whole));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_are_of_one_piece_whoever_writes_between_them(
        before in prop::collection::vec(step(), 4..24),
        between in prop::collection::vec(prop::collection::vec(step(), 1..12), 8),
        limit in 1..5_usize,
        everywhere in any::<bool>(),
        selects in any::<bool>(),
    ) {
        let path = if everywhere { EVERYWHERE } else { CONFIG_MAPS };
        let selector = if selects { "labelSelector=tier%3Dgold" } else { "" };
        tokio::runtime::Runtime::new().unwrap().block_on(check(&before, &between, limit, path, selector));
    }
}

#[tokio::test]
async fn a_past_state_is_listed_exactly_or_not_at_all() {
    let house = House::new();
    let mut states = BTreeMap::new();
    for value in 0..4 {
        let made = house.made(CONFIG_MAPS, &config_map(&format!("m{value}"))).await;
        states.insert(version(&made), items(&house.get(CONFIG_MAPS).await.1));
        let changed = house.merge(&format!("{CONFIG_MAPS}/m0"), &json!({"data": {"k": value.to_string()}})).await.1;
        states.insert(version(&changed), items(&house.get(CONFIG_MAPS).await.1));
    }
    for (version, state) in &states {
        for how in ["resourceVersionMatch=Exact", "limit=100"] {
            let list = house.get(&format!("{CONFIG_MAPS}?resourceVersion={version}&{how}")).await.1;
            assert_eq!((&items(&list), &list["metadata"]["resourceVersion"]), (state, &json!(version.to_string())));
        }
    }
    let newest = states.keys().last().unwrap();
    let first = states.keys().next().unwrap();
    let fresh = house.get(&format!("{CONFIG_MAPS}?resourceVersion={first}&resourceVersionMatch=NotOlderThan")).await.1;
    assert_eq!(items(&fresh), states[newest]);
    let future = house.get(&format!("{CONFIG_MAPS}?resourceVersion={}", newest + 9)).await;
    assert_eq!((future.0, &future.1["reason"]), (StatusCode::GATEWAY_TIMEOUT, &json!("Timeout")));
    assert_eq!(future.1["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    let senseless = house.get(&format!("{CONFIG_MAPS}?resourceVersionMatch=Exact")).await;
    assert_eq!((senseless.0, &senseless.1["reason"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("Invalid")));
}

#[tokio::test]
async fn a_list_whose_past_is_forgotten_says_so_and_can_be_gone_on_with_in_the_present() {
    let house = House::new();
    for name in ["a", "b", "c"] {
        house.made(CONFIG_MAPS, &config_map(name)).await;
    }
    let page = house.get(&format!("{CONFIG_MAPS}?limit=1")).await.1;
    let begun = page["metadata"]["resourceVersion"].as_str().unwrap();
    house.server.keep_changes(2);
    house.delete(&format!("{CONFIG_MAPS}/b")).await;
    for name in ["d", "e"] {
        house.made(CONFIG_MAPS, &config_map(name)).await;
    }
    let going_on = |token: &Value| format!("{CONFIG_MAPS}?limit=2&continue={}", token.as_str().unwrap());
    let (code, expired) = house.get(&going_on(&page["metadata"]["continue"])).await;
    assert_eq!((code, &expired["reason"]), (StatusCode::GONE, &json!("Expired")));
    assert!(expired["message"].as_str().unwrap().starts_with("The provided continue parameter is too old"));
    let rest = house.get(&going_on(&expired["metadata"]["continue"])).await.1;
    let names: Vec<_> = items(&rest).iter().map(|one| one["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["c", "d"]);
    assert_eq!(items(&house.get(&going_on(&rest["metadata"]["continue"])).await.1).len(), 1);
    let exact = house.get(&format!("{CONFIG_MAPS}?resourceVersion={begun}&resourceVersionMatch=Exact")).await;
    assert_eq!((exact.0, &exact.1["reason"]), (StatusCode::GONE, &json!("Expired")));
    // What is forgotten stays so, also when more is kept from now on.
    house.server.keep_changes(1000);
    house.made(CONFIG_MAPS, &config_map("f")).await;
    let exact = house.get(&format!("{CONFIG_MAPS}?resourceVersion={begun}&resourceVersionMatch=Exact")).await;
    assert_eq!(exact.0, StatusCode::GONE);
}

#[test]
fn changes_recorded_before_they_kept_the_past_are_forgotten_and_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let old = bedplate_db::Db::open(&path, &bedplate_apiserver::MIGRATIONS[..1]).unwrap();
    let sql = "INSERT INTO api_changes (version, resource, namespace, event, labels_before, body)
               VALUES (7, 'configmaps', 'default', 'MODIFIED', '{}', '{}')";
    let write = |tx: &mut dyn bedplate_db::Tx| {
        tx.execute(sql, &[])?;
        tx.execute("UPDATE api_head SET version = 7 WHERE id = 1", &[])
    };
    old.write(write).unwrap();
    drop(old);
    let new = bedplate_db::Db::open(&path, bedplate_apiserver::MIGRATIONS).unwrap();
    let rows = new.read(|tx| tx.query("SELECT floor, version, (SELECT COUNT(*) FROM api_changes) FROM api_head", &[]));
    let row = &rows.unwrap()[0];
    assert_eq!((row.int(0).unwrap(), row.int(1).unwrap(), row.int(2).unwrap()), (7, 7, 0));
}

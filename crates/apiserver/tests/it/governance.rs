//! Whoever governs is asked about every object a write touches, and many writes are one.

use std::sync::{Arc, Mutex};

use bedplate_apiserver::{
    Action, Admitted, Batch, Denied, Failure, Governance, Operation, Proposed, Refusal, Step, Stored, Wish,
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, DATASETS, House, NAMESPACES, SECRETS, admin, config_map, dataset};

/// Writes down what it is asked, and refuses what is called `held`.
#[derive(Default)]
struct Scribe(Mutex<Vec<String>>);

impl Scribe {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Governance for Scribe {
    fn admit(&self, _: &mut Stored<'_>, change: &mut Proposed<'_>) -> Result<Admitted, Denied> {
        let word = match change.operation {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::UpdateStatus => "status",
            Operation::Delete => "delete",
        };
        self.0.lock().unwrap().push(format!("{word} {} {} by {}", change.kind, change.name, change.principal.name));
        if change.kind == "Secret" {
            let held = |object: &Value| object["data"]["pin"].clone();
            assert_eq!((held(change.old), held(change.new)), (Value::Null, json!("MQ==")), "it sees what is meant");
        }
        if change.kind == "ConfigMap" && change.operation == Operation::Create {
            change.new["data"]["stamp"] = change.principal.name.as_str().into();
        }
        if change.name == "held" && change.operation != Operation::Create {
            let refusal =
                Refusal { why: "it is held".into(), fix: Some("let go".into()), detail: json!({ "rule": "held" }) };
            return Err(Denied::Refused(vec![refusal]));
        }
        Ok(Admitted::default())
    }
}

fn house() -> (Arc<Scribe>, House) {
    let scribe = Arc::new(Scribe::default());
    (scribe.clone(), House::governed(scribe))
}

#[tokio::test]
async fn every_verb_is_asked_about_and_the_answer_completes_the_object() {
    let (scribe, house) = house();
    let made = house.made(CONFIG_MAPS, &config_map("one")).await;
    assert_eq!(made["data"]["stamp"], "user:admin");
    house.merge(&format!("{CONFIG_MAPS}/one"), &json!({ "data": { "k": "2" } })).await;
    house.made(DATASETS, &dataset("rows")).await;
    house.merge(&format!("{DATASETS}/rows/status"), &json!({ "status": { "rows": 1 } })).await;
    house
        .made(
            SECRETS,
            &json!({ "kind": "Secret", "apiVersion": "v1", "metadata": { "name": "s" }, "data": { "pin": "MQ==" } }),
        )
        .await;
    house.delete(&format!("{DATASETS}/rows")).await;
    let told = [
        "create ConfigMap one",
        "update ConfigMap one",
        "create Dataset rows",
        "status Dataset rows",
        "create Secret s",
        "delete Dataset rows",
    ];
    assert_eq!(scribe.take(), told.map(|told| format!("{told} by user:admin")));
    // Nothing is asked about what changes nothing, and nothing is kept of a dry run.
    house.merge(&format!("{CONFIG_MAPS}/one"), &json!({ "data": { "k": "2" } })).await;
    assert_eq!(scribe.take(), Vec::<String>::new());
    let (_, sealed) = house.get(&format!("{SECRETS}/s")).await;
    assert_eq!(sealed["data"]["pin"], "MQ==");
}

#[tokio::test]
async fn what_a_deletion_takes_with_it_is_asked_about_and_a_refusal_keeps_all_of_it() {
    let (scribe, house) = house();
    house.made(NAMESPACES, &json!({ "kind": "Namespace", "apiVersion": "v1", "metadata": { "name": "team" } })).await;
    let inside = "/api/v1/namespaces/team/configmaps";
    house.made(inside, &config_map("free")).await;
    house.made(inside, &config_map("held")).await;
    scribe.take();
    let (code, told) = house.delete(&format!("{NAMESPACES}/team")).await;
    assert_eq!((code, &told["fix"], &told["reason"]), (StatusCode::FORBIDDEN, &json!("let go"), &json!("Forbidden")));
    assert_eq!(told["message"], "configmaps \"held\" is forbidden: it is held");
    assert!(scribe.take().contains(&"delete ConfigMap free by user:admin".to_owned()));
    assert_eq!(house.get(&format!("{inside}/free")).await.0, StatusCode::OK, "half of it was done");
    let owner = house.made(CONFIG_MAPS, &config_map("owner")).await;
    let mut owned = config_map("held");
    owned["metadata"]["ownerReferences"] =
        json!([{ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"] }]);
    house.made(CONFIG_MAPS, &owned).await;
    let (code, told) = house.delete(&format!("{CONFIG_MAPS}/owner")).await;
    assert_eq!(
        (code, told["details"]["name"].as_str()),
        (StatusCode::FORBIDDEN, Some("held")),
        "its owner's deletion too"
    );
    assert_eq!(house.get(&format!("{CONFIG_MAPS}/owner")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_deletion_that_waits_is_asked_about_once() {
    let (scribe, house) = house();
    let mut object = config_map("waits");
    object["metadata"]["finalizers"] = json!(["test.dev/hold"]);
    house.made(CONFIG_MAPS, &object).await;
    scribe.take();
    house.delete(&format!("{CONFIG_MAPS}/waits")).await;
    assert_eq!(scribe.take(), ["delete ConfigMap waits by user:admin"]);
    house.merge(&format!("{CONFIG_MAPS}/waits"), &json!({ "metadata": { "finalizers": null } })).await;
    assert_eq!(scribe.take(), Vec::<String>::new(), "the end of what was let go");
    assert_eq!(house.get(&format!("{CONFIG_MAPS}/waits")).await.0, StatusCode::NOT_FOUND);
}

fn batch(names: &[&str], wish: impl Fn(&str) -> Wish) -> Batch {
    let step = |name: &&str| Step {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: Some("default".into()),
        name: (*name).to_owned(),
        wish: wish(name),
    };
    Batch { principal: admin(), manager: "test".into(), steps: names.iter().map(step).collect() }
}

fn apply(name: &str) -> Wish {
    Wish::Apply(config_map(name))
}

#[tokio::test]
async fn a_rehearsal_tells_what_would_come_of_it_and_keeps_nothing() {
    let (_, house) = house();
    house.made(CONFIG_MAPS, &config_map("held")).await;
    let head = house.get(CONFIG_MAPS).await.1["metadata"]["resourceVersion"].clone();
    let mut batch = batch(&["new", "held"], |name| if name == "held" { Wish::Delete } else { apply(name) });
    batch.steps.push(Step { kind: "Rocket".into(), ..batch.steps[0].clone() });
    let results = house.server.rehearse(batch).await.unwrap();
    let [made, gone, unknown] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!(
        made.as_ref().map(|made| (made.action, made.new["data"]["stamp"].clone())).ok(),
        Some((Action::Create, "user:admin".into()))
    );
    let gone = gone.as_ref().unwrap();
    assert_eq!((gone.action, gone.refusals[0].why.as_str()), (Action::Delete, "it is held"));
    assert!(unknown.as_ref().unwrap_err().to_string().contains("Rocket"));
    assert_eq!(house.get(CONFIG_MAPS).await.1["metadata"]["resourceVersion"], head);
    assert_eq!(house.get(&format!("{CONFIG_MAPS}/held")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn many_writes_are_made_as_one_or_not_at_all() {
    let (_, house) = house();
    let perform = |batch: Batch, absent: bool, fine: bool| {
        let check = move |_: &[_]| if fine { Ok(()) } else { Err("no".to_owned()) };
        house.server.perform(batch, Arc::new(move |_, there| !absent || there.is_none()), Arc::new(check))
    };
    let house = &house;
    let gone = |name: &'static str| async move {
        house.get(&format!("{CONFIG_MAPS}/{name}")).await.0 == StatusCode::NOT_FOUND
    };
    let refused = perform(batch(&["one", "two"], apply), true, false).await.unwrap_err();
    assert!(matches!(refused, Failure::Check(ref why) if why == "no") && gone("one").await && gone("two").await);
    assert_eq!(perform(batch(&["one", "two"], apply), true, true).await.unwrap().len(), 2);
    let moved = perform(batch(&["three", "two"], apply), true, true).await.unwrap_err();
    assert!(matches!(moved, Failure::Moved(ref steps) if steps == &[1]) && gone("three").await);
    house.made(CONFIG_MAPS, &config_map("held")).await;
    let wish = |name: &str| if name == "held" { Wish::Delete } else { apply(name) };
    let failed = perform(batch(&["three", "held"], wish), false, true).await.unwrap_err();
    assert!(matches!(failed, Failure::Step(1, _)) && gone("three").await, "{failed:?}");
}

//! A prune deletes what is ours, labelled and no longer declared; nothing else.

use bedplate_plan::{Action, Outcome, Plan, Saved, Scenario};
use bedplate_policy::Role;
use serde_json::{Value, json};

use crate::support::{API, House, admin, asked, endpoint, namespace, person, step};

fn labelled(mut object: Value) -> Value {
    object["metadata"]["labels"] = json!({ "app": "x" });
    object
}

async fn plan(house: &House, objects: &[Value]) -> (Plan, bedplate_plan::Asked) {
    let mut asked = asked(objects);
    asked.prune = Some("app=x".into());
    (house.planner.plan(&admin(), &asked, &Scenario::default()).await.unwrap(), asked)
}

#[tokio::test]
async fn only_what_is_ours_labelled_and_undeclared_goes() {
    let house = House::new();
    house
        .made(&[
            namespace("team"),
            labelled(endpoint("team", "keep", "m")),
            labelled(endpoint("team", "drop", "m")),
            endpoint("team", "bare", "m"),
        ])
        .await;
    let theirs = labelled(endpoint("team", "theirs", "m"));
    house.call(&admin(), "POST", &format!("{API}/team/endpoints"), &theirs).await;
    let (plan, asked) = plan(&house, &[labelled(endpoint("team", "keep", "m"))]).await;
    let gone: Vec<_> =
        plan.steps.iter().filter(|step| step.action == Action::Delete).map(|step| step.object()).collect();
    assert_eq!(gone, ["Endpoint team/drop"]);
    assert_eq!((plan.verdict, plan.summary.delete), (Outcome::Changes, 1));
    house.planner.apply(&admin(), &Saved { plan, asked }).await.unwrap();
    let left = house.get(&format!("{API}/team/endpoints")).await;
    let left: Vec<_> =
        left["items"].as_array().unwrap().iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(left, ["bare", "keep", "theirs"]);
}

#[tokio::test]
async fn a_namespace_with_what_others_made_stays() {
    let house = House::new();
    house.made(&[labelled(namespace("old")), labelled(endpoint("old", "mine", "m"))]).await;
    house.call(&admin(), "POST", &format!("{API}/old/endpoints"), &endpoint("old", "theirs", "m")).await;
    let (held, _) = plan(&house, &[endpoint("default", "x", "m")]).await;
    assert_eq!(held.verdict, Outcome::Denied);
    let why = &step(&held, "Namespace old").refusals[0];
    assert_eq!(
        why,
        "it holds what is not pruned: Endpoint old/theirs; delete the namespace by name if that is to go too"
    );
    house.call(&admin(), "DELETE", &format!("{API}/old/endpoints/theirs"), &Value::Null).await;
    let (free, asked) = plan(&house, &[endpoint("default", "x", "m")]).await;
    assert_eq!((free.verdict, free.summary.delete), (Outcome::Changes, 2));
    house.planner.apply(&admin(), &Saved { plan: free, asked }).await.unwrap();
    assert_eq!(house.get("/api/v1/namespaces/old").await["code"], 404);
}

#[tokio::test]
async fn nobody_prunes_what_they_may_not_see_and_a_selector_of_everything_is_refused() {
    let house = House::new();
    house
        .made(&[namespace("a"), namespace("b"), labelled(endpoint("a", "x", "m")), labelled(endpoint("b", "x", "m"))])
        .await;
    house.grant("user:ed", "a", Role::Editor);
    let mut asked = asked(&[]);
    asked.prune = Some("app=x".into());
    let plan = house.planner.plan(&person("ed", &[]), &asked, &Scenario::default()).await.unwrap();
    assert_eq!(plan.steps.iter().map(|step| step.object()).collect::<Vec<_>>(), ["Endpoint a/x"]);
    asked.prune = Some(String::new());
    let all = house.planner.plan(&admin(), &asked, &Scenario::default()).await.unwrap_err();
    assert_eq!(all.to_string(), "the selector selects everything");
}

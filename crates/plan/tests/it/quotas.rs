//! Quotas hold whichever client writes; within them an editor needs nobody.

use bedplate_plan::Outcome;
use bedplate_policy::Role;
use serde_json::{Value, json};

use crate::support::{API, House, admin, dataset, endpoint, namespace, object, person};

fn quota() -> Value {
    object(
        "Quota",
        "bedplate-system",
        "team",
        json!({ "namespace": "team", "objects": { "endpoints": 2, "datasets.bedplate.dev": 1 }, "milliCpu": 1200 }),
    )
}

#[tokio::test]
async fn an_editor_works_within_the_quota_and_no_client_goes_beyond_it() {
    let house = House::new();
    house.made(&[namespace("team"), quota()]).await;
    house.grant("user:ed", "team", Role::Editor);
    let ed = person("ed", &[]);
    let saved = house.saved(&ed, &[endpoint("team", "a", "m"), dataset("team", "rows", "ops")]).await;
    house.planner.apply(&ed, &saved).await.unwrap();
    let post = |object: Value| {
        let (house, ed) = (&house, &ed);
        async move {
            let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
            house.call(ed, "POST", &format!("{API}/team/{plural}"), &object).await
        }
    };
    let (code, told) = post(dataset("team", "more", "ops")).await;
    assert_eq!(code.as_u16(), 403);
    assert_eq!(
        told["message"],
        "datasets.bedplate.dev \"more\" is forbidden: exceeded quota: team, requested: count/datasets.bedplate.dev=1, \
         used: count/datasets.bedplate.dev=1, limited: count/datasets.bedplate.dev=1"
    );
    let mut big = endpoint("team", "b", "m");
    big["spec"]["capacity"]["milliCpu"] = 701.into();
    let (_, told) = post(big.clone()).await;
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .contains("requested: requests.milliCpu=701, used: requests.milliCpu=500, limited: requests.milliCpu=1200"),
        "{told}"
    );
    big["spec"]["capacity"]["milliCpu"] = 700.into();
    assert_eq!(post(big).await.0.as_u16(), 201);
    let grow = json!({ "spec": { "capacity": { "milliCpu": 501 } } });
    let (code, told) = house.call(&ed, "PATCH", &format!("{API}/team/endpoints/a"), &grow).await;
    assert!(code.as_u16() == 403 && told["message"].as_str().unwrap().contains("exceeded quota"), "{told}");
    let shrink = json!({ "spec": { "capacity": { "milliCpu": 100 } } });
    assert_eq!(house.call(&ed, "PATCH", &format!("{API}/team/endpoints/a"), &shrink).await.0.as_u16(), 200);
    let plan = house.plan(&ed, &[endpoint("team", "c", "m")]).await;
    assert_eq!(plan.verdict, Outcome::Denied);
    assert!(plan.steps[0].refusals[0].contains("exceeded quota: team, requested: count/endpoints=1"), "{plan:?}");
    assert_eq!(house.call(&ed, "DELETE", &format!("{API}/team/endpoints/b"), &Value::Null).await.0.as_u16(), 200);
    assert_eq!(post(endpoint("team", "c", "m")).await.0.as_u16(), 201, "what was deleted makes room");
}

#[tokio::test]
async fn what_one_plan_asks_for_is_added_up() {
    let house = House::new();
    house.made(&[namespace("team"), quota()]).await;
    let many = [endpoint("team", "a", "m"), endpoint("team", "b", "m"), endpoint("team", "c", "m")];
    let plan = house.plan(&admin(), &many).await;
    let refused: Vec<usize> = plan.steps.iter().map(|step| step.refusals.len()).collect();
    assert_eq!(refused, [0, 0, 1], "{plan:?}");
}

#[tokio::test]
async fn an_editor_cannot_lift_the_quota_and_one_elsewhere_is_refused() {
    let house = House::new();
    house.made(&[namespace("team"), quota()]).await;
    house.grant("user:ed", "team", Role::Editor);
    let mut more = quota();
    more["spec"]["milliCpu"] = 99_999.into();
    assert_eq!(house.plan(&person("ed", &[]), &[more.clone()]).await.verdict, Outcome::Denied);
    more["metadata"]["namespace"] = "team".into();
    let (code, told) = house.call(&admin(), "POST", &format!("{API}/team/quotas"), &more).await;
    assert_eq!(code.as_u16(), 403);
    assert!(
        told["message"].as_str().unwrap().contains("a Quota counts only in the namespace bedplate-system"),
        "{told}"
    );
    assert!(told["fix"].as_str().unwrap().contains("bedplate-system"), "{told}");
}

//! A plan is carried out exactly, all of it or nothing, and only from the state it was made for.

use bedplate_plan::{Outcome, PlanError, Saved, file};
use bedplate_policy::Role;
use bedplate_types::Explained;
use serde_json::{Value, json};

use crate::support::{API, House, admin, asked, dataset, endpoint, namespace, person};

fn late() -> String {
    format!("{API}/team/endpoints/late")
}

#[tokio::test]
async fn a_plan_file_is_all_that_is_needed_and_a_second_time_changes_nothing() {
    let house = House::new();
    let objects = [namespace("team"), endpoint("team", "late", "m"), dataset("team", "rows", "ops")];
    let bytes = file::write(&house.saved(&admin(), &objects).await).unwrap();
    let saved: Saved = file::read(&bytes).unwrap();
    let body = serde_json::to_value(&saved).unwrap();
    let (code, answer) = house.ask(&admin(), "/bedplate/v1/plan/apply", &body).await;
    assert_eq!(code.as_u16(), 200, "{answer}");
    assert_eq!(answer["applied"][1], json!({ "object": "Endpoint team/late", "outcome": "created" }));
    assert_eq!(house.get(&late()).await["spec"]["model"], "m");
    let (code, again) = house.ask(&admin(), "/bedplate/v1/plan/apply", &body).await;
    assert_eq!(code.as_u16(), 409, "its state is gone: {again}");
    let saved = house.saved(&admin(), &objects).await;
    assert_eq!(saved.plan.verdict, Outcome::NoChange);
    let head = house.get("/api/v1/namespaces").await["metadata"]["resourceVersion"].clone();
    let applied = house.planner.apply(&admin(), &saved).await.unwrap();
    assert_eq!(bedplate_plan::print::counted(&applied), "0 changes: 3 unchanged");
    assert_eq!(house.get("/api/v1/namespaces").await["metadata"]["resourceVersion"], head, "nothing was written");
}

#[tokio::test]
async fn what_moved_is_named_and_nothing_is_written() {
    let house = House::new();
    house.made(&[namespace("team"), endpoint("team", "late", "m")]).await;
    let saved = house.saved(&admin(), &[endpoint("team", "late", "n"), endpoint("team", "new", "n")]).await;
    house.call(&admin(), "PATCH", &late(), &json!({ "spec": { "description": "moved" } })).await;
    let error = house.planner.apply(&admin(), &saved).await.unwrap_err();
    let PlanError::Moved { objects } = &error else { panic!("{error}") };
    assert!(
        objects.len() == 1 && objects[0].starts_with("Endpoint team/late was changed (resourceVersion "),
        "{objects:?}"
    );
    assert_eq!(error.fix().as_deref(), Some("plan again: bedplate plan -f DIR -o plan.bin"));
    assert_eq!(house.get(&late()).await["spec"]["model"], "m");
    assert_eq!(house.get(&format!("{API}/team/endpoints/new")).await["code"], 404);
}

#[tokio::test]
async fn made_gone_and_made_anew_are_all_moves() {
    let house = House::new();
    house.made(&[namespace("team"), endpoint("team", "late", "m"), endpoint("team", "gone", "m")]).await;
    let objects = [endpoint("team", "late", "n"), endpoint("team", "gone", "n"), endpoint("team", "new", "n")];
    let saved = house.saved(&admin(), &objects).await;
    for name in ["late", "gone"] {
        house.call(&admin(), "DELETE", &format!("{API}/team/endpoints/{name}"), &Value::Null).await;
    }
    house.made(&[endpoint("team", "late", "m"), endpoint("team", "new", "other")]).await;
    let PlanError::Moved { objects } = house.planner.apply(&admin(), &saved).await.unwrap_err() else { panic!() };
    assert_eq!(
        objects,
        ["Endpoint team/late was made anew", "Endpoint team/gone is gone", "Endpoint team/new was made meanwhile"]
    );
}

#[tokio::test]
async fn a_status_that_moved_on_is_no_move() {
    let house = House::new();
    house.made(&[namespace("team"), endpoint("team", "late", "m")]).await;
    let saved = house.saved(&admin(), &[endpoint("team", "late", "n")]).await;
    let (code, _) =
        house.call(&admin(), "PATCH", &format!("{}/status", late()), &json!({ "status": { "phase": "Ready" } })).await;
    assert_eq!(code.as_u16(), 200);
    house.planner.apply(&admin(), &saved).await.unwrap();
    assert_eq!(house.get(&late()).await["spec"]["model"], "n");
}

#[tokio::test]
async fn one_step_that_fails_takes_all_back() {
    let house = House::new();
    house.made(&[namespace("team")]).await;
    let mut saved = house.saved(&admin(), &[endpoint("team", "first", "m"), endpoint("team", "second", "m")]).await;
    // The file says another thing than was planned: what comes of it has another digest.
    saved.asked.manifests[1].object["spec"]["model"] = "smuggled".into();
    let error = house.planner.apply(&admin(), &saved).await.unwrap_err();
    assert!(matches!(error, PlanError::Differs(ref what) if what == "Endpoint team/second"), "{error}");
    assert_eq!(house.get(&format!("{API}/team/endpoints/first")).await["code"], 404, "the first was kept");
}

#[tokio::test]
async fn a_plan_is_carried_out_with_the_rights_of_who_applies_it() {
    let house = House::new();
    house.made(&[namespace("team")]).await;
    house.grant("user:vera", "team", Role::Viewer);
    house.grant("user:ed", "team", Role::Editor);
    let saved = house.saved(&admin(), &[endpoint("team", "late", "m")]).await;
    let error = house.planner.apply(&person("vera", &[]), &saved).await.unwrap_err();
    assert!(error.to_string().contains("the plan is denied: Endpoint team/late: user:vera may not patch"), "{error}");
    house.planner.apply(&person("ed", &[]), &saved).await.unwrap();
}

#[tokio::test]
async fn a_plan_whose_steps_do_not_fit_its_digest_is_refused() {
    let house = House::new();
    let mut saved = house.saved(&admin(), &[endpoint("default", "late", "m")]).await;
    saved.plan.steps[0].found = None;
    saved.plan.steps[0].change = Some("sha256:00".into());
    assert!(matches!(house.planner.apply(&admin(), &saved).await.unwrap_err(), PlanError::Differs(_)));
    saved.plan.version = 7;
    assert!(matches!(house.planner.apply(&admin(), &saved).await.unwrap_err(), PlanError::Version { found: 7, .. }));
    let _ = asked(&[]);
}

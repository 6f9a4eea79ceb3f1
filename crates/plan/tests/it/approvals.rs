//! No client makes a change of a class without its teams; an approval is for one change, once, and in time.

use bedplate_identity::Principal;
use bedplate_plan::{Outcome, Plan};
use bedplate_policy::Role;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{API, House, admin, asked, dataset, endpoint, namespace, object, person};

fn class() -> Value {
    object(
        "ChangeClass",
        "bedplate-system",
        "models",
        json!({
            "risk": "high", "description": "what answers customers",
            "selects": { "kinds": ["Endpoint"], "namespaces": ["prod*"], "fields": ["spec.model"] },
            "approvers": [{ "team": "risk", "count": 1 }, { "team": "ops", "count": 1 }],
            "expiresAfter": "48h", "escalation": { "after": "24h", "to": "heads" },
        }),
    )
}

struct Scene {
    house: House,
    ana: Principal,
}

const LATE: &str = "/apis/bedplate.dev/v1alpha1/namespaces/prod/endpoints/late";

impl Scene {
    async fn new() -> Self {
        let house = House::new();
        house.made(&[namespace("prod"), endpoint("prod", "late", "m1"), dataset("prod", "rows", "ops")]).await;
        house.made(&[class()]).await;
        house.grant("user:ana", "prod", Role::Editor);
        for group in ["risk", "ops", "heads", "others"] {
            house.grant(&format!("group:{group}"), "prod", Role::Viewer);
        }
        Self { house, ana: person("ana", &["risk"]) }
    }

    /// kubectl's way: a patch of the object itself.
    async fn patch(&self, model: &str) -> (StatusCode, Value) {
        self.house.call(&self.ana, "PATCH", LATE, &json!({ "spec": { "model": model } })).await
    }

    async fn plan(&self, model: &str) -> Plan {
        self.house.plan(&self.ana, &[endpoint("prod", "late", model)]).await
    }

    async fn request(&self, model: &str) -> String {
        let plan = self.plan(model).await;
        let waiting = self.house.planner.request(&self.ana, &plan, "better AUC").await.unwrap();
        waiting[0].split_once('/').unwrap().1.to_owned()
    }

    async fn approve(&self, name: &str, who: &str, group: &str) -> Result<Value, String> {
        let who = person(who, &[group]);
        self.house.planner.vote(&who, "prod", name, "approve", "").await.map_err(|error| error.to_string())
    }

    async fn approval(&self, name: &str) -> Value {
        self.house.get(&format!("{API}/prod/approvals/{name}")).await
    }

    async fn model(&self) -> Value {
        self.house.get(LATE).await["spec"]["model"].clone()
    }
}

#[tokio::test]
async fn no_write_path_goes_around_a_class() {
    let scene = Scene::new().await;
    let (code, told) = scene.patch("m2").await;
    assert_eq!(code.as_u16(), 403);
    let message = told["message"].as_str().unwrap();
    for part in [
        "change class models (risk high) asks for 1 of risk, 1 of ops",
        "updates Endpoint prod/late: touches spec.model",
        "change sha256:",
        "--request-approval",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    let mut whole = scene.house.get(LATE).await;
    whole["spec"]["model"] = "m2".into();
    let wishes = [
        ("PUT", LATE, whole),
        ("DELETE", LATE, Value::Null),
        ("DELETE", "/apis/bedplate.dev/v1alpha1/namespaces/prod/endpoints", Value::Null),
        ("POST", "/apis/bedplate.dev/v1alpha1/namespaces/prod/endpoints", endpoint("prod", "second", "m")),
    ];
    for (method, path, body) in wishes {
        let (code, told) = scene.house.call(&scene.ana, method, path, &body).await;
        assert!(
            code.as_u16() == 403 && told["message"].as_str().unwrap().contains("change class models"),
            "{method} {path}: {told}"
        );
    }
    // An administrator is no exception, nor is what a namespace's deletion would take with it.
    let (code, told) = scene.house.call(&admin(), "DELETE", "/api/v1/namespaces/prod", &Value::Null).await;
    assert!(code.as_u16() == 403 && told["message"].as_str().unwrap().contains("deletes Endpoint prod/late"), "{told}");
    assert_eq!(
        scene.house.get("/api/v1/namespaces/prod").await["metadata"]["deletionTimestamp"],
        Value::Null,
        "half of it was done"
    );
    assert_eq!(scene.model().await, "m1");
    // What the class is not about is as free as before.
    let (code, _) = scene.house.call(&scene.ana, "PATCH", LATE, &json!({ "spec": { "description": "free" } })).await;
    assert_eq!(code.as_u16(), 200);
}

#[tokio::test]
async fn with_every_teams_word_the_change_is_made_once() {
    let scene = Scene::new().await;
    let plan = scene.plan("m2").await;
    assert_eq!((plan.verdict, plan.exit_code), (Outcome::ApprovalNeeded, 4));
    assert_eq!(
        (plan.steps[0].approvals[0].asks.as_str(), plan.steps[0].approvals[0].risk.as_str()),
        ("1 of risk, 1 of ops", "high")
    );
    let name = scene.request("m2").await;
    assert_eq!(scene.request("m2").await, name, "asked twice, one request");
    assert_eq!(scene.approval(&name).await["spec"]["requester"], "user:ana");
    scene.approve(&name, "rita", "risk").await.unwrap();
    let (code, told) = scene.patch("m2").await;
    assert!(code.as_u16() == 403 && told["message"].as_str().unwrap().contains("asks for 1 of ops"), "{told}");
    assert!(told["message"].as_str().unwrap().contains(&format!("bedplate approve {name} -n prod")), "{told}");
    scene.approve(&name, "omar", "ops").await.unwrap();
    assert_eq!(scene.approval(&name).await["status"]["state"], "Approved");
    let (code, told) = scene.patch("m3").await;
    assert_eq!(code.as_u16(), 403, "another change: {told}");
    let (code, told) = scene.patch("m2").await;
    assert_eq!(code.as_u16(), 200, "{told}");
    let used = scene.approval(&name).await["status"].clone();
    assert_eq!((&used["state"], &used["usedBy"]), (&json!("Used"), &json!("user:ana")));
    let by: Vec<_> = used["approvals"].as_array().unwrap().iter().map(|given| given["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["user:rita", "user:omar"]);
    // Back is a change of the class too; and forth again is the very change that was agreed to, which counts once.
    assert_eq!(scene.patch("m1").await.0.as_u16(), 403);
    let back = scene.request("m1").await;
    scene.approve(&back, "rita", "risk").await.unwrap();
    scene.approve(&back, "omar", "ops").await.unwrap();
    assert_eq!(scene.patch("m1").await.0.as_u16(), 200);
    let (code, told) = scene.patch("m2").await;
    assert!(
        code.as_u16() == 403 && told["message"].as_str().unwrap().contains(&format!("approval {name} is used")),
        "{told}"
    );
    assert_eq!(scene.model().await, "m1");
}

#[tokio::test]
async fn an_approval_is_for_the_state_it_was_asked_in_and_is_used_up_with_the_plan() {
    let scene = Scene::new().await;
    let early = bedplate_plan::Saved { plan: scene.plan("m2").await, asked: asked(&[endpoint("prod", "late", "m2")]) };
    let refused = scene.house.planner.apply(&scene.ana, &early).await.unwrap_err().to_string();
    assert!(refused.starts_with("the plan is approval-needed: Endpoint prod/late: class models asks for"), "{refused}");
    let name = scene.request("m2").await;
    scene.approve(&name, "rita", "risk").await.unwrap();
    scene.approve(&name, "omar", "ops").await.unwrap();
    let free = json!({ "spec": { "description": "moved" } });
    scene.house.call(&scene.ana, "PATCH", LATE, &free).await;
    assert_eq!(scene.patch("m2").await.0.as_u16(), 403, "from another state it is another change");
    scene.house.call(&scene.ana, "PATCH", LATE, &json!({ "spec": { "description": "" } })).await;
    let saved = bedplate_plan::Saved { plan: scene.plan("m2").await, asked: asked(&[endpoint("prod", "late", "m2")]) };
    assert_eq!(saved.plan.verdict, Outcome::Changes);
    assert!(
        saved.plan.steps[0].notes[0].contains(&format!("approval {name} of class models is used")),
        "{:?}",
        saved.plan.steps[0].notes
    );
    assert_eq!(scene.approval(&name).await["status"]["state"], "Approved", "a plan uses nothing up");
    // The plan that was kept before anybody agreed is the same plan.
    assert_eq!(early.plan.digest, saved.plan.digest);
    scene.house.planner.apply(&scene.ana, &early).await.unwrap();
    assert_eq!(scene.approval(&name).await["status"]["state"], "Used");
}

#[tokio::test]
async fn nobody_votes_for_another_twice_or_for_themselves() {
    let scene = Scene::new().await;
    let name = scene.request("m2").await;
    let own = scene.approve(&name, "ana", "risk").await.unwrap_err();
    assert!(own.contains("two-person rule"), "{own}");
    let other = scene.approve(&name, "otto", "others").await.unwrap_err();
    assert!(other.contains("in none of the teams that must agree: risk, ops"), "{other}");
    let stranger = scene.approve(&name, "mallory", "nobody").await.unwrap_err();
    assert!(stranger.contains("may not get Approval"), "{stranger}");
    for _ in 0..2 {
        scene.approve(&name, "rita", "risk").await.unwrap();
    }
    assert_eq!(scene.patch("m2").await.0.as_u16(), 403, "one person, one team");
    // An editor with kubectl: the status says what the server says, whatever the body does.
    let status = format!("{API}/prod/approvals/{name}/status");
    let forged = json!({ "status": { "state": "Approved", "usedAt": null, "approvals": [
        { "by": "user:omar", "groups": ["ops"], "decision": "approve" }, { "by": "user:rita", "groups": ["risk"], "decision": "approve" }] } });
    let (code, told) = scene.house.call(&scene.ana, "PATCH", &status, &forged).await;
    assert!(code.as_u16() == 403 && told["message"].as_str().unwrap().contains("two-person"), "{told}");
    scene.house.grant("user:eve", "prod", Role::Editor);
    let (code, _) = scene.house.call(&person("eve", &["risk"]), "PATCH", &status, &forged).await;
    assert_eq!(code.as_u16(), 200, "she is of the team, and that is her own vote");
    let given = scene.approval(&name).await["status"].clone();
    assert_eq!(given["state"], "Waiting", "{given}");
    let last = given["approvals"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["by"], &last["groups"]), (&json!("user:eve"), &json!(["risk"])));
    let spec = json!({ "spec": { "requester": "user:omar" } });
    let (code, told) = scene.house.call(&scene.ana, "PATCH", &format!("{API}/prod/approvals/{name}"), &spec).await;
    assert!(code.as_u16() == 403 && told["message"].as_str().unwrap().contains("does not change"), "{told}");
    let mut made = scene.approval(&name).await;
    made["metadata"] = json!({ "name": "made" });
    made["spec"]["requester"] = "user:somebody-else".into();
    let (code, made) = scene.house.call(&scene.ana, "POST", &format!("{API}/prod/approvals"), &made).await;
    assert_eq!(
        (code.as_u16(), &made["spec"]["requester"], &made["status"]["approvals"]),
        (201, &json!("user:ana"), &json!([]))
    );
}

#[tokio::test]
async fn time_escalates_and_ends_a_request() {
    let scene = Scene::new().await;
    let name = scene.request("m2").await;
    assert!(scene.approve(&name, "head", "heads").await.unwrap_err().contains("none of the teams"));
    scene.approve(&name, "rita", "risk").await.unwrap();
    scene.house.later(25);
    scene.approve(&name, "head", "heads").await.unwrap();
    let status = scene.approval(&name).await["status"].clone();
    assert_eq!(
        (&status["state"], status["escalatedAt"].as_str().unwrap()),
        (&json!("Approved"), "2026-11-17T00:00:00Z")
    );
    scene.house.later(25);
    let (code, told) = scene.patch("m2").await;
    assert!(
        code.as_u16() == 403 && told["message"].as_str().unwrap().contains(&format!("approval {name} is expired")),
        "{told}"
    );
    assert!(scene.approve(&name, "omar", "ops").await.unwrap_err().contains("is expired already"));
    let again = scene.request("m2").await;
    assert_eq!(again, format!("{name}-2"), "an ended request does not stand in the way of a new one");
}

#[tokio::test]
async fn one_no_is_enough() {
    let scene = Scene::new().await;
    let name = scene.request("m2").await;
    let rita = person("rita", &["risk"]);
    scene.house.planner.vote(&rita, "prod", &name, "reject", "not before Christmas").await.unwrap();
    let given = scene.approval(&name).await["status"].clone();
    assert_eq!(
        (&given["state"], &given["approvals"][0]["comment"]),
        (&json!("Rejected"), &json!("not before Christmas"))
    );
    assert!(scene.approve(&name, "omar", "ops").await.unwrap_err().contains("rejected already"));
    let bad = scene.house.planner.vote(&rita, "prod", &name, "maybe", "").await.unwrap_err().to_string();
    assert!(bad.contains("say approve or reject"), "{bad}");
}

#[tokio::test]
async fn what_was_restricted_needs_consent_to_become_public_and_a_low_class_none() {
    let scene = Scene::new().await;
    let guard = object(
        "ChangeClass",
        "bedplate-system",
        "restricted",
        json!({
        "risk": "high", "approvers": [{ "team": "risk" }], "selects": { "values": { "spec.classification": ["restricted"] } } }),
    );
    let low = object(
        "ChangeClass",
        "bedplate-system",
        "notes",
        json!({ "risk": "low", "selects": { "kinds": ["Dataset"] } }),
    );
    let mut rows = dataset("prod", "rows", "ops");
    rows["spec"]["classification"] = "restricted".into();
    scene.house.made(&[rows.clone()]).await;
    scene.house.made(&[guard, low]).await;
    let public = json!({ "spec": { "classification": "public" } });
    let (code, told) = scene.house.call(&admin(), "PATCH", &format!("{API}/prod/datasets/rows"), &public).await;
    assert!(
        code.as_u16() == 403 && told["message"].as_str().unwrap().contains("spec.classification is restricted"),
        "{told}"
    );
    let plan = scene.house.plan(&admin(), &[dataset("prod", "other", "ops")]).await;
    assert_eq!(plan.verdict, Outcome::Changes);
    assert_eq!(plan.steps[0].notes, ["class notes (risk low) approves itself: creates Dataset prod/other"]);
}

#[tokio::test]
async fn the_vote_route_takes_the_bearer_for_the_voter() {
    let scene = Scene::new().await;
    let body = json!({ "manifests": [{ "object": endpoint("prod", "late", "m2"), "source": "a.yaml:1" }], "namespace": "prod", "requestApproval": "AUC" });
    let (code, answer) = scene.house.ask(&scene.ana, "/bedplate/v1/plan", &body).await;
    assert_eq!(code.as_u16(), 200, "{answer}");
    let waiting = answer["requested"][0].as_str().unwrap();
    assert_eq!(answer["plan"]["steps"][0]["approvals"][0]["state"], "waiting");
    let (_, name) = waiting.split_once('/').unwrap();
    let path = format!("/bedplate/v1/namespaces/prod/approvals/{name}/vote");
    let vote = json!({ "decision": "approve", "comment": "looked at", "by": "user:omar" });
    let (code, voted) = scene.house.ask(&person("rita", &["risk"]), &path, &vote).await;
    assert_eq!((code.as_u16(), &voted["status"]["approvals"][0]["by"]), (200, &json!("user:rita")));
    let (code, told) = scene.house.ask(&scene.ana, &path, &vote).await;
    assert!(code.as_u16() == 403 && told["message"].as_str().unwrap().contains("two-person"), "{told}");
}

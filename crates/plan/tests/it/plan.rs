//! The five things a plan says of every object, and that it writes nothing.

use bedplate_plan::{Action, Asked, Outcome, Scenario, print};
use bedplate_policy::Role;
use serde_json::{Value, json};

use crate::support::{API, House, admin, asked, dataset, endpoint, namespace, object, paths, person, site, step};

fn told(plan: &bedplate_plan::Plan) -> String {
    let mut out = Vec::new();
    print::plan(&mut out, plan, print::Style::default()).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn everything_new_is_told_with_place_cost_and_rule_and_nothing_is_written() {
    let house = House::new();
    let objects = [namespace("team"), dataset("team", "rows", "ops"), endpoint("team", "late", "m")];
    let before = house.get("/api/v1/namespaces").await["metadata"]["resourceVersion"].clone();
    let plan = house.plan(&admin(), &objects).await;
    assert_eq!((plan.verdict, plan.exit_code), (Outcome::Changes, 2));
    assert_eq!((plan.summary.create, plan.summary.update), (3, 0));
    let late = step(&plan, "Endpoint team/late");
    assert_eq!((late.action, late.source.as_deref()), (Action::Create, Some("test.yaml:2")));
    assert!(paths(late).contains(&"spec.capacity.milliCpu") && paths(late).contains(&"spec.model"), "{late:?}");
    assert_eq!(late.placement.as_ref().unwrap().site.as_deref(), Some("local"));
    assert_eq!(late.cost.as_ref().unwrap().hourly.to_string(), "0.02", "half a core and a quarter of a GiB");
    assert_eq!(
        (late.policy.allowed, late.policy.verb.as_str(), late.policy.rules.as_slice()),
        (true, "patch", &["owner-does-all".to_owned()][..])
    );
    assert!(late.approvals.is_empty() && step(&plan, "Namespace team").cost.is_none());
    let after = house.get("/api/v1/namespaces").await["metadata"]["resourceVersion"].clone();
    assert_eq!(before, after, "a plan wrote something");
    let text = told(&plan);
    for part in [
        "ACTION",
        "create   Endpoint team/late",
        "local",
        "owner-does-all",
        "3 to create",
        "plan sha256:",
        "+ spec.model: \"m\"",
        "placed on local",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[tokio::test]
async fn an_update_tells_the_fields_with_defaults_and_other_managers_right() {
    let house = House::new();
    house.made(&[dataset("default", "rows", "ops")]).await;
    let path = format!("{API}/default/datasets/rows?fieldManager=script");
    house.call(&admin(), "PATCH", &path, &json!({ "spec": { "description": "theirs", "tags": { "a": "1" } } })).await;
    let unchanged = house.plan(&admin(), &[dataset("default", "rows", "ops")]).await;
    assert_eq!((unchanged.verdict, unchanged.exit_code), (Outcome::NoChange, 0), "{unchanged:?}");
    assert!(told(&unchanged).contains("0 changes: 1 object as declared"), "{}", told(&unchanged));
    let mut wanted = dataset("default", "rows", "risk");
    wanted["spec"]["description"] = "ours".into();
    wanted["spec"]["classification"] = "public".into();
    wanted["spec"]["schema"][1]["nullable"] = false.into();
    let plan = house.plan(&admin(), &[wanted]).await;
    let rows = step(&plan, "Dataset default/rows");
    assert_eq!(
        paths(rows),
        ["spec.classification", "spec.description", "spec.owner", "spec.schema[at].nullable"],
        "tags are not ours to take"
    );
    let theirs = rows.diff[1].owner.as_ref().unwrap();
    assert_eq!((theirs.manager.as_str(), &rows.diff[1].change.before), ("script", &Some("theirs".into())));
    assert_eq!(rows.diff[0].change.before, Some("internal".into()), "the default is known: {rows:?}");
}

#[tokio::test]
async fn what_a_secret_holds_is_not_shown() {
    let house = House::new();
    let secret = |value: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": "default" }, "data": { "pin": value, "same": "YQ==" } });
    let plan = house.plan(&admin(), &[secret("aHVudGVyMg==")]).await;
    assert_eq!(step(&plan, "Secret default/s").diff[0].change.path, "data.pin");
    house.made(&[secret("aHVudGVyMg==")]).await;
    let changed = house.plan(&admin(), &[secret("c2Vzc2Ft")]).await;
    assert_eq!(paths(step(&changed, "Secret default/s")), ["data.pin"]);
    for plan in [plan, changed] {
        let all = format!("{}{}", serde_json::to_string(&plan).unwrap(), told(&plan));
        assert!(!all.contains("aHVudGVyMg") && !all.contains("c2Vzc2Ft"), "{all}");
    }
}

#[tokio::test]
async fn rights_are_the_askers_and_existence_is_not_told() {
    let house = House::new();
    house.made(&[namespace("team"), endpoint("team", "late", "m")]).await;
    house.grant("user:vera", "team", Role::Viewer);
    house.grant("user:ed", "team", Role::Editor);
    let wanted = [endpoint("team", "late", "n"), endpoint("team", "new", "n")];
    let viewer = house.plan(&person("vera", &[]), &wanted).await;
    assert_eq!((viewer.verdict, viewer.exit_code, viewer.summary.denied), (Outcome::Denied, 3, 2));
    let late = step(&viewer, "Endpoint team/late");
    assert_eq!(paths(late), ["spec.model"], "who may look sees the difference");
    assert!(late.policy.why.contains("ask an owner of namespace team for role editor"), "{}", late.policy.why);
    assert_eq!(house.plan(&person("ed", &[]), &wanted).await.verdict, Outcome::Changes);
    let stranger = house.plan(&person("mallory", &[]), &wanted).await;
    let [hidden, missing] = [&stranger.steps[0], &stranger.steps[1]];
    let bare = |step: &bedplate_plan::Step| {
        let mut bare = serde_json::to_value(step).unwrap();
        bare["name"] = Value::Null;
        bare["source"] = Value::Null;
        bare
    };
    assert_eq!((hidden.action, bare(hidden)), (Action::Unknown, bare(missing)));
}

#[tokio::test]
async fn a_broken_manifest_is_a_refusal_and_does_not_hide_the_others() {
    let house = House::new();
    let mut broken = endpoint("default", "bad", "m");
    broken["spec"]["modle"] = "typo".into();
    let nowhere = endpoint("nowhere", "lost", "m");
    let plan = house.plan(&admin(), &[broken, nowhere, endpoint("default", "good", "m")]).await;
    assert_eq!(plan.verdict, Outcome::Denied);
    assert!(step(&plan, "Endpoint default/bad").refusals[0].contains("unknown field \"spec.modle\""), "{plan:?}");
    assert!(step(&plan, "Endpoint nowhere/lost").refusals[0].contains("namespaces \"nowhere\" not found"), "{plan:?}");
    assert_eq!(step(&plan, "Endpoint default/good").action, Action::Create);
    let planner = &house.planner;
    let ask = |objects: Vec<Value>| async move {
        planner.plan(&admin(), &asked(&objects), &Scenario::default()).await.unwrap_err().to_string()
    };
    let twice = ask(vec![endpoint("default", "a", "m"), endpoint("default", "a", "n")]).await;
    assert_eq!(twice, "Endpoint default/a is declared twice: test.yaml:0 and test.yaml:1");
    let unknown = ask(vec![object("Rocket", "default", "a", json!({}))]).await;
    assert!(unknown.contains("no kind \"Rocket\""), "{unknown}");
    let many = Asked {
        manifests: (0..1_001).flat_map(|n| asked(&[endpoint("default", &format!("e{n}"), "m")]).manifests).collect(),
        ..Asked::default()
    };
    let many = house.planner.plan(&admin(), &many, &Scenario::default()).await.unwrap_err().to_string();
    assert_eq!(many, "1001 objects are more than the 1000 of one plan");
}

#[tokio::test]
async fn data_stays_where_it_must_and_every_sites_verdict_is_told() {
    let house = House::new();
    let eu = site("eu-1", json!({ "residency": ["eu"], "region": "eu" }));
    let us = site("us-1", json!({ "residency": ["us"], "priceFactors": { "storage_gigabyte_hours": 50 } }));
    let down = site("eu-2", json!({ "residency": ["eu"], "state": "Down" }));
    house.made(&[eu, us, down]).await;
    let mut rows = dataset("default", "rows", "ops");
    rows["spec"]["tags"] = json!({ "residency": "eu" });
    let plan = house.plan(&admin(), &[rows.clone()]).await;
    let placement = step(&plan, "Dataset default/rows").placement.clone().unwrap();
    assert_eq!(placement.site.as_deref(), Some("eu-1"));
    let why = |name: &str| placement.sites.iter().find(|site| site.site == name).unwrap().why.join(", ");
    assert_eq!(why("us-1"), "must stay in eu, and it lies in us");
    assert_eq!(why("eu-2"), "it is down");
    rows["spec"]["tags"]["residency"] = "ch".into();
    let plan = house.plan(&admin(), &[rows]).await;
    assert_eq!((plan.verdict, plan.exit_code), (Outcome::Denied, 3));
    assert!(step(&plan, "Dataset default/rows").refusals[0].starts_with("it fits nowhere: "), "{plan:?}");
}

#[tokio::test]
async fn a_recipe_goes_where_the_data_it_reads_through_its_views_may_be() {
    let house = House::new();
    house.made(&[site("eu-1", json!({ "residency": ["eu"] })), site("us-1", json!({ "residency": ["us"] }))]).await;
    let mut rows = dataset("default", "rows", "ops");
    rows["spec"]["tags"] = json!({ "residency": "us" });
    let view = object(
        "FeatureView",
        "default",
        "v",
        json!({ "entity": "e", "source": { "datasets": ["rows"], "sql": "SELECT 1" }, "features": [{ "name": "f", "column": "f" }] }),
    );
    let service = object("FeatureService", "default", "s", json!({ "views": [{ "view": "v" }] }));
    let recipe = object(
        "TrainingRecipe",
        "default",
        "r",
        json!({
        "label": { "datasets": [], "sql": "SELECT 1", "column": "l", "timestampColumn": "t" }, "featureService": "s",
        "split": { "train": { "to": "2013-07-01T04:00:00Z" }, "test": { "from": "2013-07-01T04:00:00Z" } },
        "algorithm": { "gradientBoosting": {} }, "model": "m", "resources": { "timeout": "30m", "memoryMib": 100 } }),
    );
    let plan = house.plan(&admin(), &[rows, view, service, recipe, endpoint("default", "late", "m")]).await;
    for placed in ["TrainingRecipe default/r", "Endpoint default/late"] {
        assert_eq!(step(&plan, placed).placement.as_ref().unwrap().site.as_deref(), Some("us-1"), "{placed}: {plan:?}");
    }
    let cost = step(&plan, "TrainingRecipe default/r").cost.clone().unwrap();
    assert!(cost.once && cost.monthly.0.0 * 2 == cost.hourly.0.0 / 2 * 2, "half an hour: {cost:?}");
    assert_eq!(cost.assumed, ["one core"]);
}

#[tokio::test]
async fn budgets_are_held_against_the_ledger_and_what_is_to_come() {
    let house = House::new();
    let budget = |limit: &str, enforcement: &str| {
        object(
            "Budget",
            "bedplate-system",
            "b",
            json!({ "namespace": "team", "monthlyLimit": limit, "enforcement": enforcement }),
        )
    };
    house.made(&[namespace("team"), budget("15.00", "hard")]).await;
    house.spend("team", 9_000_000);
    // Half a core and a quarter of a GiB for the 15 days that are left: 360 hours.
    let late = endpoint("team", "late", "m");
    let plan = house.plan(&admin(), std::slice::from_ref(&late)).await;
    assert_eq!((plan.verdict, plan.exit_code), (Outcome::OverBudget, 5), "{:?}", plan.budgets);
    let told = told(&plan);
    assert!(
        told.contains("over budget b (hard, namespace team): 9.00 spent") && told.contains("of 15.00 EUR"),
        "{told}"
    );
    let saved = bedplate_plan::Saved { plan, asked: asked(std::slice::from_ref(&late)) };
    let refused = house.planner.apply(&admin(), &saved).await.unwrap_err().to_string();
    assert!(refused.starts_with("the plan is over-budget: budget b: the month would end at"), "{refused}");
    house.made(&[budget("15.00", "soft")]).await;
    assert_eq!(
        house.plan(&admin(), std::slice::from_ref(&late)).await.verdict,
        Outcome::Changes,
        "a soft one only says so"
    );
    house.made(&[budget("20.00", "hard"), late]).await;
    house.made(&[budget("10.00", "hard")]).await;
    let mut smaller = endpoint("team", "late", "m");
    smaller["spec"]["capacity"]["milliCpu"] = 100.into();
    let cheaper = house.plan(&admin(), &[smaller]).await;
    assert_eq!(cheaper.verdict, Outcome::Changes, "what makes it cheaper is welcome: {:?}", cheaper.budgets);
}

#[tokio::test]
async fn the_strongest_verdict_wins() {
    let house = House::new();
    let class = object(
        "ChangeClass",
        "bedplate-system",
        "c",
        json!({ "risk": "high", "selects": { "kinds": ["Endpoint"] }, "approvers": [{ "team": "risk" }] }),
    );
    let budget = object("Budget", "bedplate-system", "b", json!({ "namespace": "default", "monthlyLimit": "0" }));
    house.made(&[class]).await;
    let late = endpoint("default", "late", "m");
    assert_eq!(house.plan(&admin(), std::slice::from_ref(&late)).await.exit_code, 4);
    house.made(&[budget]).await;
    assert_eq!(house.plan(&admin(), std::slice::from_ref(&late)).await.exit_code, 5);
    house.grant("user:vera", "default", Role::Viewer);
    assert_eq!(house.plan(&person("vera", &[]), &[late]).await.exit_code, 3);
}

#[tokio::test]
async fn the_route_plans_as_the_bearer_of_the_token() {
    let house = House::new();
    house.grant("user:vera", "default", Role::Viewer);
    let body = json!({ "manifests": [{ "object": endpoint("default", "late", "m"), "source": "a.yaml:1" }], "namespace": "default" });
    let (code, answer) = house.ask(&person("vera", &[]), "/bedplate/v1/plan", &body).await;
    assert_eq!(
        (code.as_u16(), &answer["plan"]["exitCode"], &answer["plan"]["principal"]),
        (200, &json!(3), &json!("user:vera"))
    );
    let (_, answer) = house.ask(&admin(), "/bedplate/v1/plan", &body).await;
    assert_eq!(
        (&answer["plan"]["exitCode"], &answer["plan"]["steps"][0]["policy"]["rules"]),
        (&json!(2), &json!(["owner-does-all"]))
    );
    let request = http::Request::post("/bedplate/v1/plan").header("content-type", "application/json");
    let response = tower::ServiceExt::oneshot(
        house.routes.clone(),
        request.body(axum::body::Body::from(body.to_string())).unwrap(),
    )
    .await
    .unwrap();
    assert_eq!(response.status().as_u16(), 401);
}

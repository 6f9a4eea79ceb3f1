//! Drift: what others changed, who and when; and apply brings it back.

use bedplate_plan::{Drift, print};
use serde_json::{Value, json};

use crate::support::{API, House, admin, endpoint, namespace};

#[tokio::test]
async fn what_others_changed_is_told_with_who_and_when_and_apply_restores_it() {
    let house = House::new();
    let objects = [namespace("team"), endpoint("team", "late", "m"), endpoint("team", "gone", "m")];
    house.made(&objects).await;
    let still = Drift::of(&house.plan(&admin(), &objects).await);
    assert_eq!((still.exit_code(), still), (0, Drift::default()));
    let late = format!("{API}/team/endpoints/late");
    let patch = json!({ "spec": { "model": "other", "description": "not declared, so not drift", "capacity": { "milliCpu": null } } });
    house.later(1);
    house.call(&admin(), "PATCH", &format!("{late}?fieldManager=kubectl-edit"), &patch).await;
    house.call(&admin(), "DELETE", &format!("{API}/team/endpoints/gone"), &Value::Null).await;
    let drift = Drift::of(&house.plan(&admin(), &objects).await);
    assert_eq!(drift.exit_code(), 2);
    let told: Vec<_> = drift
        .drifted
        .iter()
        .map(|one| {
            (one.object.as_str(), one.path.as_str(), one.by.as_ref().map(|by| (by.manager.as_str(), by.time.as_str())))
        })
        .collect();
    let edit = Some(("kubectl-edit", "2026-11-16T01:00:00Z"));
    assert_eq!(
        told,
        [
            ("Endpoint team/late", "spec.capacity.milliCpu", None),
            ("Endpoint team/late", "spec.model", edit),
            ("Endpoint team/gone", "", None),
        ]
    );
    let mut out = Vec::new();
    print::drift(&mut out, &drift, print::Style::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\"other\"") && text.contains("3 fields drifted"), "{text}");
    house.made(&objects).await;
    assert_eq!(Drift::of(&house.plan(&admin(), &objects).await).exit_code(), 0);
    assert_eq!(house.get(&late).await["spec"]["model"], "m");
}

#[tokio::test]
async fn a_manifest_that_was_edited_is_pending_and_no_drift() {
    let house = House::new();
    house.made(&[endpoint("default", "late", "m")]).await;
    let drift = Drift::of(&house.plan(&admin(), &[endpoint("default", "late", "n")]).await);
    assert_eq!(
        (drift.exit_code(), drift.pending.as_slice()),
        (0, &["Endpoint default/late: spec.model".to_owned()][..])
    );
}

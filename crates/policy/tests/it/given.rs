//! Decisions are written down, counted by the minute, and forgotten in time.

use bedplate_policy::{Action, Question, Resource, Role, Wanted, decisions, forget_old_decisions, lost_decisions};
use bedplate_types::Timestamp;

use crate::{give, may, open};

const MINUTE: i64 = 60_000_000;

#[test]
fn what_was_decided_is_told_with_its_policies_and_how_often() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("user:ed", "flights", Role::Editor)]);
    for _ in 0..3 {
        assert!(may(&policy, "user:ed", Action::Patch, Some("flights"), "datasets"));
    }
    assert!(!may(&policy, "user:eve", Action::Get, Some("flights"), "Secret"));
    let given = policy.given();
    assert_eq!((given.decisions(), given.lost), (4, 0));
    let now = Timestamp::from_micros(10 * MINUTE + 5);
    db.write(move |tx| given.write(tx, now)).unwrap();
    assert!(policy.given().is_empty());
    let told = |namespace: Option<&str>, denied_only| {
        let wanted = Wanted { namespace: namespace.map(str::to_owned), denied_only, limit: 10, ..Wanted::default() };
        db.read(|tx| decisions(tx, &wanted)).unwrap()
    };
    let all = told(Some("flights"), false);
    assert_eq!(all.len(), 2);
    let patched = all.iter().find(|one| one.allowed).unwrap();
    let words = [&patched.principal, &patched.action, &patched.kind, &patched.namespace, &patched.policies[0]];
    assert_eq!(words, ["user:ed", "patch", "Dataset", "flights", "editor-writes"]);
    assert_eq!((patched.times, patched.at), (3, now));
    let denied = told(None, true);
    assert_eq!((denied.len(), denied[0].principal.as_str(), denied[0].kind.as_str()), (1, "user:eve", "Secret"));
    assert!(denied[0].why.contains("ask an owner of namespace flights"), "{}", denied[0].why);
    assert!(told(Some("rides"), false).is_empty());
}

#[test]
fn the_same_decision_in_one_minute_is_one_line() {
    let (_folder, db, policy) = open();
    for at in [MINUTE, MINUTE + 9, 2 * MINUTE] {
        may(&policy, "user:eve", Action::Get, Some("flights"), "Dataset");
        let given = policy.given();
        db.write(move |tx| given.write(tx, Timestamp::from_micros(at))).unwrap();
    }
    let wanted = Wanted { limit: 10, ..Wanted::default() };
    let times: Vec<_> = db.read(|tx| decisions(tx, &wanted)).unwrap().iter().map(|one| one.times).collect();
    assert_eq!(times, [1, 2], "the newest first");
    let week = 7 * 24 * 60 * MINUTE;
    db.write(move |tx| forget_old_decisions(tx, Timestamp::from_micros(week + 2 * MINUTE))).unwrap();
    assert_eq!(db.read(|tx| decisions(tx, &wanted)).unwrap().len(), 1);
}

#[test]
fn something_that_goes_on_is_told_only_when_it_may_not() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("user:ana", "flights", Role::Viewer)]);
    let question = |who| {
        Question::new(who, &[], Action::Watch, Resource { namespace: Some("flights"), kind: "Dataset", name: None })
    };
    assert!(policy.still(&question("user:ana")).allowed);
    assert!(policy.given().is_empty());
    assert!(!policy.still(&question("user:eve")).allowed);
    assert_eq!(policy.given().decisions(), 1);
}

#[test]
fn names_from_callers_are_cut_and_what_was_lost_is_counted() {
    let (_folder, db, policy) = open();
    let long = format!("a\0b{}", "c".repeat(10_000));
    let name = Resource { namespace: Some("flights"), kind: "Dataset", name: Some(&long) };
    assert!(!policy.decide("user:eve", &[], Action::Get, &name).allowed);
    let mut given = policy.given();
    given.lost = 7;
    db.write(move |tx| given.write(tx, Timestamp::from_micros(0))).unwrap();
    let wanted = Wanted { limit: 10, ..Wanted::default() };
    let told = db.read(|tx| decisions(tx, &wanted)).unwrap();
    assert!(told[0].name.starts_with("abcc") && told[0].name.len() == 253, "{}", told[0].name.len());
    assert_eq!(db.read(lost_decisions).unwrap(), 7);
}

//! People's policies and the built-in forbids: what they refuse, where they count, and that nobody is locked out by them.

use std::collections::BTreeSet;

use bedplate_db::Db;
use bedplate_policy::{
    Action, Circumstances, Decision, Grant, Policy, PolicyError, Question, Resource, Role, Source, Tags, declare,
    retract,
};

use crate::{give, open};

fn put(db: &Db, policy: &Policy, namespace: &str, name: &str, cedar: &str) {
    let source = Source { namespace: namespace.into(), name: name.into(), cedar: cedar.into() };
    assert_eq!(source.flaws().unwrap(), [], "{cedar}");
    db.write(move |tx| declare(tx, &source)).unwrap();
    policy.refresh().unwrap();
}

fn ask(
    policy: &Policy,
    who: &str,
    action: Action,
    kind: &str,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Decision {
    policy.decide(who, &[], action, &Resource { namespace, kind, name })
}

fn used(policy: &Policy, action: Action, kind: &str, tags: &Tags, context: &Circumstances) -> Decision {
    let resource = Resource { namespace: Some("flights"), kind, name: Some("claims") };
    let question = Question::new("system:controllers", &[], action, resource);
    policy.ask(&question.tagged(tags).within(context.context()))
}

fn words(words: &[&str]) -> Option<BTreeSet<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

fn said(purpose: &str, site: &str) -> Circumstances {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Circumstances { purpose: some(purpose), site: some(site) }
}

#[track_caller]
fn forbids(decision: &Decision, id: &str) {
    assert!(!decision.allowed && decision.policies[..] == [id.to_owned()], "{decision:?}");
    assert!(decision.why().contains(&format!("forbidden by policy {id}: ")), "{}", decision.why());
}

#[test]
fn data_with_purposes_is_used_for_one_of_them_only() {
    let (_folder, _db, policy) = open();
    let tags = Tags { purposes: words(&["care", "billing"]), ..Tags::NONE };
    for (action, kind) in [
        (Action::Train, "Dataset"),
        (Action::Predict, "Endpoint"),
        (Action::ReadData, "Dataset"),
        (Action::ReadUnmasked, "Column"),
        (Action::ReadUnfiltered, "RowFilter"),
    ] {
        forbids(&used(&policy, action, kind, &tags, &said("", "")), "purpose-limitation");
        forbids(&used(&policy, action, kind, &tags, &said("marketing", "")), "purpose-limitation");
        assert!(used(&policy, action, kind, &tags, &said("care", "")).allowed, "{action}");
        assert!(used(&policy, action, kind, &Tags::NONE, &said("", "")).allowed, "{action}");
    }
    assert!(used(&policy, Action::Get, "Dataset", &tags, &said("", "")).allowed, "its description is no use of it");
    let none = Tags { purposes: words(&[]), ..Tags::NONE };
    forbids(&used(&policy, Action::Train, "Dataset", &none, &said("care", "")), "purpose-limitation");
}

#[test]
fn data_stays_where_it_may_be() {
    let (_folder, _db, policy) = open();
    let tags = Tags { residency: words(&["eu", "us-gov-1"]), ..Tags::NONE };
    for site in ["eu", "eu-west-1", "us-gov-1"] {
        assert!(used(&policy, Action::Place, "Workload", &tags, &said("", site)).allowed, "{site}");
    }
    for site in ["us-east-1", "europe-1", "EU-west", "us-gov-2"] {
        forbids(&used(&policy, Action::Place, "Workload", &tags, &said("", site)), "residency");
        forbids(&used(&policy, Action::Train, "Dataset", &tags, &said("", site)), "residency");
    }
    forbids(&used(&policy, Action::Place, "Workload", &tags, &said("", "")), "residency-needs-a-site");
    assert!(
        used(&policy, Action::Get, "Dataset", &tags, &said("", "us-east-1")).allowed,
        "its description may be anywhere"
    );
    let (here, there) = (policy.clone().at_site(Some("eu-west-1")), policy.clone().at_site(Some("us-east-1")));
    assert!(used(&here, Action::Train, "Dataset", &tags, &said("", "")).allowed);
    forbids(&used(&there, Action::Train, "Dataset", &tags, &said("", "")), "residency");
    assert!(used(&there, Action::Place, "Workload", &tags, &said("", "eu")).allowed, "the site that is named counts");
    assert!(used(&policy, Action::Place, "Workload", &Tags::NONE, &said("", "us-east-1")).allowed);
}

#[test]
fn nothing_is_trained_from_health_data_that_tells_of_persons() {
    let (_folder, _db, policy) = open();
    let phi = Tags { classification: Some("phi".into()), ..Tags::NONE };
    forbids(&used(&policy, Action::Train, "Dataset", &phi, &said("", "")), "no-phi-training");
    assert!(
        used(&policy, Action::Train, "Dataset", &Tags { deidentified: true, ..phi.clone() }, &said("", "")).allowed
    );
    assert!(used(&policy, Action::ReadData, "Dataset", &phi, &said("", "")).allowed);
    let secret = Tags { classification: Some("restricted".into()), ..Tags::NONE };
    assert!(used(&policy, Action::Train, "Dataset", &secret, &said("", "")).allowed);
}

#[test]
fn masks_are_lifted_for_owners_and_by_policies_that_look_at_the_column() {
    let (_folder, db, policy) = open();
    let roles = [("user:vera", Role::Viewer), ("user:ed", Role::Editor), ("user:olga", Role::Owner)];
    give(&db, &policy, &roles.map(|(who, role)| (who, "flights", role)));
    let may = |who: &str, pii: &str, purpose: &str| {
        let tags = Tags { labels: [("pii".to_owned(), pii.to_owned())].into(), ..Tags::NONE };
        let resource = Resource { namespace: Some("flights"), kind: "Column", name: Some("people.email") };
        let question = Question::new(who, &[], Action::ReadUnmasked, resource).tagged(&tags);
        policy.ask(&question.within(said(purpose, "").context())).allowed
    };
    assert_eq!(roles.map(|(who, _)| may(who, "email", "fraud")), [false, false, true]);
    let rule = "permit (principal == User::\"ed\", action == Action::\"Column.read-unmasked\", resource)
        when { resource.hasTag(\"pii\") && resource.getTag(\"pii\") == \"email\" && context has purpose && context.purpose == \"fraud\" };";
    put(&db, &policy, "flights", "fraud", rule);
    assert!(may("user:ed", "email", "fraud"));
    assert!(!may("user:ed", "name", "fraud") && !may("user:ed", "email", "") && !may("user:vera", "email", "fraud"));
}

#[test]
fn a_policy_counts_from_the_refresh_on_and_until_it_is_retracted() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("user:ana", "flights", Role::Editor)]);
    let may = || ask(&policy, "user:ana", Action::Delete, "Dataset", Some("flights"), Some("weather"));
    assert!(may().allowed);
    put(
        &db,
        &policy,
        "flights",
        "keep",
        "@why(\"ask ops\") forbid (principal, action in Action::\"delete\", resource is Dataset);",
    );
    forbids(&may(), "flights/keep");
    assert!(may().why().ends_with("ask ops"), "{}", may().why());
    assert!(ask(&policy, "user:ana", Action::Delete, "Model", Some("flights"), Some("m")).allowed);
    db.write(|tx| retract(tx, "flights", "keep")).unwrap();
    policy.refresh().unwrap();
    assert!(may().allowed);
}

#[test]
fn a_namespaces_policy_says_nothing_elsewhere_and_the_platforms_says_it_everywhere() {
    let (_folder, db, policy) = open();
    let anywhere = "permit (principal == User::\"eve\", action, resource);";
    put(&db, &policy, "rides", "let-eve", anywhere);
    let may = |namespace| ask(&policy, "user:eve", Action::Get, "Dataset", namespace, None).allowed;
    assert!(may(Some("rides")) && !may(Some("flights")) && !may(None));
    assert!(!ask(&policy, "user:eve", Action::Get, "Namespace", None, Some("flights")).allowed);
    put(&db, &policy, "bedplate-system", "let-eve", anywhere);
    assert!(may(Some("rides")) && may(Some("flights")) && may(None));
    put(&db, &policy, "flights", "not-eve", "forbid (principal == User::\"eve\", action, resource);");
    assert!(may(Some("rides")) && !may(Some("flights")));
    assert!(!may(None), "a list over all namespaces does not get round it");
}

#[test]
fn nobody_can_lock_the_platform_out() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("user:olga", "flights", Role::Owner)]);
    let everything = "forbid (principal, action, resource);";
    put(&db, &policy, "flights", "no", everything);
    let masters = ["system:masters".to_owned()];
    let admin = |action, kind, namespace| {
        policy.decide("user:admin", &masters, action, &Resource { namespace, kind, name: None }).allowed
    };
    assert!(!ask(&policy, "user:olga", Action::Get, "Dataset", Some("flights"), None).allowed);
    for (action, namespace) in [(Action::Get, Some("flights")), (Action::List, None), (Action::Delete, Some("flights"))]
    {
        assert!(admin(action, "Dataset", namespace), "{action}");
        assert!(ask(&policy, "system:controllers", action, "Dataset", namespace, None).allowed, "{action}");
    }
    assert!(!admin(Action::ReadData, "Dataset", Some("flights")), "the data itself is the namespace's");
    put(&db, &policy, "bedplate-system", "no", everything);
    assert!(ask(&policy, "system:controllers", Action::List, "Dataset", None, None).allowed);
    assert!(!admin(Action::Get, "Dataset", Some("flights")));
    assert!(admin(Action::Delete, "Policy", Some("bedplate-system")), "who owns everything mends policies");
}

#[test]
fn an_object_is_known_by_name_tags_and_labels() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("user:ana", "flights", Role::Viewer)]);
    let looks = |who, namespace| policy.looks_at_objects(who, &[], namespace);
    assert!(!looks("user:ana", Some("flights")));
    put(
        &db,
        &policy,
        "flights",
        "p",
        "forbid (principal, action, resource == Dataset::\"flights/hidden\");
         forbid (principal, action, resource) when { resource has owner && resource.owner == \"ops\" };
         forbid (principal, action, resource) when { resource.hasTag(\"tier\") && resource.getTag(\"tier\") == \"gold\" };",
    );
    assert!(looks("user:ana", Some("flights")) && looks("user:ana", None));
    assert!(!looks("system:controllers", None), "nothing is hidden from the platform");
    assert!(!looks("user:ana", Some("rides")));
    let one = |name, tags: Tags| {
        let resource = Resource { namespace: Some("flights"), kind: "datasets", name: Some(name) };
        policy.ask(&Question::new("user:ana", &[], Action::Get, resource).tagged(&tags))
    };
    assert!(one("weather", Tags::NONE).allowed);
    assert_eq!(one("hidden", Tags::NONE).policies[..], ["flights/p/0"]);
    assert_eq!(one("weather", Tags { owner: Some("ops".into()), ..Tags::NONE }).policies[..], ["flights/p/1"]);
    let gold = Tags { labels: [("tier".to_owned(), "gold".to_owned())].into(), ..Tags::NONE };
    assert_eq!(one("weather", gold).policies[..], ["flights/p/2"]);
}

#[test]
fn a_text_that_cannot_be_read_is_not_stored_and_stops_the_load() {
    let (_folder, db, policy) = open();
    let bad = Source { namespace: "flights".into(), name: "p".into(), cedar: "permit (".into() };
    assert!(matches!(db.write(move |tx| declare(tx, &bad)), Err(PolicyError::Source { .. })));
    db.write(|tx| tx.execute("INSERT INTO policy_texts VALUES ('flights', 'p', 'permit (')", &[])).unwrap();
    let error = policy.reload().unwrap_err().to_string();
    assert!(error.contains("flights/p") && error.contains("line 1"), "{error}");
    assert!(ask(&policy, "system:controllers", Action::Get, "Dataset", None, None).allowed, "the old state stays");
}

#[test]
fn who_is_spelled_as_nobody_is_denied() {
    let (_folder, db, policy) = open();
    db.write(|tx| bedplate_policy::grant(tx, &Grant::new("ana", "flights", Role::Owner))).unwrap();
    policy.reload().unwrap();
    let denied = ask(&policy, "ana", Action::Get, "Dataset", Some("flights"), None);
    assert!(!denied.allowed && denied.why().contains("is not a principal"), "{}", denied.why());
}

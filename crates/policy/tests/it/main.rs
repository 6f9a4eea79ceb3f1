//! The decision point on a real database.

mod scope;

use bedplate_db::Db;
mod given;
mod rules;

use bedplate_policy::{
    Action, Decision, Grant, MIGRATIONS, Policy, PolicyError, Resource, Role, bind, grant, list, revoke,
};

/// A new database of the engine the tests of this process run on.
fn database(folder: &tempfile::TempDir) -> Db {
    match bedplate_testkit::postgres_database() {
        Some(url) => Db::connect(&url, MIGRATIONS).unwrap(),
        None => Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap(),
    }
}

fn open() -> (tempfile::TempDir, Db, Policy) {
    let folder = tempfile::tempdir().unwrap();
    let db = database(&folder);
    let policy = Policy::load(db.clone()).unwrap();
    (folder, db, policy)
}

fn give(db: &Db, policy: &Policy, grants: &[(&str, &str, Role)]) {
    let grants: Vec<Grant> = grants.iter().map(|(who, namespace, role)| Grant::new(*who, *namespace, *role)).collect();
    db.write(move |tx| grants.iter().try_for_each(|one| grant(tx, one))).unwrap();
    policy.reload().unwrap();
}

fn ask(policy: &Policy, who: &str, action: Action, namespace: Option<&str>, kind: &str) -> Decision {
    policy.decide(who, &[], action, &Resource { namespace, kind, name: None })
}

fn may(policy: &Policy, who: &str, action: Action, namespace: Option<&str>, kind: &str) -> bool {
    ask(policy, who, action, namespace, kind).allowed
}

/// Every role × every action, on a Dataset, a Secret, the Namespace itself, a RoleBinding, a Policy, a Token and a Decision:
/// the letter of each that is allowed.
const TABLE: &[(Action, &str, &str, &str)] = &[
    // the action, and what a viewer, an editor and an owner may do it to
    (Action::Get, "D-NBP--", "D-NBP--", "DSNBPTE"),
    (Action::List, "D-NBP--", "D-NBP--", "DSNBPTE"),
    (Action::Watch, "D-NBP--", "D-NBP--", "DSNBPTE"),
    (Action::Create, "-------", "D------", "DSNBPTE"),
    (Action::Update, "-------", "D------", "DSNBPTE"),
    (Action::Patch, "-------", "D------", "DSNBPTE"),
    (Action::Delete, "-------", "D------", "DSNBPTE"),
    (Action::Predict, "-------", "D-NBP--", "DSNBPTE"),
    (Action::Push, "-------", "D-NBP--", "DSNBPTE"),
    (Action::ReadData, "-------", "D-NBP--", "DSNBPTE"),
    (Action::ReadUnmasked, "-------", "-------", "DSNBPTE"),
    (Action::ReadUnfiltered, "-------", "-------", "DSNBPTE"),
    (Action::Train, "-------", "D-NBP--", "DSNBPTE"),
    (Action::Promote, "-------", "D-NBP--", "DSNBPTE"),
    (Action::Place, "-------", "D-NBP--", "DSNBPTE"),
    (Action::Install, "-------", "D-NBP--", "DSNBPTE"),
];

fn row(policy: &Policy, who: &str, action: Action) -> String {
    let on = |kind, letter| {
        let resource = Resource { namespace: Some("flights"), kind, name: Some("flights") };
        if policy.decide(who, &[], action, &resource).allowed { letter } else { '-' }
    };
    let kinds = [
        ("Dataset", 'D'),
        ("secrets", 'S'),
        ("Namespace", 'N'),
        ("rolebindings", 'B'),
        ("policies", 'P'),
        ("Token", 'T'),
        ("decisions", 'E'),
    ];
    kinds.into_iter().map(|(kind, letter)| on(kind, letter)).collect()
}

#[test]
fn every_role_may_do_exactly_this() {
    let (_folder, db, policy) = open();
    let people = [("user:vera", Role::Viewer), ("user:ed", Role::Editor), ("user:olga", Role::Owner)];
    give(&db, &policy, &people.map(|(who, role)| (who, "flights", role)));
    assert_eq!(TABLE.iter().map(|(action, ..)| *action).collect::<Vec<_>>(), Action::ALL);
    for (action, viewer, editor, owner) in TABLE {
        for ((who, role), expect) in people.iter().zip([viewer, editor, owner]) {
            assert_eq!(row(&policy, who, *action), *expect, "{role} {action}");
            assert!(!may(&policy, who, *action, Some("other"), "Dataset"), "{role} {action} elsewhere");
            assert!(!may(&policy, who, *action, None, "Dataset"), "{role} {action} everywhere");
        }
        assert_eq!(row(&policy, "user:nobody", *action), "-------", "a stranger may not {action}");
    }
}

#[test]
fn administrators_and_controllers_own_everything_by_a_row() {
    let (_folder, db, policy) = open();
    let masters = ["system:masters".to_owned()];
    let secret = Resource { namespace: Some("anything"), kind: "Secret", name: None };
    for action in Action::ALL {
        assert!(policy.decide("user:admin", &masters, action, &secret).allowed);
        assert!(policy.decide("system:controllers", &[], action, &secret).allowed);
        assert!(!policy.decide("user:admin", &[], action, &secret).allowed);
        assert!(may(&policy, "system:controllers", action, None, "Namespace"));
    }
    db.write(|tx| revoke(tx, &Grant::new("group:system:masters", "*", Role::Owner))).unwrap();
    policy.reload().unwrap();
    assert!(!policy.decide("user:admin", &masters, Action::Get, &secret).allowed);
}

#[test]
fn a_group_is_not_a_user_of_the_same_name() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("group:data", "flights", Role::Viewer)]);
    let weather = Resource { namespace: Some("flights"), kind: "Dataset", name: Some("weather") };
    assert!(policy.decide("user:ana", &["data".to_owned()], Action::Get, &weather).allowed);
    assert!(!policy.decide("data", &[], Action::Get, &weather).allowed);
    assert!(!policy.decide("user:ana", &["other".to_owned()], Action::Get, &weather).allowed);
}

#[test]
fn a_grant_for_all_namespaces_counts_in_each() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("user:vera", "*", Role::Viewer), ("user:ed", "flights", Role::Editor)]);
    for namespace in [Some("flights"), Some("other"), None] {
        assert!(may(&policy, "user:vera", Action::List, namespace, "Dataset"));
        assert!(!may(&policy, "user:vera", Action::Create, namespace, "Dataset"));
    }
}

#[test]
fn a_denial_says_which_role_would_do_and_who_gives_it() {
    let (_folder, _db, policy) = open();
    let denied = ask(&policy, "user:ana", Action::Delete, Some("flights"), "Dataset");
    assert_eq!(
        denied.why(),
        "user:ana may not delete Dataset in namespace flights: ask an owner of namespace flights for role editor"
    );
    assert!(denied.policies.is_empty());
    let secret = ask(&policy, "user:ana", Action::Get, Some("flights"), "Secret");
    assert!(secret.why().ends_with("for role owner"), "{}", secret.why());
    let everywhere = ask(&policy, "user:ana", Action::List, None, "Dataset");
    assert!(everywhere.why().ends_with("ask an administrator (an owner of all namespaces) for role viewer"));
}

#[test]
fn a_decision_names_its_policies() {
    let (_folder, db, policy) = open();
    give(&db, &policy, &[("user:ed", "flights", Role::Editor), ("user:ed", "flights", Role::Viewer)]);
    assert_eq!(
        ask(&policy, "user:ed", Action::Get, Some("flights"), "Dataset").policies[..],
        ["editor-works", "viewer-reads"]
    );
    assert_eq!(ask(&policy, "user:ed", Action::Patch, Some("flights"), "Dataset").policies[..], ["editor-writes"]);
    let controllers = ask(&policy, "system:controllers", Action::Patch, Some("flights"), "Dataset");
    assert_eq!((controllers.why(), controllers.policies.len()), ("allowed by owner-does-all", 1));
}

#[test]
fn decisions_change_when_grants_are_reloaded() {
    let (_folder, db, policy) = open();
    let clone = policy.clone();
    assert!(!may(&clone, "user:ana", Action::Get, Some("flights"), "Dataset"));
    give(&db, &policy, &[("user:ana", "flights", Role::Viewer)]);
    assert!(may(&clone, "user:ana", Action::Get, Some("flights"), "Dataset"));
    assert!(db.write(|tx| revoke(tx, &Grant::new("user:ana", "flights", Role::Viewer))).unwrap());
    assert!(may(&clone, "user:ana", Action::Get, Some("flights"), "Dataset"), "remembered until the reload");
    policy.reload().unwrap();
    assert!(!may(&clone, "user:ana", Action::Get, Some("flights"), "Dataset"));
}

#[test]
fn a_bindings_grants_are_replaced_together_and_go_with_it() {
    let (_folder, db, policy) = open();
    let bound = |grants: &[(&str, Role)]| {
        let grants: Vec<Grant> = grants.iter().map(|(who, role)| Grant::new(*who, "flights", *role)).collect();
        db.write(move |tx| bind(tx, "flights", "team", &grants)).unwrap();
        policy.refresh().unwrap();
        ["user:ana", "user:bo"].map(|who| may(&policy, who, Action::Create, Some("flights"), "Dataset"))
    };
    assert_eq!(bound(&[("user:ana", Role::Editor), ("user:bo", Role::Viewer)]), [true, false]);
    assert_eq!(bound(&[("user:bo", Role::Editor)]), [false, true]);
    give(&db, &policy, &[("user:bo", "flights", Role::Editor)]);
    assert_eq!(bound(&[]), [false, true], "what was granted without the binding stays");
    let elsewhere = [Grant::new("user:ana", "other", Role::Owner)];
    let refused = db.write(move |tx| bind(tx, "flights", "team", &elsewhere));
    assert!(matches!(refused, Err(PolicyError::Elsewhere { .. })), "{refused:?}");
}

#[test]
fn bad_grants_are_refused_and_stored_ones_named() {
    let (_folder, db, policy) = open();
    for bad in [Grant::new("", "flights", Role::Viewer), Grant::new("user:ana", "", Role::Viewer)] {
        assert!(matches!(db.write(move |tx| grant(tx, &bad)), Err(PolicyError::Empty(_))));
    }
    assert_eq!(db.read(list).unwrap().len(), 2);
    db.write(|tx| tx.execute("INSERT INTO policy_grants VALUES ('user:ana', 'flights', 'king')", &[])).unwrap();
    let error = policy.reload().unwrap_err();
    assert!(error.to_string().contains("user:ana") && error.to_string().contains("king"), "{error}");
    assert!(may(&policy, "system:controllers", Action::Get, None, "Dataset"), "the old state stays");
}

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres"]);
}

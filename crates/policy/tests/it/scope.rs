//! What a token narrows its principal to.

use bedplate_policy::{Action, Resource};

use crate::open;

#[test]
fn a_scope_takes_rights_away_and_gives_none() {
    let (_folder, _db, policy) = open();
    let masters = |scope: &str| vec!["system:masters".to_owned(), format!("scope:{scope}")];
    let decide = |groups: &[String], action, namespace, kind| {
        policy.decide("user:admin", groups, action, &Resource { namespace, kind, name: None })
    };
    let narrow = masters("get,list:datasets:flights");
    assert!(decide(&narrow, Action::Get, Some("flights"), "Dataset").allowed);
    for (action, namespace, kind) in [
        (Action::Delete, Some("flights"), "Dataset"),
        (Action::Get, Some("rides"), "Dataset"),
        (Action::List, None, "Dataset"),
        (Action::Get, Some("flights"), "Secret"),
    ] {
        let denied = decide(&narrow, action, namespace, kind);
        assert!(
            !denied.allowed && denied.why().contains("narrowed"),
            "{action} {kind} {namespace:?}: {}",
            denied.why()
        );
    }
    assert!(
        !decide(&masters("nonsense"), Action::Get, Some("flights"), "Dataset").allowed,
        "unreadable covers nothing"
    );
    let nobody = vec!["scope:*:*:*".to_owned()];
    assert!(
        !policy
            .decide("user:eve", &nobody, Action::Get, &Resource { namespace: None, kind: "Dataset", name: None })
            .allowed
    );
}

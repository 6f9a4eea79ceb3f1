//! Tokens that carry less than their principal may, and tokens that die with a run.

use bedplate_identity::{IdentityError, NewToken, Principal, end_all_runs, end_run, issue, keep_run, list};
use bedplate_types::Timestamp;

use crate::{Fixture, bearer, fixture};

fn give(fixture: &Fixture, random: u8, run: Option<&str>, scope: Option<&str>) -> String {
    let new = NewToken {
        expires_at: run.map(|_| Timestamp::from_micros(60)),
        scope: scope.map(|text| text.parse().unwrap()),
        run: run.map(str::to_owned),
        ..NewToken::new(Principal::new("workload:flights/replay"), "")
    };
    fixture.db.write(move |tx| issue(tx, &new, Timestamp::from_micros(0), [random; 32])).unwrap()
}

#[test]
fn a_narrowed_token_tells_so_wherever_its_bearer_is_asked_about() {
    let fixture = fixture();
    let token = give(&fixture, 1, None, Some("get:datasets:flights"));
    let bearer = fixture.gate.authenticate(Some(&bearer(&token))).unwrap();
    assert_eq!(bearer.groups, ["scope:get:dataset:flights"]);
    assert!(bearer.scope().unwrap().covers("get", "Dataset", "flights"));
    let listed = fixture.db.read(list).unwrap();
    assert_eq!((listed[0].principal.groups.len(), listed[0].scope.is_some()), (0, true));
    let whole = give(&fixture, 2, None, None);
    assert_eq!(fixture.gate.authenticate(Some(&crate::bearer(&whole))).unwrap().scope(), None);
}

#[test]
fn a_scope_that_cannot_be_read_makes_a_token_worthless() {
    let fixture = fixture();
    let token = give(&fixture, 1, None, Some("get:datasets:flights"));
    fixture.db.write(|tx| tx.execute("UPDATE identity_tokens SET scope = 'rubbish'", &[])).unwrap();
    let error = fixture.gate.authenticate(Some(&bearer(&token))).unwrap_err();
    assert!(matches!(error, IdentityError::Scope { .. }), "{error}");
}

#[test]
fn a_run_keeps_its_token_and_takes_it_along() {
    let fixture = fixture();
    let (mine, other) = (give(&fixture, 1, Some("flights/a-1"), None), give(&fixture, 2, Some("flights/b-1"), None));
    let free = give(&fixture, 3, None, None);
    let believed = |token: &str| fixture.gate.authenticate(Some(&bearer(token))).is_ok();
    fixture.db.write(|tx| keep_run(tx, "flights/a-1", Timestamp::from_micros(1_000_000))).unwrap();
    fixture.clock.forward(100);
    assert!(believed(&mine) && !believed(&other) && believed(&free), "who is not kept alive is over");
    assert_eq!(fixture.db.write(|tx| end_run(tx, "flights/a-1")).unwrap(), 1);
    fixture.gate.forget();
    assert!(!believed(&mine) && believed(&free));
    fixture.db.write(|tx| keep_run(tx, "flights/a-1", Timestamp::from_micros(9_000_000))).unwrap();
    fixture.gate.forget();
    assert!(!believed(&mine), "what is revoked is not kept alive again");
}

#[test]
fn whoever_begins_to_run_things_ends_what_was_left_behind() {
    let fixture = fixture();
    let (left, free) = (give(&fixture, 1, Some("flights/a-1"), None), give(&fixture, 2, None, None));
    assert_eq!(fixture.db.write(end_all_runs).unwrap(), 1);
    let believed = |token: &str| fixture.gate.authenticate(Some(&bearer(token))).is_ok();
    assert!(!believed(&left) && believed(&free));
}

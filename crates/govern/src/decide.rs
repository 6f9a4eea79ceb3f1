//! May a change be made: every class that selects it must have been satisfied, for exactly this change.

use bedplate_kinds::{ApprovalState, ChangeClassSpec, Risk};
use bedplate_types::Timestamp;
use serde::Serialize;

use crate::change::{Change, selected};
use crate::request::{Missing, Request, standing};

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Classes that are not satisfied; none: the change may be made.
    pub needs: Vec<Need>,
    /// Approvals that were given and are used up by the change.
    pub uses: Vec<Used>,
    /// Classes that select the change and ask for nobody: `class notes (risk low) approves itself: …`.
    pub notes: Vec<String>,
}

impl Decision {
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.needs.is_empty()
    }
}

/// A class that is not satisfied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    pub class: String,
    pub risk: Risk,
    /// Why the class is about the change.
    pub evidence: String,
    pub missing: Vec<Missing>,
    /// The request that waits for them, if one was made.
    pub approval: Option<String>,
    pub state: Option<ApprovalState>,
}

/// An approval that lets the change through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    pub class: String,
    pub approval: String,
}

/// Decides over `change` at `now`. `requests` are the Approvals of its namespace; those for other changes or classes count
/// for nothing.
#[must_use]
pub fn decide(
    classes: &[(String, ChangeClassSpec)],
    change: &Change,
    requests: &[Request],
    now: Timestamp,
) -> Decision {
    let mut decision = Decision::default();
    for (name, class) in classes {
        let Some(evidence) = selected(&class.selects, change) else { continue };
        if class.approvers.is_empty() {
            decision.notes.push(format!("class {name} (risk {}) approves itself: {evidence}", class.risk.as_str()));
            continue;
        }
        let of_this = || requests.iter().filter(|one| one.class == *name && one.digest == change.digest);
        let stands = |request: &&Request| standing(class, request, now).state;
        if let Some(request) = of_this().find(|request| stands(request) == ApprovalState::Approved) {
            decision.uses.push(Used { class: name.clone(), approval: request.name.clone() });
            continue;
        }
        let open = |request: &&Request| matches!(stands(request), ApprovalState::Waiting | ApprovalState::Escalated);
        let waiting = of_this().find(open).or_else(|| of_this().next_back());
        let all = class.approvers.iter().map(|one| Missing { team: one.team.clone(), count: one.count }).collect();
        decision.needs.push(Need {
            class: name.clone(),
            risk: class.risk,
            evidence,
            missing: waiting.filter(open).map_or(all, |request| standing(class, request, now).missing),
            approval: waiting.map(|request| request.name.clone()),
            state: waiting.map(|request| standing(class, request, now).state),
        });
    }
    decision
}

#[cfg(test)]
mod tests {
    use bedplate_kinds::ChangeOperation;
    use bedplate_types::Digest;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::request::people;
    use crate::request::tests::{class, request, vote};

    fn change(digest: u8) -> Change {
        Change {
            kind: "Endpoint".into(),
            namespace: Some("prod".into()),
            name: "late".into(),
            operation: ChangeOperation::Update,
            old: json!({}),
            new: json!({}),
            touched: vec!["spec.model".into()],
            digest: Digest::from_sha256([digest; 32]),
        }
    }

    fn ask(classes: &[(String, ChangeClassSpec)], change: &Change, requests: &[Request]) -> Decision {
        decide(classes, change, requests, Timestamp::from_micros(1))
    }

    #[test]
    fn every_class_that_selects_the_change_must_be_satisfied() {
        let classes = [("c".to_owned(), class(&[("risk", 1)])), ("d".to_owned(), class(&[("security", 1)]))];
        let given = request(vec![vote("user:bo", &["risk"])]);
        let decision = ask(&classes, &change(7), std::slice::from_ref(&given));
        assert_eq!(decision.uses, [Used { class: "c".into(), approval: "a".into() }]);
        let [need] = decision.needs.as_slice() else { panic!("{decision:?}") };
        assert_eq!(
            (need.class.as_str(), people(&need.missing).as_str(), &need.approval),
            ("d", "1 of security", &None)
        );
        let other = Request {
            name: "b".into(),
            class: "d".into(),
            votes: vec![vote("user:cy", &["security"])],
            ..given.clone()
        };
        assert!(ask(&classes, &change(7), &[given, other]).allowed());
    }

    #[test]
    fn a_class_of_low_risk_approves_itself_and_says_so() {
        let mut low = class(&[]);
        low.risk = Risk::Low;
        let decision = ask(&[("notes".into(), low)], &change(7), &[]);
        assert!(decision.allowed());
        assert_eq!(decision.notes, ["class notes (risk low) approves itself: updates Endpoint prod/late"]);
    }

    #[test]
    fn the_request_that_waits_is_named_before_one_that_ended() {
        let classes = [("c".to_owned(), class(&[("risk", 2)]))];
        let ended = Request { name: "old".into(), used: true, ..request(vec![]) };
        let open = Request { name: "new".into(), ..request(vec![vote("user:bo", &["risk"])]) };
        let decision = ask(&classes, &change(7), &[open, ended.clone()]);
        assert_eq!(
            (decision.needs[0].approval.as_deref(), people(&decision.needs[0].missing)),
            (Some("new"), "1 of risk".into())
        );
        let decision = ask(&classes, &change(7), &[ended]);
        assert_eq!(
            (decision.needs[0].state, people(&decision.needs[0].missing)),
            (Some(ApprovalState::Used), "2 of risk".into())
        );
    }

    proptest! {
        #[test]
        fn an_approval_is_for_its_own_change_its_own_class_and_for_once(digest: u8, class_name in "[cd]", used: bool) {
            let classes = [("c".to_owned(), class(&[("risk", 1)]))];
            let given = Request { class: class_name.clone(), used, ..request(vec![vote("user:bo", &["risk"])]) };
            let decision = ask(&classes, &change(digest), &[given]);
            prop_assert_eq!(decision.allowed(), digest == 7 && class_name == "c" && !used);
        }
    }
}

//! The state machine of one request for approval: a pure function of the class, the votes and the time.

use bedplate_kinds::{Approval, ApprovalDecision, ApprovalState, ChangeClassSpec};
use bedplate_types::{Digest, Span, Timestamp};
use serde::Serialize;

use crate::seats::seat;

/// A request as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The Approval's name.
    pub name: String,
    pub class: String,
    pub digest: Digest,
    pub requester: String,
    pub requested_at: Timestamp,
    pub votes: Vec<Vote>,
    pub used: bool,
}

/// What somebody said, and the groups they were in when they said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub by: String,
    pub groups: Vec<String>,
    pub decision: ApprovalDecision,
}

/// The request an Approval records; `None` for one whose digest is none or that the server has not stamped.
#[must_use]
pub fn request_of(approval: &Approval) -> Option<Request> {
    let status = approval.status.as_ref()?;
    let votes = status.approvals.iter().map(|given| Vote {
        by: given.by.clone(),
        groups: given.groups.clone(),
        decision: given.decision,
    });
    Some(Request {
        name: approval.metadata.name.clone().unwrap_or_default(),
        class: approval.spec.class.clone(),
        digest: approval.spec.change.digest.parse().ok()?,
        requester: approval.spec.requester.clone(),
        requested_at: status.requested_at?,
        votes: votes.collect(),
        used: status.used_at.is_some(),
    })
}

/// How many more of a team must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub team: String,
    pub count: u32,
}

/// `1 of risk, 2 of security`
#[must_use]
pub fn people(missing: &[Missing]) -> String {
    missing.iter().map(|one| format!("{} of {}", one.count, one.team)).collect::<Vec<_>>().join(", ")
}

/// Where a request stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub state: ApprovalState,
    pub missing: Vec<Missing>,
    pub expires_at: Timestamp,
    pub escalates_at: Option<Timestamp>,
}

/// Where `request` stands at `now` under `class` as it is now.
#[must_use]
pub fn standing(class: &ChangeClassSpec, request: &Request, now: Timestamp) -> Standing {
    let expires_at = after(request.requested_at, class.expires_after);
    let escalates_at = class.escalation.as_ref().map(|escalation| after(request.requested_at, escalation.after));
    let escalated = escalates_at.is_some_and(|at| at <= now);
    let missing = missing(class, request, escalated);
    let rejected = counting(class, request).any(|vote| vote.decision == ApprovalDecision::Reject);
    let state = match () {
        () if request.used => ApprovalState::Used,
        () if rejected => ApprovalState::Rejected,
        () if expires_at <= now => ApprovalState::Expired,
        () if missing.is_empty() => ApprovalState::Approved,
        () if escalated => ApprovalState::Escalated,
        () => ApprovalState::Waiting,
    };
    Standing { state, missing, expires_at, escalates_at }
}

fn after(at: Timestamp, span: Span) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(span.micros()))
}

/// The votes that count: of everybody their last, and under the two-person rule not the requester's.
fn counting<'a>(class: &'a ChangeClassSpec, request: &'a Request) -> impl Iterator<Item = &'a Vote> {
    request.votes.iter().enumerate().filter_map(move |(at, vote)| {
        let last = request.votes[at + 1..].iter().all(|later| later.by != vote.by);
        let own = class.two_person_rule && vote.by == request.requester;
        (last && !own).then_some(vote)
    })
}

fn missing(class: &ChangeClassSpec, request: &Request, escalated: bool) -> Vec<Missing> {
    let instead = class.escalation.as_ref().filter(|_| escalated).map(|escalation| escalation.to.as_str());
    let seats: Vec<&str> = class
        .approvers
        .iter()
        .flat_map(|approver| std::iter::repeat_n(approver.team.as_str(), approver.count as usize))
        .collect();
    let fits: Vec<Vec<bool>> = counting(class, request)
        .filter(|vote| vote.decision == ApprovalDecision::Approve)
        .map(|vote| {
            let is_in = |team: &str| vote.groups.iter().any(|group| group == team);
            seats.iter().map(|team| is_in(team) || instead.is_some_and(is_in)).collect()
        })
        .collect();
    let taken = seat(&fits, seats.len());
    let empty = |team: &str| seats.iter().zip(&taken).filter(|(seat, by)| **seat == team && by.is_none()).count();
    let teams = class.approvers.iter().map(|approver| approver.team.clone());
    teams
        .filter_map(|team| {
            let count = u32::try_from(empty(&team)).unwrap_or(u32::MAX);
            (count > 0).then_some(Missing { team, count })
        })
        .collect()
}

/// Whether this person may say anything to this request now.
///
/// # Errors
/// Why not, in words.
pub fn may_vote(
    class: &ChangeClassSpec,
    request: &Request,
    who: &str,
    groups: &[String],
    now: Timestamp,
) -> Result<(), String> {
    let standing = standing(class, request, now);
    if !matches!(standing.state, ApprovalState::Waiting | ApprovalState::Escalated | ApprovalState::Approved) {
        return Err(format!("the request is {} already", standing.state.as_str()));
    }
    if class.two_person_rule && who == request.requester {
        return Err(format!("{who} asked for the change, and the two-person rule wants somebody else"));
    }
    let escalated = class.escalation.as_ref().filter(|_| standing.escalates_at.is_some_and(|at| at <= now));
    let mut teams: Vec<&str> = class.approvers.iter().map(|approver| approver.team.as_str()).collect();
    teams.extend(escalated.map(|escalation| escalation.to.as_str()));
    if groups.iter().any(|group| teams.contains(&group.as_str())) {
        return Ok(());
    }
    Err(format!("{who} is in none of the teams that must agree: {}", teams.join(", ")))
}

#[cfg(test)]
pub(crate) mod tests {
    use bedplate_kinds::{Approver, Escalation, Risk};
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const TEAMS: [&str; 3] = ["risk", "security", "heads"];

    pub(crate) fn class(approvers: &[(&str, u32)]) -> ChangeClassSpec {
        let approver =
            |(team, count): &(&str, u32)| Approver { team: (*team).into(), function: String::new(), count: *count };
        ChangeClassSpec {
            description: String::new(),
            risk: Risk::High,
            selects: Default::default(),
            approvers: approvers.iter().map(approver).collect(),
            two_person_rule: true,
            expires_after: Span::from_micros(10 * HOUR),
            escalation: Some(Escalation { after: Span::from_micros(2 * HOUR), to: "heads".into() }),
        }
    }

    pub(crate) fn vote(by: &str, groups: &[&str]) -> Vote {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Vote { by: by.into(), groups, decision: ApprovalDecision::Approve }
    }

    pub(crate) fn request(votes: Vec<Vote>) -> Request {
        Request {
            name: "a".into(),
            class: "c".into(),
            digest: Digest::from_sha256([7; 32]),
            requester: "user:ana".into(),
            requested_at: Timestamp::from_micros(0),
            votes,
            used: false,
        }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(hours * HOUR)
    }

    #[test]
    fn a_request_waits_escalates_and_expires() {
        let (class, request) = (class(&[("risk", 1)]), request(vec![]));
        let states = [0, 2, 10].map(|hour| standing(&class, &request, at(hour)).state);
        assert_eq!(states, [ApprovalState::Waiting, ApprovalState::Escalated, ApprovalState::Expired]);
    }

    #[test]
    fn the_escalations_team_counts_only_once_it_is_time() {
        let (class, request) = (class(&[("risk", 1)]), request(vec![vote("user:head", &["heads"])]));
        let states = [1, 3].map(|hour| standing(&class, &request, at(hour)).state);
        assert_eq!(states, [ApprovalState::Waiting, ApprovalState::Approved]);
        let heads = ["heads".to_owned()];
        assert!(may_vote(&class, &request, "user:head", &heads, at(1)).unwrap_err().contains("risk"));
        assert_eq!(may_vote(&class, &request, "user:head", &heads, at(3)), Ok(()));
    }

    #[test]
    fn somebody_in_two_teams_counts_for_one_of_them() {
        let class = class(&[("risk", 1), ("security", 1)]);
        let both = vote("user:bo", &["risk", "security"]);
        let alone = standing(&class, &request(vec![both.clone()]), at(0));
        assert_eq!((alone.state, alone.missing.len()), (ApprovalState::Waiting, 1));
        let with = standing(&class, &request(vec![both, vote("user:cy", &["risk"])]), at(0));
        assert_eq!(with.state, ApprovalState::Approved, "cy for risk leaves bo to security");
    }

    #[test]
    fn the_requester_cannot_agree_unless_the_class_lets_them() {
        let mut class = class(&[("risk", 1)]);
        let own = request(vec![vote("user:ana", &["risk"])]);
        assert_eq!(standing(&class, &own, at(0)).state, ApprovalState::Waiting);
        assert!(may_vote(&class, &own, "user:ana", &["risk".into()], at(0)).unwrap_err().contains("two-person"));
        class.two_person_rule = false;
        assert_eq!(standing(&class, &own, at(0)).state, ApprovalState::Approved);
    }

    #[test]
    fn one_rejection_ends_it_and_the_last_word_counts() {
        let class = class(&[("risk", 1)]);
        let mut no = vote("user:bo", &["risk"]);
        no.decision = ApprovalDecision::Reject;
        let rejected = request(vec![vote("user:cy", &["risk"]), no.clone()]);
        assert_eq!(standing(&class, &rejected, at(0)).state, ApprovalState::Rejected);
        let changed = request(vec![no, vote("user:bo", &["risk"])]);
        assert_eq!(standing(&class, &changed, at(0)).state, ApprovalState::Approved);
    }

    fn any_vote() -> impl Strategy<Value = Vote> {
        let groups = proptest::sample::subsequence(TEAMS.to_vec(), 0..=3);
        (0..5_u8, groups, any::<bool>()).prop_map(|(who, groups, yes)| Vote {
            by: if who == 0 { "user:ana".into() } else { format!("user:{who}") },
            groups: groups.into_iter().map(str::to_owned).collect(),
            decision: if yes { ApprovalDecision::Approve } else { ApprovalDecision::Reject },
        })
    }

    fn any_request() -> impl Strategy<Value = Request> {
        (proptest::collection::vec(any_vote(), 0..6), any::<bool>(), -20..20_i64)
            .prop_map(|(votes, used, hour)| Request { used, requested_at: at(hour), ..request(votes) })
    }

    proptest! {
        #[test]
        fn approved_means_enough_different_people_other_than_the_requester(
            request in any_request(), risk in 0..3_u32, security in 1..3_u32, now in -20..40_i64,
        ) {
            let class = class(&[("risk", risk.max(1)), ("security", security)]);
            let found = standing(&class, &request, at(now));
            if found.state == ApprovalState::Approved {
                let mut people: Vec<&str> = request.votes.iter().map(|vote| vote.by.as_str()).collect();
                people.retain(|who| *who != "user:ana");
                people.sort_unstable();
                people.dedup();
                prop_assert!(people.len() as u32 >= risk.max(1) + security);
                prop_assert!(!request.used && at(now) < found.expires_at && found.missing.is_empty());
            }
        }

        #[test]
        fn time_never_brings_an_expired_used_or_rejected_request_back(
            request in any_request(), now in -20..40_i64, later in 0..40_i64,
        ) {
            let class = class(&[("risk", 1)]);
            let ended = |state| matches!(state, ApprovalState::Used | ApprovalState::Rejected | ApprovalState::Expired);
            if ended(standing(&class, &request, at(now)).state) {
                prop_assert!(ended(standing(&class, &request, at(now + later)).state));
            }
        }

        #[test]
        fn another_agreement_never_takes_approval_away(request in any_request(), who in 5..9_u8, now in -20..40_i64) {
            let class = class(&[("risk", 2)]);
            if standing(&class, &request, at(now)).state == ApprovalState::Approved {
                let mut more = request.clone();
                more.votes.push(vote(&format!("user:{who}"), &["risk"]));
                prop_assert_eq!(standing(&class, &more, at(now)).state, ApprovalState::Approved);
            }
        }

        #[test]
        fn who_may_not_vote_changes_nothing_by_voting(request in any_request(), vote in any_vote(), now in -20..40_i64) {
            let class = class(&[("risk", 1), ("security", 1)]);
            let mut vote = vote;
            // A changed mind is another matter: the last word counts.
            vote.by = if vote.by == "user:ana" { vote.by } else { format!("{}-new", vote.by) };
            vote.decision = ApprovalDecision::Approve;
            if may_vote(&class, &request, &vote.by, &vote.groups, at(now)).is_err() {
                let mut more = request.clone();
                more.votes.push(vote);
                let before = standing(&class, &request, at(now)).state;
                let same = Request { votes: request.votes.iter().filter(|v| v.by != "user:ana").cloned().collect(), ..more.clone() };
                prop_assert_eq!(standing(&class, &more, at(now)).state, before);
                prop_assert_eq!(standing(&class, &same, at(now)).state, before, "nor did the requester's own word count");
            }
        }
    }
}

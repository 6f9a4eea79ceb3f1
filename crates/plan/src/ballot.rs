//! What may be done to an Approval: it is asked for, votes are added to it, and its change uses it up. Who asks and who votes
//! is the authenticated caller, whatever the body says; everything else in it is the server's.

use bedplate_apiserver::{Admitted, ApiError, Denied, Operation, Proposed, Refusal, Stored};
use bedplate_govern::{may_vote, request_of, standing};
use bedplate_kinds::{Approval, ApprovalGiven, ApprovalSpec, ApprovalStatus, ChangeClassSpec};
use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::governor::{APPROVALS, SYSTEM, class, read};

const CONTROLLERS: &str = "system:controllers";

pub fn admit(stored: &mut Stored<'_>, change: &mut Proposed<'_>) -> Result<Admitted, Denied> {
    match change.operation {
        Operation::Create => asked(stored, change)?,
        Operation::Update if change.old["spec"] != change.new["spec"] => {
            let why = "what an Approval is for does not change: make another one";
            return Err(refused(why.to_owned(), None));
        }
        Operation::UpdateStatus => voted(stored, change)?,
        Operation::Update | Operation::Delete => {}
    }
    Ok(Admitted::default())
}

/// A request is made: the server says by whom, when and of whom.
fn asked(stored: &mut Stored<'_>, change: &mut Proposed<'_>) -> Result<(), Denied> {
    let mut spec: ApprovalSpec = read(change.new["spec"].clone())?;
    let Some(class) = class(stored, &spec.class)? else {
        let why = format!("there is no ChangeClass {} in the namespace {SYSTEM}", spec.class);
        return Err(refused(why, Some(format!("bedplate get changeclasses -n {SYSTEM}"))));
    };
    spec.requester.clone_from(&change.principal.name);
    spec.needed.clone_from(&class.approvers);
    change.new["spec"] = to_json(&spec)?;
    let status = ApprovalStatus { requested_at: Some(change.at), ..ApprovalStatus::default() };
    set_status(change, status, &class)
}

/// A status is written. The controllers' words about phase and conditions are taken; of anybody else one new vote.
fn voted(stored: &mut Stored<'_>, change: &mut Proposed<'_>) -> Result<(), Denied> {
    let old: Approval = read(change.old.clone())?;
    let class = class(stored, &old.spec.class)?;
    let mut status = old.status.clone().unwrap_or_default();
    if change.principal.name == CONTROLLERS {
        let told: ApprovalStatus = read(change.new["status"].clone())?;
        let (phase, conditions, observed_generation) = (told.phase, told.conditions, told.observed_generation);
        status = ApprovalStatus { phase, conditions, observed_generation, ..status };
        let Some(class) = class else {
            change.new["status"] = to_json(&status)?;
            return Ok(());
        };
        return set_status(change, status, &class);
    }
    let Some(class) = class else {
        return Err(refused(format!("there is no ChangeClass {} any more", old.spec.class), None));
    };
    let offered: Vec<ApprovalGiven> = read(change.new["status"]["approvals"].clone()).unwrap_or_default();
    let vote = offered.into_iter().rfind(|given| !status.approvals.contains(given));
    if let Some(vote) = vote {
        let who = change.principal;
        let request = request_of(&old);
        let may = request.as_ref().map_or(Err("the server has not stamped it".to_owned()), |request| {
            may_vote(&class, request, &who.name, &who.groups, change.at)
        });
        if let Err(why) = may {
            let fix = format!("bedplate describe approval {} -n {}", change.name, change.namespace.unwrap_or(SYSTEM));
            return Err(refused(why, Some(fix)));
        }
        let (by, groups) = (who.name.clone(), who.groups.clone());
        status.approvals.push(ApprovalGiven { by, groups, at: Some(change.at), ..vote });
    }
    set_status(change, status, &class)
}

/// Writes the status with what the state machine makes of it.
fn set_status(change: &mut Proposed<'_>, status: ApprovalStatus, class: &ChangeClassSpec) -> Result<(), Denied> {
    let status = judged(change.new, status, class, change.at)?;
    change.new["status"] = to_json(&status)?;
    Ok(())
}

fn judged(
    object: &Value,
    mut status: ApprovalStatus,
    class: &ChangeClassSpec,
    now: Timestamp,
) -> Result<ApprovalStatus, ApiError> {
    let mut approval: Approval = read(object.clone())?;
    approval.status = Some(status.clone());
    let Some(request) = request_of(&approval) else { return Ok(status) };
    let standing = standing(class, &request, now);
    status.state = standing.state;
    status.expires_at = Some(standing.expires_at);
    if standing.escalates_at.is_some_and(|at| at <= now) {
        status.escalated_at = standing.escalates_at;
    }
    Ok(status)
}

/// The approval once the change it was given for is made.
pub fn used(stored: &mut Stored<'_>, change: &Proposed<'_>, name: &str) -> Result<Value, ApiError> {
    let namespace = change.namespace.unwrap_or(SYSTEM);
    let gone = || ApiError::NotFound { resource: APPROVALS.to_owned(), name: name.to_owned() };
    let mut object = stored.get(APPROVALS, Some(namespace), name)?.ok_or_else(gone)?;
    object["status"]["usedAt"] = to_json(&change.at)?;
    object["status"]["usedBy"] = json!(change.principal.name);
    object["status"]["state"] = json!("Used");
    Ok(object)
}

fn refused(why: String, fix: Option<String>) -> Denied {
    Denied::Refused(vec![Refusal { why, fix, detail: json!({ "rule": "approval" }) }])
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|error| ApiError::Internal(error.to_string()))
}

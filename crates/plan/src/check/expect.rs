//! Holds a plan against what a test expects of it.

use serde_json::Value;

use super::suite::{CostBound, Counts, Expect, PathIs};
use crate::carry_out::reasons;
use crate::document::{Action, Plan, Step};
use crate::planner::{Manifest, Scenario};
use crate::world::shown;

/// What is not as it was to be.
pub fn failures(expect: &Expect, plan: &Plan, manifests: &[Manifest], scenario: &Scenario) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(error) = &expect.error {
        failures.push(format!("the plan was made and was to fail with {error:?}"));
    }
    if let Some(verdict) = expect.verdict.as_ref().filter(|verdict| *verdict != plan.verdict.as_str()) {
        let why = reasons(plan);
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
        failures.push(format!("the verdict is {}, not {verdict}{why}", plan.verdict.as_str()));
    }
    failures.extend(expect.counts.iter().flat_map(|counts| counted(counts, plan)));
    failures.extend(expect.paths.iter().filter_map(|path| field(path, plan, manifests)));
    failures.extend(expect.cost.iter().flat_map(|bound| costs(bound, plan)));
    for placed in &expect.placement {
        let site = placed_on(plan, &placed.object);
        if site != Ok(Some(placed.site.as_str())) {
            failures.push(format!("{} is {}, not on {}", placed.object, where_(site), placed.site));
        }
    }
    for object in &expect.unplaced {
        let site = placed_on(plan, object);
        if site != Ok(None) {
            failures.push(format!("{object} is {}, and was to fit nowhere", where_(site)));
        }
    }
    for (endpoint, expected) in &expect.replicas {
        let found = scenario
            .replicas
            .iter()
            .find(|(name, _)| shown(name).split_once(' ').is_some_and(|(_, name)| name == endpoint));
        if found.map(|(_, replicas)| replicas) != Some(expected) {
            let found = found.map_or("no load".to_owned(), |(_, replicas)| format!("{replicas} replicas"));
            failures.push(format!("{endpoint} has {found}, not {expected} replicas"));
        }
    }
    let said = findings(plan);
    let missing = expect.findings.iter().filter(|text| !said.iter().any(|finding| finding.contains(text.as_str())));
    failures.extend(missing.map(|text| format!("nothing says {text:?}; said is: {}", said.join("; "))));
    failures
}

/// Everything a plan has to say against or about what is planned.
fn findings(plan: &Plan) -> Vec<String> {
    let mut said = reasons(plan);
    for step in &plan.steps {
        said.extend(step.notes.iter().map(|note| format!("{}: {note}", step.object())));
        said.extend(step.approvals.iter().map(|one| format!("{}: {}", step.object(), one.evidence)));
        let unpriced = step.cost.iter().flat_map(|cost| &cost.unpriced);
        said.extend(unpriced.map(|resource| format!("{}: {resource} has no price", step.object())));
    }
    let soft = plan.budgets.iter().filter(|budget| budget.exceeded && budget.enforcement == "soft");
    said.extend(soft.map(|budget| format!("budget {} (soft) is exceeded", budget.name)));
    said
}

fn counted(counts: &Counts, plan: &Plan) -> Vec<String> {
    let sum = &plan.summary;
    let actions = [
        ("to create", counts.create, sum.create),
        ("to update", counts.update, sum.update),
        ("unchanged", counts.unchanged, sum.unchanged),
        ("denied", counts.denied, sum.denied),
    ];
    let kinds = counts.kinds.iter().map(|(kind, expected)| {
        let found = plan.steps.iter().filter(|step| step.kind == *kind && step.action != Action::Delete).count();
        (kind.as_str(), Some(*expected), found)
    });
    let all = actions.into_iter().chain(kinds);
    all.filter(|(_, expected, found)| expected.is_some_and(|expected| expected != *found))
        .map(|(what, expected, found)| format!("{found} {what}, not {}", expected.unwrap_or_default()))
        .collect()
}

fn field(expected: &PathIs, plan: &Plan, manifests: &[Manifest]) -> Option<String> {
    let Some(at) = plan.steps.iter().position(|step| step.object() == expected.object) else {
        return Some(format!("{} is not planned", expected.object));
    };
    let step = &plan.steps[at];
    let declared = manifests.iter().find(|one| step.source.as_ref() == Some(&one.source) && is_of(&one.object, step));
    // A default is not declared: the plan's own field tells it.
    let planned = step.diff.iter().find(|field| field.change.path == expected.path);
    let value = declared.and_then(|manifest| at_path(&manifest.object, &expected.path)).cloned();
    let value = value.or_else(|| planned.and_then(|field| field.change.after.clone()));
    let fits = match (&expected.equals, expected.one_of.as_slice()) {
        (Some(wanted), _) => value.as_ref() == Some(wanted),
        (None, []) => value.is_none(),
        (None, some) => value.as_ref().is_some_and(|value| some.contains(value)),
    };
    let wanted = || match (&expected.equals, expected.one_of.is_empty()) {
        (Some(wanted), _) => wanted.to_string(),
        (None, true) => "absent".to_owned(),
        (None, false) => format!("one of {}", Value::from(expected.one_of.clone())),
    };
    let is = value.as_ref().map_or("absent".to_owned(), Value::to_string);
    (!fits).then(|| format!("{} of {} is {is}, not {}", expected.path, expected.object, wanted()))
}

fn is_of(object: &Value, step: &Step) -> bool {
    object["kind"] == step.kind.as_str() && object["metadata"]["name"] == step.name.as_str()
}

/// `spec.schema[0].name`
fn at_path<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |value, step| {
        let (name, items) = step.split_once('[').unwrap_or((step, ""));
        let value = value.get(name)?;
        items
            .split('[')
            .filter(|item| !item.is_empty())
            .try_fold(value, |value, item| value.get(item.trim_end_matches(']').parse::<usize>().ok()?))
    })
}

fn costs(bound: &CostBound, plan: &Plan) -> Vec<String> {
    let sum = &plan.summary;
    let bounds = [
        ("an hour", bound.hourly_at_most, sum.hourly),
        ("a month", bound.monthly_at_most, sum.monthly),
        ("for what runs once", bound.once_at_most, sum.once),
    ];
    bounds
        .into_iter()
        .filter_map(|(what, most, found)| Some((what, most?, found)))
        .filter(|(_, most, found)| found.0 > most.0)
        .map(|(what, most, found)| format!("it costs {found} {} {what}, more than {most}", plan.currency))
        .collect()
}

/// The site of an object; `Ok(None)` when it fits nowhere.
fn placed_on<'a>(plan: &'a Plan, object: &str) -> Result<Option<&'a str>, &'static str> {
    let step = plan.steps.iter().find(|step| step.object() == object).ok_or("not planned")?;
    let placement = step.placement.as_ref().ok_or("not placed anywhere")?;
    Ok(placement.site.as_deref())
}

fn where_(site: Result<Option<&str>, &str>) -> String {
    match site {
        Ok(Some(site)) => format!("on {site}"),
        Ok(None) => "nowhere".to_owned(),
        Err(why) => why.to_owned(),
    }
}

//! What a namespace holds and asks for, held against its quotas.

use bedplate_apiserver::{ApiError, Operation, Proposed, Refusal, Stored};
use bedplate_fabric::Demand;
use bedplate_govern::{Holding, exceeded};
use bedplate_kinds::{EndpointCapacity, Quota, QuotaSpec, Resources};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::governor::{SYSTEM, read};

const QUOTAS: &str = "quotas.bedplate.dev";
const WORKLOADS: &str = "workloads.bedplate.dev";
const ENDPOINTS: &str = "endpoints.bedplate.dev";

/// Every quota that the change would go beyond.
pub fn refusals(stored: &mut Stored<'_>, change: &Proposed<'_>) -> Result<Vec<Refusal>, ApiError> {
    let Some(namespace) = change.namespace else { return Ok(Vec::new()) };
    if change.operation == Operation::Delete {
        return Ok(Vec::new());
    }
    let mut refusals = Vec::new();
    for object in stored.all(QUOTAS, Some(SYSTEM))? {
        let quota: Quota = read(object)?;
        if quota.spec.namespace != namespace {
            continue;
        }
        let requested = requested(change, &quota.spec);
        if requested == Holding::default() {
            continue;
        }
        let used = used(stored, namespace, &quota.spec)?;
        let name = quota.metadata.name.unwrap_or_default();
        let why = exceeded(&name, &quota.spec, &used, &requested);
        refusals.extend(why.map(|why| Refusal {
            why,
            fix: Some(format!("delete what is not needed in namespace {namespace}, or ask an administrator for more")),
            detail: json!({ "rule": "quota", "quota": name }),
        }));
    }
    Ok(refusals)
}

/// What the change asks for on top of what is there.
fn requested(change: &Proposed<'_>, quota: &QuotaSpec) -> Holding {
    let (before, after) = (demand(change.resource, change.old), demand(change.resource, change.new));
    let plural = change.resource.split('.').next().unwrap_or_default();
    let named = |name: &&String| *name == plural || *name == change.resource;
    let count = u64::from(change.operation == Operation::Create);
    Holding {
        objects: quota
            .objects
            .keys()
            .find(named)
            .filter(|_| count > 0)
            .map(|name| (name.clone(), count))
            .into_iter()
            .collect(),
        milli_cpu: after.milli_cpu.saturating_sub(before.milli_cpu),
        memory_mib: after.memory_mib.saturating_sub(before.memory_mib),
    }
}

fn used(stored: &mut Stored<'_>, namespace: &str, quota: &QuotaSpec) -> Result<Holding, ApiError> {
    let mut used = Holding::default();
    for plural in quota.objects.keys() {
        used.objects.insert(plural.clone(), stored.count(plural, namespace)?);
    }
    if quota.milli_cpu.is_some() || quota.memory_mib.is_some() {
        for resource in [WORKLOADS, ENDPOINTS] {
            for object in stored.all(resource, Some(namespace))? {
                let demand = demand(resource, &object);
                used.milli_cpu = used.milli_cpu.saturating_add(demand.milli_cpu);
                used.memory_mib = used.memory_mib.saturating_add(demand.memory_mib);
            }
        }
    }
    Ok(used)
}

/// What an object asks for while it is there; a workload that ended asks for nothing.
fn demand(resource: &str, object: &Value) -> Demand {
    let ended = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    match resource {
        WORKLOADS if object.is_object() && !ended => {
            Demand::of_run(&Resources::deserialize(&object["spec"]["resources"]).unwrap_or_default())
        }
        ENDPOINTS if object.is_object() => {
            let capacity = EndpointCapacity::deserialize(&object["spec"]["capacity"]).ok();
            Demand::of_endpoint(capacity.as_ref(), None)
        }
        _ => Demand::default(),
    }
}

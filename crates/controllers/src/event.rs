//! Events: what `describe` shows of an object's way from one phase to the next.

use bedplate_kinds::{Condition, Phase};
use bedplate_types::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;

/// The event that tells of a new phase.
pub fn of_phase<K: Resource<DynamicType = ()>>(
    object: &K,
    phase: Phase,
    condition: &Condition,
    now: Timestamp,
) -> Event {
    let told = if condition.message.is_empty() { format!("is {phase:?}") } else { condition.message.clone() };
    about(object, phase == Phase::Failed, condition.reason.clone(), told, now)
}

/// The event that tells of something else.
pub fn about<K: Resource<DynamicType = ()>>(
    object: &K,
    warns: bool,
    reason: String,
    told: String,
    now: Timestamp,
) -> Event {
    let about = object.object_ref(&());
    let name = format!("{}.{:x}", about.name.clone().unwrap_or_default(), now.micros());
    let time = k8s_openapi::jiff::Timestamp::from_microsecond(now.micros()).ok().map(Time);
    Event {
        metadata: ObjectMeta { name: Some(name), namespace: about.namespace.clone(), ..Default::default() },
        involved_object: ObjectReference { field_path: None, ..about },
        type_: Some(if warns { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(reason),
        message: Some(told),
        first_timestamp: time.clone(),
        last_timestamp: time,
        count: Some(1),
        source: Some(EventSource { component: Some("bedplate-controllers".into()), host: None }),
        ..Default::default()
    }
}

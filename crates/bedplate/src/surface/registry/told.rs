//! What a registry says and nothing here does, as Events of the namespace.

use bedplate_feast::registry::NotHere;
use bedplate_types::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Client;
use kube::api::{Api, PostParams};
use sha2::{Digest, Sha256};

const REASON: &str = "NotExecutedHere";

/// Events are for people: one that cannot be written stops nothing, and one that was told is not told again.
pub async fn tell(client: &Client, namespace: &str, not_here: &[NotHere], now: Timestamp) {
    let api = Api::<Event>::namespaced(client.clone(), namespace);
    for one in not_here {
        match api.create(&PostParams::default(), &event(namespace, one, now)).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => tracing::warn!(%error, namespace, name = one.name, "what is not here was not told"),
            Ok(_) => {}
        }
    }
}

/// The kind as it is written for ever.
pub fn known(kind: &str) -> &'static str {
    ["Entity", "Dataset", "FeatureView", "FeatureService"].into_iter().find(|known| *known == kind).unwrap_or("Object")
}

fn event(namespace: &str, told: &NotHere, now: Timestamp) -> Event {
    let object = told.name.replace('_', "-");
    let digest = Sha256::digest(format!("{} {} {}", told.kind, told.name, told.why));
    let time = k8s_openapi::jiff::Timestamp::from_microsecond(now.micros()).ok().map(Time);
    Event {
        metadata: ObjectMeta {
            name: Some(format!("feast.{}", hex::encode(&digest[..12]))),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some("bedplate.dev/v1alpha1".to_owned()),
            kind: Some(told.kind.to_owned()),
            name: Some(object),
            namespace: Some(namespace.to_owned()),
            ..ObjectReference::default()
        },
        type_: Some("Warning".to_owned()),
        reason: Some(REASON.to_owned()),
        message: Some(format!("{} of the registry of Feast: {}", told.name, told.why)),
        first_timestamp: time.clone(),
        last_timestamp: time,
        count: Some(1),
        source: Some(EventSource { component: Some("bedplate-feast".to_owned()), host: None }),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_and_of_the_object_it_would_be() {
        let told = |why: &str| NotHere { kind: "FeatureView", name: "by_hand".into(), why: why.into() };
        let made = |why: &str, at| event("drivers", &told(why), Timestamp::from_micros(at));
        assert_eq!(made("a", 1).metadata.name, made("a", 2).metadata.name);
        assert_ne!(made("a", 1).metadata.name, made("b", 1).metadata.name);
        let one = made("it is not executed here", 1);
        assert_eq!(one.involved_object.name.as_deref(), Some("by-hand"));
        assert_eq!(one.message.as_deref(), Some("by_hand of the registry of Feast: it is not executed here"));
    }
}

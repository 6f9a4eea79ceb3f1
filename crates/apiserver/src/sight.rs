//! Which objects somebody may see and change, one by one. It is asked where a policy of a person's may tell objects apart,
//! by their names, owners, labels and tags; the roles alone never do.

use std::fmt;

use bedplate_identity::Principal;
use bedplate_kinds::{DataTags, DatasetSpec};
use bedplate_policy::{Action, Decision, Policy, Question, Resource as Subject, Tags};
use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::meta;
use crate::resource::Resource;

/// Somebody, looking at the objects of a resource.
#[derive(Clone)]
pub struct Sight {
    pub policy: Policy,
    pub principal: Principal,
    pub kind: String,
    /// `None`: in all namespaces, or outside of them.
    pub namespace: Option<String>,
    pub action: Action,
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.principal.name, self.action, self.kind)
    }
}

impl Sight {
    /// Whether objects are looked at at all.
    pub fn is_keen(&self) -> bool {
        let Principal { name, groups, .. } = &self.principal;
        self.policy.looks_at_objects(name, groups, self.namespace.as_deref())
    }

    pub fn sees(&self, object: &Value) -> bool {
        !self.is_keen() || self.decide(self.action, object).allowed
    }

    /// Refuses what may not be done to `object`. One that may not even be got is not there.
    pub fn check(&self, resource: &Resource, object: &Value) -> Result<(), ApiError> {
        if !self.is_keen() {
            return Ok(());
        }
        let (decision, name) = (self.decide(self.action, object), meta::name(object).to_owned());
        if decision.allowed {
            return Ok(());
        }
        if self.action != Action::Create && !self.decide(Action::Get, object).allowed {
            return Err(ApiError::NotFound { resource: resource.qualified(), name });
        }
        Err(ApiError::Forbidden { resource: resource.qualified(), name, why: decision.why().to_owned() })
    }

    fn decide(&self, action: Action, object: &Value) -> Decision {
        let namespace = meta::text(object, "namespace").or(self.namespace.as_deref());
        let subject = Subject { namespace, kind: &self.kind, name: Some(meta::name(object)) };
        let Principal { name, groups, .. } = &self.principal;
        self.policy.still(&Question::new(name, groups, action, subject).tagged(&tags(&self.kind, object)))
    }
}

/// What the policies may know of an object.
pub fn tags(kind: &str, object: &Value) -> Tags {
    let data = match kind {
        "Dataset" => DatasetSpec::deserialize(&object["spec"])
            .ok()
            .map(|spec| DataTags::of(&spec, object["status"]["deidentified"] == true)),
        "Model" => object["status"]["versions"]
            .as_array()
            .and_then(|versions| DataTags::deserialize(&versions.last()?["tags"]).ok()),
        _ => None,
    };
    let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
    let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    Tags {
        owner: object["spec"]["owner"].as_str().filter(|owner| !owner.is_empty()).map(str::to_owned),
        labels: labels.collect(),
        ..data.as_ref().map(Tags::from).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dataset_is_known_by_what_it_declares_and_what_the_platform_did() {
        let object = json!({
            "metadata": { "labels": { "tier": "gold" } },
            "spec": { "owner": "ops", "classification": "phi", "tags": { "purpose": "care, billing", "residency": "eu" },
                "source": { "path": "/x" }, "schema": [] },
            "status": { "deidentified": true },
        });
        let tags = tags("Dataset", &object);
        assert_eq!((tags.owner.as_deref(), tags.classification.as_deref()), (Some("ops"), Some("phi")));
        assert_eq!(tags.purposes.unwrap().into_iter().collect::<Vec<_>>(), ["billing", "care"]);
        assert_eq!(tags.residency.unwrap().into_iter().collect::<Vec<_>>(), ["eu"]);
        assert!(tags.deidentified && tags.labels["tier"] == "gold");
    }

    #[test]
    fn a_model_is_known_by_the_data_of_its_newest_version() {
        let version = json!({ "tags": { "classification": "restricted", "purposes": ["care"] } });
        let object = json!({ "spec": { "owner": "ds" }, "status": { "versions": [{}, version] } });
        let tags = tags("Model", &object);
        assert_eq!((tags.owner.as_deref(), tags.classification.as_deref()), (Some("ds"), Some("restricted")));
        assert_eq!(super::tags("Entity", &json!({})), Tags::NONE);
    }
}

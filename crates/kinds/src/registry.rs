//! The list of kinds: what the API server serves and publishes.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::definition;
use crate::validate::{FieldError, Validate};
use crate::{
    Approval, ApprovalSpec, Budget, BudgetSpec, ChangeClass, ChangeClassSpec, Dataset, DatasetSpec, Endpoint,
    EndpointSpec, Entity, EntitySpec, ExpectationSuite, ExpectationSuiteSpec, FeatureService, FeatureServiceSpec,
    FeatureView, FeatureViewSpec, GlossaryTerm, GlossaryTermSpec, Model, ModelSpec, Monitor, MonitorSpec, Policy,
    PolicySpec, PriceSheet, PriceSheetSpec, Quota, QuotaSpec, RoleBinding, RoleBindingSpec, Site, SiteSpec,
    TrainingRecipe, TrainingRecipeSpec, Workload, WorkloadSpec,
};

/// One kind: its definition (names, schema, columns) and the rules of its spec.
pub struct Kind {
    pub definition: CustomResourceDefinition,
    validate: fn(&Value) -> Vec<FieldError>,
    more: Option<MoreRules>,
}

/// Rules of specs that it takes an engine to judge, by the kind's name.
pub type MoreRules = fn(kind: &str, spec: &Value) -> Vec<FieldError>;

impl Kind {
    /// Every rule `spec` breaks: first what does not parse, then what the kind itself forbids, then what more there is.
    #[must_use]
    pub fn validate(&self, spec: &Value) -> Vec<FieldError> {
        let broken = (self.validate)(spec);
        match self.more {
            Some(more) if broken.is_empty() => more(self.name(), spec),
            _ => broken,
        }
    }

    /// The same kind with more rules.
    #[must_use]
    pub fn with(self, more: Option<MoreRules>) -> Self {
        Self { more, ..self }
    }

    /// `Dataset`
    #[must_use]
    pub fn name(&self) -> &str {
        &self.definition.spec.names.kind
    }

    /// `datasets`
    #[must_use]
    pub fn plural(&self) -> &str {
        &self.definition.spec.names.plural
    }
}

/// Every kind, in the order a use case is told: data, features, model, serving, watching, words; then who may;
/// then where, with whose consent, how much, and at what price.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    vec![
        kind::<Dataset, DatasetSpec>(),
        kind::<ExpectationSuite, ExpectationSuiteSpec>(),
        kind::<Entity, EntitySpec>(),
        kind::<FeatureView, FeatureViewSpec>(),
        kind::<FeatureService, FeatureServiceSpec>(),
        kind::<TrainingRecipe, TrainingRecipeSpec>(),
        kind::<Workload, WorkloadSpec>(),
        kind::<Model, ModelSpec>(),
        kind::<Endpoint, EndpointSpec>(),
        kind::<Monitor, MonitorSpec>(),
        kind::<GlossaryTerm, GlossaryTermSpec>(),
        kind::<RoleBinding, RoleBindingSpec>(),
        kind::<Policy, PolicySpec>(),
        kind::<Site, SiteSpec>(),
        kind::<ChangeClass, ChangeClassSpec>(),
        kind::<Approval, ApprovalSpec>(),
        kind::<Budget, BudgetSpec>(),
        kind::<Quota, QuotaSpec>(),
        kind::<PriceSheet, PriceSheetSpec>(),
    ]
}

fn kind<K: CustomResourceExt, S: DeserializeOwned + Validate>() -> Kind {
    Kind { definition: definition::fit(K::crd()), validate: validate::<S>, more: None }
}

fn validate<S: DeserializeOwned + Validate>(spec: &Value) -> Vec<FieldError> {
    match S::deserialize(spec) {
        Ok(spec) => spec.validate(),
        Err(error) => vec![FieldError::new("spec", error.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_plural_a_schema_a_status_and_columns() {
        for kind in kinds() {
            let version = &kind.definition.spec.versions[0];
            assert!(version.schema.is_some(), "{}", kind.name());
            assert!(version.subresources.as_ref().is_some_and(|s| s.status.is_some()), "{}", kind.name());
            assert!(version.additional_printer_columns.is_some(), "{}", kind.name());
        }
    }
}

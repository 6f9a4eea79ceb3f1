//! A kind's definition, fit for a real cluster: what the derived schema leaves unsaid is added here, once for all kinds.
//!
//! Lists of things that have a name are merged by that name (server-side apply), and no two may share it. What else names an
//! item, a field says itself: `#[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["view"]))]`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

/// The groups of kinds that `kubectl get bedplate` and `kubectl get all` show.
pub const CATEGORIES: [&str; 2] = ["all", "bedplate"];

/// What names an item of a list, tried in this order: all of them required, all of them text.
const NAMES: [&[&str]; 3] = [&["kind", "name"], &["name"], &["type", "status"]];

/// Completes what `kube` derived, so that Kubernetes' rules of structural schemas hold.
#[must_use]
pub fn fit(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    definition.spec.names.categories = Some(CATEGORIES.map(str::to_owned).into());
    for version in &mut definition.spec.versions {
        if let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            complete(schema);
            describe(schema);
        }
    }
    definition
}

/// A kind is described by what its spec says of itself.
fn describe(schema: &mut JSONSchemaProps) {
    let spec = schema.properties.as_ref().and_then(|fields| fields.get("spec"));
    schema.description = spec.and_then(|spec| spec.description.clone());
}

fn complete(schema: &mut JSONSchemaProps) {
    free_values(schema);
    keyed_list(schema);
    schema.properties.iter_mut().flat_map(|fields| fields.values_mut()).for_each(complete);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        complete(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        complete(values);
    }
}

/// A map of whatever there is: said as Kubernetes says it, which prunes nothing below.
fn free_values(schema: &mut JSONSchemaProps) {
    let free = match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Bool(allowed)) => *allowed,
        Some(JSONSchemaPropsOrBool::Schema(values)) => **values == JSONSchemaProps::default(),
        None => false,
    };
    if free {
        schema.additional_properties = None;
        schema.x_kubernetes_preserve_unknown_fields = Some(true);
    }
}

fn keyed_list(schema: &mut JSONSchemaProps) {
    let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items else { return };
    if schema.x_kubernetes_list_type.is_some() {
        return;
    }
    if let Some(names) = NAMES.into_iter().find(|names| names.iter().all(|name| is_required_text(items, name))) {
        // A condition's status is what it says, not what it is called.
        let keys = names.iter().filter(|name| **name != "status").map(|name| (*name).to_owned());
        schema.x_kubernetes_list_type = Some("map".to_owned());
        schema.x_kubernetes_list_map_keys = Some(keys.collect());
    }
}

fn is_required_text(schema: &JSONSchemaProps, field: &str) -> bool {
    let required = schema.required.iter().flatten().any(|name| name == field);
    let property = schema.properties.as_ref().and_then(|fields| fields.get(field));
    required && property.is_some_and(|field| field.type_.as_deref() == Some("string"))
}

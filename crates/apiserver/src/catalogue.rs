//! Everything that is served, in the order it is told.

use std::sync::Arc;

use bedplate_kinds::registry::{Kind, MoreRules, kinds};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceColumnDefinition;
use serde_json::{Value, json};

use crate::builtin;
use crate::error::ApiError;
use crate::resource::{Resource, Rules};
use crate::schema::Schema;
use crate::seal::Seal;
use crate::table::Column;

/// The resources, core first.
pub struct Catalogue(Vec<Arc<Resource>>);

impl Catalogue {
    pub fn new(seal: &Seal, more_rules: Option<MoreRules>) -> Result<Self, ApiError> {
        let mut all = Self::of_kinds(more_rules)?;
        all.0.splice(..0, builtin::resources(seal)?.into_iter().map(Arc::new));
        Ok(all)
    }

    /// Only the kinds: what a cluster asks about.
    pub fn of_kinds(more_rules: Option<MoreRules>) -> Result<Self, ApiError> {
        let all = kinds().into_iter().map(|kind| of_kind(kind.with(more_rules))).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(all.into_iter().map(Arc::new).collect()))
    }

    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.in_group(group, version).find(|resource| resource.plural == plural).cloned()
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.0.iter()
    }

    pub fn in_group<'a>(&'a self, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Arc<Resource>> {
        self.0.iter().filter(move |resource| resource.group == group && resource.version == version)
    }

    /// Each (group, version) once; the core group's name is empty.
    pub fn groups(&self) -> Vec<(&str, &str)> {
        let mut groups: Vec<(&str, &str)> = Vec::new();
        for resource in &self.0 {
            let group = (resource.group.as_str(), resource.version.as_str());
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }
}

fn of_kind(kind: Kind) -> Result<Resource, ApiError> {
    let spec = &kind.definition.spec;
    let version = spec.versions.first().ok_or_else(|| broken(&kind, "has no version"))?;
    let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
    let schema = serde_json::to_value(schema).map_err(|error| broken(&kind, &error.to_string()))?;
    let columns = version.additional_printer_columns.iter().flatten().map(column).collect::<Result<Vec<_>, _>>()?;
    Ok(Resource {
        group: spec.group.clone(),
        version: version.name.clone(),
        kind: spec.names.kind.clone(),
        plural: spec.names.plural.clone(),
        singular: spec.names.singular.clone().unwrap_or_else(|| spec.names.kind.to_lowercase()),
        short_names: spec.names.short_names.clone().unwrap_or_default(),
        namespaced: spec.scope == "Namespaced",
        has_status: version.subresources.as_ref().is_some_and(|subresources| subresources.status.is_some()),
        schema: Schema::new(enveloped(schema))?,
        columns: [vec![Column::name()], columns].concat(),
        selectable: version.selectable_fields.iter().flatten().map(|field| dotted(&field.json_path)).collect(),
        rules: Rules::Kind(Box::new(kind)),
    })
}

/// A selectable field's path without the dot in front of it, as selectors spell it.
fn dotted(path: &str) -> String {
    path.trim_start_matches('.').to_owned()
}

fn broken(kind: &Kind, why: &str) -> ApiError {
    ApiError::Internal(format!("the definition of {} {why}", kind.name()))
}

fn column(definition: &CustomResourceColumnDefinition) -> Result<Column, ApiError> {
    let priority = definition.priority.unwrap_or(0);
    Column::path(&definition.name, &definition.type_, &definition.json_path, priority)
}

/// A kind's schema tells of spec and status; the envelope around them is the same for all.
fn enveloped(mut schema: Value) -> Value {
    let properties = &mut schema["properties"];
    properties["apiVersion"] = json!({ "type": "string", "description": "The versioned schema of this object." });
    properties["kind"] = json!({ "type": "string", "description": "The REST resource this object represents." });
    properties["metadata"] = builtin::metadata_schema();
    schema
}

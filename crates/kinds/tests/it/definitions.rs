//! Every definition, held against the rules.

use bedplate_kinds::registry::kinds;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::{names, structural};

fn definitions() -> Vec<(String, Value)> {
    kinds().iter().map(|kind| (kind.name().to_owned(), serde_json::to_value(&kind.definition).unwrap())).collect()
}

#[test]
fn a_real_cluster_would_take_every_definition() {
    for (kind, definition) in definitions() {
        assert_eq!(names::broken(&definition), Vec::<String>::new(), "{kind}");
        for version in definition["spec"]["versions"].as_array().unwrap() {
            assert_eq!(structural::broken(&version["schema"]["openAPIV3Schema"]), Vec::<String>::new(), "{kind}");
        }
    }
}

#[test]
fn every_definition_round_trips() {
    for (kind, definition) in definitions() {
        let read: CustomResourceDefinition = serde_json::from_value(definition.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), definition, "{kind}");
    }
}

#[test]
fn plurals_and_short_names_are_each_of_one_kind() {
    let mut seen = std::collections::HashMap::new();
    for (kind, definition) in definitions() {
        let names = &definition["spec"]["names"];
        let short = names["shortNames"].as_array().into_iter().flatten();
        for name in [&names["plural"], &names["singular"]].into_iter().chain(short) {
            assert_eq!(seen.insert(name.to_string(), kind.clone()), None, "{name} is of two kinds");
        }
    }
}

/// The schema at a path of one kind.
fn schema(kind: &str, path: &str) -> Value {
    let (_, definition) = definitions().into_iter().find(|(name, _)| name == kind).unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].pointer(path).unwrap().clone()
}

#[test]
fn lists_are_merged_by_what_names_their_items() {
    for (kind, path, keys) in [
        ("Dataset", "/properties/spec/properties/schema", r#"["name"]"#),
        ("Dataset", "/properties/status/properties/conditions", r#"["type"]"#),
        ("FeatureService", "/properties/spec/properties/views", r#"["view"]"#),
        ("RoleBinding", "/properties/spec/properties/subjects", r#"["kind","name"]"#),
        ("Model", "/properties/status/properties/versions", r#"["version"]"#),
    ] {
        let list = schema(kind, path);
        assert_eq!(list["x-kubernetes-list-type"], "map", "{kind} {path}");
        assert_eq!(list["x-kubernetes-list-map-keys"].to_string(), keys, "{kind} {path}");
    }
}

#[test]
fn what_is_free_is_kept_and_not_pruned() {
    let outputs = schema("Workload", "/properties/status/properties/outputs");
    assert_eq!(outputs["x-kubernetes-preserve-unknown-fields"], true);
    assert!(outputs.get("additionalProperties").is_none());
}

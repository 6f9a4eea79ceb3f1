//! The resources of Kubernetes' own that bedplate serves: Namespace, Secret, ConfigMap, Event, Lease and, to be looked at,
//! CustomResourceDefinition.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Secret};
use k8s_openapi::api::events::v1::Event as NewEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::definition;
use crate::error::ApiError;
use crate::resource::{Resource, Rules};
use crate::schema::Schema;
use crate::seal::Seal;
use crate::table::Column;

const EVENT_FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

const NEW_EVENT_FIELDS: &[&str] =
    &["reason", "reportingController", "type", "regarding.kind", "regarding.name", "regarding.uid"];

fn owned(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|field| (*field).to_owned()).collect()
}

pub fn resources(seal: &Seal) -> Result<Vec<Resource>, ApiError> {
    let namespace = Resource {
        namespaced: false,
        has_status: true,
        selectable: owned(&["status.phase"]),
        short_names: vec!["ns".to_owned()],
        rules: Rules::Namespace,
        ..core::<Namespace>("Namespace", vec![Column::text("Status", "string", ".status.phase"), Column::age()])?
    };
    let secret = Resource {
        selectable: owned(&["type"]),
        rules: Rules::Secret(seal.clone()),
        ..core::<Secret>(
            "Secret",
            vec![Column::text("Type", "string", ".type"), Column::count("Data", &["data"]), Column::age()],
        )?
    };
    let config_map = Resource {
        short_names: vec!["cm".to_owned()],
        ..core::<ConfigMap>("ConfigMap", vec![Column::count("Data", &["data", "binaryData"]), Column::age()])?
    };
    let event = Resource {
        short_names: vec!["ev".to_owned()],
        selectable: owned(EVENT_FIELDS),
        columns: event_columns("involvedObject", "message", &["lastTimestamp", "eventTime", "firstTimestamp"]),
        ..core::<Event>("Event", Vec::new())?
    };
    let new_event = Resource {
        group: "events.k8s.io".to_owned(),
        short_names: vec!["ev".to_owned()],
        selectable: owned(NEW_EVENT_FIELDS),
        columns: event_columns(
            "regarding",
            "note",
            &["deprecatedLastTimestamp", "eventTime", "deprecatedFirstTimestamp"],
        ),
        rules: Rules::NewEvent,
        ..core::<NewEvent>("Event", Vec::new())?
    };
    let lease = Resource {
        group: "coordination.k8s.io".to_owned(),
        ..core::<Lease>("Lease", vec![Column::text("Holder", "string", ".spec.holderIdentity"), Column::age()])?
    };
    Ok(vec![namespace, secret, config_map, event, new_event, lease, definition()?])
}

fn definition() -> Result<Resource, ApiError> {
    let free = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let schema = json!({
        "type": "object", "required": ["spec"],
        "description": "The definition of one of the kinds that are built into bedplate.",
        "properties": {
            "apiVersion": { "type": "string" }, "kind": { "type": "string" }, "metadata": metadata_schema(),
            "spec": free, "status": free,
        },
    });
    Ok(Resource {
        group: definition::GROUP.to_owned(),
        version: "v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
        singular: "customresourcedefinition".to_owned(),
        short_names: vec!["crd".to_owned(), "crds".to_owned()],
        namespaced: false,
        has_status: false,
        schema: Schema::new(schema)?,
        columns: vec![Column::name(), Column::path("Created At", "string", ".metadata.creationTimestamp", 0)?],
        selectable: Vec::new(),
        rules: Rules::Definition,
    })
}

fn core<K: JsonSchema>(kind: &str, columns: Vec<Column>) -> Result<Resource, ApiError> {
    let mut schema = schema_of::<K>();
    schema["properties"]["metadata"] = metadata_schema();
    let singular = kind.to_lowercase();
    Ok(Resource {
        group: String::new(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        plural: format!("{singular}s"),
        singular,
        short_names: Vec::new(),
        namespaced: true,
        has_status: false,
        schema: Schema::new(schema)?,
        columns: [vec![Column::name()], columns].concat(),
        selectable: Vec::new(),
        rules: Rules::Plain,
    })
}

fn event_columns(object: &'static str, message: &str, seen: &'static [&'static str]) -> Vec<Column> {
    vec![
        Column::since("Last Seen", seen),
        Column::text("Type", "string", ".type"),
        Column::text("Reason", "string", ".reason"),
        Column::reference("Object", object),
        Column::text("Message", "string", &format!(".{message}")),
        Column::name().wide(),
    ]
}

/// The schema of `ObjectMeta`, with its lists' merge rules, which the generated one leaves out.
pub fn metadata_schema() -> Value {
    let mut schema = schema_of::<ObjectMeta>();
    let properties = &mut schema["properties"];
    properties["finalizers"]["x-kubernetes-list-type"] = "set".into();
    properties["ownerReferences"]["x-kubernetes-list-type"] = "map".into();
    properties["ownerReferences"]["x-kubernetes-list-map-keys"] = json!(["uid"]);
    properties["managedFields"]["items"] = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    schema
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("title");
        fields.remove("components");
    }
    schema
}

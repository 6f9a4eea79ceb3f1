//! What makes an object fit to be stored: its envelope, its shape, and which of its fields are the server's.

use serde_json::Value;

use crate::error::{ApiError, Cause};
use crate::options::FieldValidation;
use crate::resource::{Resource, Rules};
use crate::{meta, names, rule, secret};

/// The metadata only the server sets.
const SERVERS: [&str; 6] =
    ["uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];

/// Holds the object's own words (apiVersion, kind, name, namespace) against the URL, and fills in what it leaves out.
pub fn envelope(
    resource: &Resource,
    object: &mut Value,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Result<(), ApiError> {
    said_or_set(&mut object["apiVersion"], &resource.api_version(), |said, expected| {
        format!("the API version in the data ({said}) does not match the expected API version ({expected})")
    })?;
    said_or_set(&mut object["kind"], &resource.kind, |said, expected| {
        format!("the kind in the data ({said}) does not match the expected kind ({expected})")
    })?;
    let metadata = meta::of_mut(object);
    match namespace {
        Some(namespace) => {
            said_or_set(metadata.entry("namespace").or_insert(Value::Null), namespace, |said, expected| {
                format!(
                    "the namespace of the provided object ({said}) does not match the namespace sent on the request ({expected})"
                )
            })?
        }
        None => {
            metadata.remove("namespace");
        }
    }
    if let Some(name) = name {
        said_or_set(metadata.entry("name").or_insert(Value::Null), name, |said, expected| {
            format!("the name of the object ({said}) does not match the name on the URL ({expected})")
        })?;
    }
    Ok(())
}

fn said_or_set(said: &mut Value, expected: &str, refusal: impl Fn(&str, &str) -> String) -> Result<(), ApiError> {
    match said.as_str() {
        None | Some("") => *said = expected.into(),
        Some(text) if text == expected => {}
        Some(text) => return Err(ApiError::BadRequest(refusal(text, expected))),
    }
    Ok(())
}

/// Prunes, completes, defaults and checks. Returns the warnings for the client.
///
/// With `only` set, complaints about other parts of the object are passed over: a status must be writable on an object
/// whose spec an older version let in.
pub fn shape(
    resource: &Resource,
    object: &mut Value,
    validation: FieldValidation,
    only: Option<&str>,
) -> Result<Vec<String>, ApiError> {
    let managed = meta::of_mut(object).remove("managedFields");
    let unknown = resource.schema.prune(object);
    if validation == FieldValidation::Strict && !unknown.is_empty() {
        return Err(ApiError::BadRequest(strict(resource, &unknown)));
    }
    resource.complete(object);
    resource.schema.fill_defaults(object);
    let mut causes = causes(resource, object);
    if let Some(part) = only {
        causes.retain(|cause| cause.field.starts_with(part));
    }
    if !causes.is_empty() {
        return Err(invalid(resource, object, causes));
    }
    if let Some(managed) = managed {
        meta::set(object, "managedFields", managed);
    }
    let warn = validation == FieldValidation::Warn;
    Ok(if warn { unknown.iter().map(|path| format!("unknown field {path:?}")).collect() } else { Vec::new() })
}

fn strict(resource: &Resource, unknown: &[String]) -> String {
    let fields: Vec<_> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    let (kind, version) = (&resource.kind, &resource.version);
    format!("{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {}", fields.join(", "))
}

pub fn invalid(resource: &Resource, object: &Value, causes: Vec<Cause>) -> ApiError {
    ApiError::Invalid { kind: resource.qualified_kind(), name: meta::name(object).to_owned(), causes }
}

fn causes(resource: &Resource, object: &Value) -> Vec<Cause> {
    let mut causes = resource.schema.check(object);
    causes.extend(name_cause(resource, object));
    causes.extend(label_causes(object));
    match &resource.rules {
        // The kind's own rules read the spec into its type, which only a spec of the right shape allows.
        Rules::Kind(kind) if causes.is_empty() => {
            let broken = kind.validate(&object["spec"]).into_iter();
            causes.extend(broken.map(|error| Cause::invalid(error.field, error.message)));
            if causes.is_empty() && kind.name() == rule::KIND {
                causes.extend(rule::causes(object));
            }
        }
        Rules::Secret(_) => causes.extend(secret::check(object)),
        _ => {}
    }
    causes
}

fn name_cause(resource: &Resource, object: &Value) -> Option<Cause> {
    let name = meta::name(object);
    let why = match resource.rules {
        Rules::Namespace => names::label_error(name),
        _ => names::subdomain_error(name),
    };
    why.map(|why| Cause::invalid("metadata.name", format!("Invalid value: {name:?}: {why}")))
}

fn label_causes(object: &Value) -> Vec<Cause> {
    let labels = meta::labels(object).as_object().into_iter().flatten();
    let texts = labels.filter_map(|(_, value)| value.as_str());
    let broken = texts.filter_map(|value| names::label_value_error(value).map(|why| (value, why)));
    broken.map(|(value, why)| Cause::invalid("metadata.labels", format!("Invalid value: {value:?}: {why}"))).collect()
}

/// Takes away what a client may not bring to a new object.
pub fn forget_servers_fields(resource: &Resource, object: &mut Value) {
    let metadata = meta::of_mut(object);
    SERVERS.iter().for_each(|field| {
        metadata.remove(*field);
    });
    if resource.has_status
        && let Some(fields) = object.as_object_mut()
    {
        fields.remove("status");
    }
}

/// Checks that `new` was made from `old` as it is now (optimistic concurrency).
pub fn is_current(resource: &Resource, old: &Value, new: &Value, must_say: bool) -> Result<(), ApiError> {
    let conflict =
        |why: String| ApiError::Conflict { resource: resource.qualified(), name: meta::name(old).to_owned(), why };
    if let Some(uid) = meta::text(new, "uid").filter(|uid| *uid != meta::uid(old)) {
        return Err(conflict(format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            meta::uid(old)
        )));
    }
    match meta::text(new, "resourceVersion") {
        None if must_say => {
            let cause = Cause::invalid("metadata.resourceVersion", "Invalid value: 0: must be specified for an update");
            Err(invalid(resource, old, vec![cause]))
        }
        Some(version) if Some(version) != meta::text(old, "resourceVersion") => Err(conflict(
            "the object has been modified; please apply your changes to the latest version and try again".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Puts back what the endpoint does not let the client change: the server's metadata, and the status on the main endpoint or
/// everything but the status on the other.
pub fn confine(resource: &Resource, old: &Value, new: &mut Value, status_only: bool) {
    if status_only {
        let mut confined = old.clone();
        meta::keep_top(&mut confined, new, "status");
        meta::keep(&mut confined, new, "managedFields");
        *new = confined;
        return;
    }
    SERVERS.iter().for_each(|field| meta::keep(new, old, field));
    if resource.has_status {
        meta::keep_top(new, old, "status");
    }
}

/// Once an object is being deleted, finalizers can only be taken away.
pub fn no_new_finalizers(resource: &Resource, old: &Value, new: &Value) -> Result<(), ApiError> {
    let before = meta::finalizers(old);
    let added: Vec<_> = meta::finalizers(new).into_iter().filter(|one| !before.contains(one)).collect();
    if !meta::is_terminating(old) || added.is_empty() {
        return Ok(());
    }
    let message =
        format!("Forbidden: no new finalizers can be added if the object is being deleted, found new: {added:?}");
    let cause = Cause { reason: "FieldValueForbidden", field: "metadata.finalizers".to_owned(), message };
    Err(invalid(resource, new, vec![cause]))
}

/// The one that may set what only the platform knows.
const PLATFORM: &str = "system:controllers";

/// Refuses to let anybody but the platform say what was done to data, and what a model was made of: policies go by it.
pub fn no_claims(resource: &Resource, old: &Value, new: &Value, actor: &str) -> Result<(), ApiError> {
    let changed =
        claims(&resource.kind, old).into_iter().zip(claims(&resource.kind, new)).find(|(old, new)| old != new);
    match changed {
        Some(((field, _), _)) if actor != PLATFORM => {
            let message = "Forbidden: only the platform sets it, from what it did".to_owned();
            let cause = Cause { reason: "FieldValueForbidden", field: field.to_owned(), message };
            Err(invalid(resource, new, vec![cause]))
        }
        _ => Ok(()),
    }
}

fn claims<'a>(kind: &str, object: &'a Value) -> Vec<(&'static str, Vec<(&'a Value, &'a Value)>)> {
    let status = &object["status"];
    match kind {
        "Dataset" => {
            let claimed = &status["deidentified"];
            // Not said and false are one.
            vec![(
                "status.deidentified",
                (*claimed != false)
                    .then_some((&Value::Null, claimed))
                    .into_iter()
                    .filter(|(_, claimed)| !claimed.is_null())
                    .collect(),
            )]
        }
        "Model" => {
            let versions = status["versions"].as_array().into_iter().flatten();
            vec![("status.versions.tags", versions.map(|one| (&one["digest"], &one["tags"])).collect())]
        }
        _ => Vec::new(),
    }
}

/// Counts a new generation when anything but metadata and status changed.
pub fn count_generation(resource: &Resource, old: &Value, new: &mut Value) {
    if resource.has_generation() && wish(old) != wish(new) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        meta::set(new, "generation", generation);
    }
}

fn wish(object: &Value) -> Vec<(&String, &Value)> {
    let fields = object.as_object().into_iter().flatten();
    let mut wish: Vec<_> = fields.filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status")).collect();
    wish.sort_by_key(|(name, _)| *name);
    wish
}

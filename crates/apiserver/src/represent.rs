//! How an answer looks: whole objects, a table, or metadata alone, as the client's `Accept` prefers.

use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::resource::Resource;
use crate::table;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Whole,
    Table,
    Partial,
}

/// What the client asked to see.
#[derive(Clone, Debug)]
pub struct View {
    form: Form,
    /// What rows of a table carry: `None`, `Metadata` or `Object`.
    include: String,
}

impl View {
    /// The first form in `accept` that is known here.
    pub fn new(accept: &str, include: Option<&str>) -> Self {
        let form = accept.split(',').find_map(form).unwrap_or(Form::Whole);
        Self { form, include: include.unwrap_or("Metadata").to_owned() }
    }

    /// Whether objects are shown as they are.
    pub fn is_whole(&self) -> bool {
        self.form == Form::Whole
    }

    pub fn object(&self, resource: &Resource, object: Value, now: Timestamp) -> Value {
        match self.form {
            Form::Whole => object,
            Form::Table => self.event(resource, object, true, now),
            Form::Partial => table::partial(&object),
        }
    }

    /// The same for an object of a watch; only its first table has a header.
    pub fn event(&self, resource: &Resource, object: Value, first: bool, now: Timestamp) -> Value {
        match self.form {
            Form::Table => {
                let metadata = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                table::table(&resource.columns, &[object], first, &self.include, metadata, now)
            }
            _ => self.object(resource, object, now),
        }
    }

    pub fn list(&self, resource: &Resource, items: Vec<Value>, metadata: Value, now: Timestamp) -> Value {
        match self.form {
            Form::Whole => json!({
                "kind": format!("{}List", resource.kind), "apiVersion": resource.api_version(),
                "metadata": metadata, "items": items,
            }),
            Form::Table => table::table(&resource.columns, &items, true, &self.include, metadata, now),
            Form::Partial => json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": items.iter().map(table::partial).collect::<Vec<_>>(),
            }),
        }
    }

    /// The object of a bookmark, which is nothing but a version.
    pub fn bookmark(&self, resource: &Resource, metadata: Value) -> Value {
        match self.form {
            Form::Whole => json!({ "kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata }),
            Form::Table => table::table(&[], &[], false, "None", metadata, Timestamp::default()),
            Form::Partial => table::partial(&json!({ "metadata": metadata })),
        }
    }
}

fn form(accepted: &str) -> Option<Form> {
    let mut parts = accepted.split(';').map(str::trim);
    let media_type = parts.next()?;
    if !matches!(media_type, "application/json" | "*/*" | "application/*") {
        return None;
    }
    match parts.find_map(|part| part.strip_prefix("as=")) {
        None => Some(Form::Whole),
        Some("Table") => Some(Form::Table),
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Form::Partial),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_form_wins() {
        for (accept, expected) in [
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Form::Table),
            ("application/vnd.kubernetes.protobuf,application/json", Form::Whole),
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form::Partial),
            ("application/json;as=Sonnet, application/json", Form::Whole),
            ("", Form::Whole),
        ] {
            assert_eq!(View::new(accept, None).form, expected, "{accept}");
        }
    }
}

//! A dataset as an event tells of it: its facets, and the two of them that are derived from, schema and column lineage.

use serde::{Deserialize, Serialize};

use crate::event::{Facets, facets};
use crate::part::{Invalid, Object, Part};

/// The most datasets on one side of a job in one event.
const DATASETS: usize = 1_000;
/// The most columns of one dataset.
const FIELDS: usize = 10_000;
/// The most input columns told of one dataset.
const COLUMNS: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dataset {
    pub namespace: String,
    pub name: String,
    pub facets: Facets,
    /// What the event says of its columns, if it does.
    pub schema: Option<Schema>,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schema {
    Fields(Vec<Field>),
    /// The schema facet is deleted.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub of: Option<String>,
    pub description: Option<String>,
}

/// A column of the dataset that was made of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub field: String,
    pub of: ColumnOf,
    pub transformation: Option<String>,
    pub description: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ColumnOf {
    pub namespace: String,
    pub dataset: String,
    pub field: String,
}

/// A dataset that a job reads or writes, with what is told of it for this run alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub side: Side,
    pub dataset: Dataset,
    pub facets: Facets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Input,
    Output,
}

impl Side {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

pub(crate) fn uses(event: &Object<'_>) -> Result<Vec<Use>, Invalid> {
    // Outputs first: of a dataset that is read and written, what was written counts.
    let sides = [(Side::Output, "outputs", "outputFacets"), (Side::Input, "inputs", "inputFacets")];
    let mut uses = Vec::new();
    for (side, name, own) in sides {
        for part in event.items(name, DATASETS)? {
            let used = part.object()?;
            uses.push(Use { side, dataset: dataset(&used)?, facets: facets(&used, own)? });
        }
    }
    Ok(uses)
}

pub(crate) fn dataset(of: &Object<'_>) -> Result<Dataset, Invalid> {
    let (namespace, name) = (of.need("namespace")?.name()?, of.need("name")?.name()?);
    let told = of.get("facets").map(|part| part.object()).transpose()?;
    let part = |name: &str| told.as_ref().and_then(|facets| facets.get(name));
    let facets = facets(of, "facets")?;
    let deleted = |name: &str| facets.get(name) == Some(&None);
    let schema = match part("schema") {
        Some(_) if deleted("schema") => Some(Schema::Unknown),
        Some(part) => Some(Schema::Fields(fields(&part)?)),
        None => None,
    };
    let columns = match part("columnLineage") {
        Some(part) if !deleted("columnLineage") => columns(&part)?,
        _ => Vec::new(),
    };
    Ok(Dataset { namespace, name, facets, schema, columns })
}

/// The columns of a `SchemaDatasetFacet`; columns within columns stay in the facet.
fn fields(facet: &Part<'_>) -> Result<Vec<Field>, Invalid> {
    let fields = facet.object()?.items("fields", FIELDS)?;
    fields.iter().map(field).collect()
}

fn field(part: &Part<'_>) -> Result<Field, Invalid> {
    let field = part.object()?;
    Ok(Field {
        name: field.need("name")?.name()?,
        of: field.opt_text("type")?,
        description: field.opt_text("description")?,
    })
}

/// The edges of a `ColumnLineageDatasetFacet`; what affects the dataset as a whole stays in the facet.
fn columns(facet: &Part<'_>) -> Result<Vec<Column>, Invalid> {
    let fields = facet.object()?.need("fields")?;
    let mut columns = Vec::new();
    for (name, part) in fields.object()?.named()? {
        let field = part.object()?;
        let (kind, text) = (field.opt_text("transformationType")?, field.opt_text("transformationDescription")?);
        for input in field.need("inputFields")?.items(COLUMNS)? {
            let (own_kind, own_text) = transformation(&input)?;
            let (transformation, description) = (kind.clone().or(own_kind), text.clone().or(own_text));
            columns.push(Column { field: name.to_owned(), of: column_of(&input)?, transformation, description });
        }
        if columns.len() > COLUMNS {
            return Err(fields.invalid(format!("tells of more than {COLUMNS} input columns")));
        }
    }
    Ok(columns)
}

fn column_of(part: &Part<'_>) -> Result<ColumnOf, Invalid> {
    let input = part.object()?;
    Ok(ColumnOf {
        namespace: input.need("namespace")?.name()?,
        dataset: input.need("name")?.name()?,
        field: input.need("field")?.name()?,
    })
}

/// Type and description of the first transformation.
fn transformation(part: &Part<'_>) -> Result<(Option<String>, Option<String>), Invalid> {
    let all = part.object()?.items("transformations", FIELDS)?;
    let Some(first) = all.first() else { return Ok((None, None)) };
    let first = first.object()?;
    Ok((first.opt_text("type")?, first.opt_text("description")?))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::*;

    fn read(facets: Value) -> Result<Dataset, Invalid> {
        let text = json!({"namespace": "n", "name": "d", "facets": facets}).to_string();
        let raw = RawValue::from_string(text).unwrap();
        dataset(&Part::root(&raw).object()?)
    }

    #[test]
    fn reads_schema_and_column_lineage() {
        let dataset = read(json!({
            "schema": {"fields": [{"name": "id", "type": "INT", "fields": [{"name": "inner"}]}, {"name": "x"}]},
            "columnLineage": {"fields": {"x": {"inputFields": [
                {"namespace": "m", "name": "e", "field": "y", "transformations": [{"type": "DIRECT", "description": "as is"}]},
                {"namespace": "m", "name": "e", "field": "z"},
            ]}}},
        }))
        .unwrap();
        let Some(Schema::Fields(fields)) = dataset.schema else { panic!("no schema") };
        assert_eq!((fields.len(), fields[0].of.as_deref(), fields[1].of.as_deref()), (2, Some("INT"), None));
        assert_eq!((dataset.columns.len(), dataset.columns[0].of.field.as_str()), (2, "y"));
        assert_eq!(dataset.columns[0].transformation.as_deref(), Some("DIRECT"));
        assert_eq!(dataset.columns[1].transformation, None);
    }

    #[test]
    fn a_deleted_schema_is_unknown_and_a_wrong_one_is_refused() {
        assert_eq!(read(json!({"schema": {"_deleted": true}})).unwrap().schema, Some(Schema::Unknown));
        assert_eq!(read(json!({})).unwrap().schema, None);
        let error = read(json!({"schema": {"fields": [{"type": "INT"}]}})).unwrap_err();
        assert_eq!(error.to_string(), "facets.schema.fields[0].name: is required");
        let error = read(json!({"columnLineage": {"fields": {"x": {"inputFields": [{"name": "e"}]}}}})).unwrap_err();
        assert_eq!(error.field, "facets.columnLineage.fields.x.inputFields[0].namespace");
    }
}

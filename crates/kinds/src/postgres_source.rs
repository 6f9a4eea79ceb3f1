//! A table or a query of a PostgreSQL database as the source of a dataset.

use bedplate_types::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset_source::DatasetSource;
use crate::validate::{FieldError, not_empty};

/// Rows of a PostgreSQL database. Of its columns those of spec.schema are read, and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostgresSource {
    /// Where the address of the database is: `postgres://user:password@host:5432/database`.
    pub connection: SecretKey,
    /// A table or a view: `orders`, which is `public.orders`, or `sales.orders`. The names are taken as they are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// One SELECT, in place of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The longest the database may work on the statement; unsaid, 30m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

/// A value in a Secret of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// The Secret.
    pub secret: String,
    /// The key of its data.
    #[serde(default = "url")]
    pub key: String,
}

fn url() -> String {
    "url".into()
}

const HALF_AN_HOUR: Span = Span::from_micros(30 * 60 * 1_000_000);
const LONGEST: Span = Span::from_micros(24 * 3_600 * 1_000_000);

impl PostgresSource {
    #[must_use]
    pub fn time_limit(&self) -> Span {
        self.timeout.unwrap_or(HALF_AN_HOUR)
    }

    /// Schema and table, as they are spelled.
    #[must_use]
    pub fn table_name(&self) -> Option<(&str, &str)> {
        let table = self.table.as_deref()?;
        Some(table.split_once('.').unwrap_or(("public", table)))
    }

    pub(crate) fn check(&self, source: &DatasetSource) -> Vec<FieldError> {
        let at = |field: &str| format!("spec.source.postgres.{field}");
        let mut errors: Vec<FieldError> = not_empty(&at("connection.secret"), &self.connection.secret)
            .into_iter()
            .chain(not_empty(&at("connection.key"), &self.connection.key))
            .collect();
        match (&self.table, &self.query) {
            (Some(_), Some(_)) => errors.push(FieldError::new(at("query"), "is in place of a table: name one of both")),
            (None, None) => errors.push(FieldError::new(at("table"), "is needed, or a query")),
            (None, Some(query)) => errors.extend(not_empty(&at("query"), query)),
            (Some(table), None) => errors.extend(check_table(&at("table"), table)),
        }
        let limit = self.time_limit();
        if limit.micros() < 1_000_000 || limit > LONGEST {
            errors.push(FieldError::new(at("timeout"), "must be from 1s to 24h"));
        }
        errors.extend(others(source));
        errors
    }
}

fn check_table(field: &str, table: &str) -> Option<FieldError> {
    let parts: Vec<&str> = table.split('.').collect();
    let wrong = parts.len() > 2 || parts.iter().any(|part| part.is_empty() || part.contains('\0'));
    wrong.then(|| FieldError::new(field, "must be a table, or a schema, a dot and a table; else write a query"))
}

/// What is for files alone.
fn others(source: &DatasetSource) -> Vec<FieldError> {
    let said = [
        ("format", source.format.is_some()),
        ("compression", source.compression.is_some()),
        ("csv", source.csv.is_some()),
        ("version", source.version.is_some()),
        ("store", source.store.is_some()),
        ("schemaEvolution", source.schema_evolution != Default::default()),
    ];
    let mut errors: Vec<FieldError> = said
        .into_iter()
        .filter(|(_, said)| *said)
        .map(|(field, _)| FieldError::new(format!("spec.source.{field}"), "is for files, and the source is a database"))
        .collect();
    if source.load.is_by_files() {
        errors.push(FieldError::new("spec.source.load", "a database has no files: use full or watermark"));
    }
    errors
}

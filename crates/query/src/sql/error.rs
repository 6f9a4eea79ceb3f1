//! Why a query did not run, in the words of who wrote it.

use bedplate_types::{ErrorKind, Explained};
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use super::TableRef;
use crate::delta::TableError;
use crate::frame::FrameError;

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("column {column:?} is not there; there are {has}")]
    MissingColumn { column: String, has: String },
    #[error("{why}; there are {has}")]
    MissingTable { why: String, has: String },
    #[error("two tables are called {alias:?}")]
    TwoTables { alias: String },
    #[error("the query cannot be read: {why}")]
    Syntax { why: String },
    #[error("only one SELECT is allowed: {why}")]
    NotASelect { why: String },
    #[error("the query needs more memory than all queries may use: {why}")]
    TooLarge { why: String },
    #[error("the query failed: {why}")]
    Failed { why: String },
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl QueryError {
    pub(crate) fn of(error: DataFusionError, tables: &[TableRef]) -> Self {
        let why = error.strip_backtrace();
        let why = first_line(&why);
        match root(&error) {
            DataFusionError::SchemaError(schema, _) => missing_column(schema).unwrap_or(Self::Failed { why }),
            DataFusionError::SQL(error, _) => {
                Self::Syntax { why: error.to_string().trim_start_matches("sql parser error: ").to_owned() }
            }
            DataFusionError::ResourcesExhausted(_) => Self::TooLarge { why },
            DataFusionError::Plan(text) if text.contains("not supported: ") => Self::NotASelect { why: text.clone() },
            DataFusionError::Plan(text) if text.starts_with("table '") => Self::MissingTable {
                why: text.replace("datafusion.public.", ""),
                has: tables.iter().map(|table| table.alias.as_str()).collect::<Vec<_>>().join(", "),
            },
            _ => Self::Failed { why },
        }
    }
}

fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => root(inner),
        DataFusionError::Collection(all) => all.first().map_or(error, root),
        DataFusionError::Shared(inner) => root(inner),
        other => other,
    }
}

fn missing_column(error: &SchemaError) -> Option<QueryError> {
    let SchemaError::FieldNotFound { field, valid_fields } = error else { return None };
    let has: Vec<String> = valid_fields.iter().map(|column| column.flat_name()).collect();
    Some(QueryError::MissingColumn { column: field.flat_name(), has: has.join(", ") })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

impl Explained for QueryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Table(error) => error.kind(),
            Self::Frame(error) => error.kind(),
            _ => ErrorKind::Invalid,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::MissingColumn { .. } => {
                Some("correct the column's name in the query; quote a name with capitals".into())
            }
            Self::MissingTable { .. } => Some("add the dataset to the query's datasets, or correct its name".into()),
            Self::TwoTables { .. } => Some("give one of them another name".into()),
            Self::NotASelect { .. } => Some("write the query as one SELECT; ingest is the only way to write".into()),
            Self::TooLarge { .. } => Some("select fewer columns or rows".into()),
            Self::Syntax { .. } | Self::Failed { .. } => Some("correct the query".into()),
            Self::Table(error) => error.fix(),
            Self::Frame(error) => error.fix(),
        }
    }
}

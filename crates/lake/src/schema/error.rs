//! Everything that is wrong with a source's columns, in one error.

use std::fmt;

use bedplate_types::{ErrorKind, Explained};

/// The source does not have the declared schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source does not match spec.schema: {}", list(.0))]
pub struct SchemaError(pub Vec<SchemaFault>);

/// One column that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaFault {
    Missing { column: String, declared: &'static str },
    Extra { column: String, found: String },
    Twice { column: String },
    WrongType { column: String, declared: &'static str, found: String, hint: String },
}

fn list(faults: &[SchemaFault]) -> String {
    faults.iter().map(SchemaFault::to_string).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { column, declared } => write!(f, "column {column} ({declared}) is missing"),
            Self::Extra { column, found } => write!(f, "column {column} ({found}) is not declared"),
            Self::Twice { column } => write!(f, "column {column} is there twice"),
            Self::WrongType { column, declared, found, .. } => {
                write!(f, "column {column} is {found} and not {declared}")
            }
        }
    }
}

impl SchemaFault {
    fn fix(&self) -> String {
        match self {
            Self::Missing { column, .. } => format!("remove {column} from spec.schema or add it to the source"),
            Self::Extra { column, found } => {
                format!("add {column} ({found}) to spec.schema or drop it from the source")
            }
            Self::Twice { column } => format!("give one of the two columns {column} another name"),
            Self::WrongType { column, hint, .. } => format!("{column}: {hint}"),
        }
    }
}

impl Explained for SchemaError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn fix(&self) -> Option<String> {
        let fixes: Vec<String> = self.0.iter().map(SchemaFault::fix).collect();
        Some(format!("{}; then bedplate apply -f the manifest", fixes.join("; ")))
    }
}

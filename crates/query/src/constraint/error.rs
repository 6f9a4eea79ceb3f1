//! Which constraint was broken by which rows, or is none.

use bedplate_types::{ErrorKind, Explained};

/// A constraint and the rows that break it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub name: String,
    pub expression: String,
    pub rows: u64,
    /// Where the first of them is, and what it has in the columns of the constraint.
    pub first: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ConstraintError {
    #[error("{}", told(broken, which))]
    Broken { broken: Vec<Broken>, which: &'static str },
    #[error("constraint {name:?} ({expression}) cannot be asked of {which}: {why}")]
    Unanswered { name: String, expression: String, which: &'static str, why: String },
    #[error("constraint {name:?} ({expression}): {why}")]
    Unsound { name: String, expression: String, why: String },
    #[error("constraint {name:?} is in the table's log already, and says {theirs}: another writer put it there")]
    Taken { name: String, theirs: String },
}

impl ConstraintError {
    pub(crate) const OF_ONE_ROW: &'static str = "it asks of one row what is the same each time it is asked: no subqueries, no \
                                                 aggregates, no functions whose answer differs from one call to the next";
}

fn told(broken: &[Broken], which: &str) -> String {
    let one = |Broken { name, expression, rows, first }: &Broken| {
        let rows = if *rows == 1 { format!("1 of {which}") } else { format!("{rows} of {which}, the first") };
        format!("constraint {name:?} ({expression}) is not true of {rows}: {first}")
    };
    broken.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Explained for ConstraintError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Broken { .. } | Self::Unanswered { .. } => ErrorKind::Refused,
            Self::Unsound { .. } => ErrorKind::Invalid,
            Self::Taken { .. } => ErrorKind::Conflict,
        }
    }

    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Broken { .. } | Self::Unanswered { .. } => {
                "correct these rows; or change the constraint in spec.constraints, or drop it with the tool that gave it to the table"
                    .into()
            }
            Self::Unsound { .. } => "correct the expression in spec.constraints, then bedplate apply".into(),
            Self::Taken { name, .. } => {
                format!("give it another name in spec.constraints, or drop {name} from the table with the tool that gave it")
            }
        })
    }
}

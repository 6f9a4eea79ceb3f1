//! Whose money an entry moves.

use std::fmt;

/// An account of the ledger. What it is called is how it is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// `centre:<namespace>/<team>`: who bears the cost. Costs are positive here.
    CostCentre { namespace: String, team: String },
    /// `provider:<resource>`: whoever provides the resource. Costs are negative here.
    Provider { resource: String },
}

/// How the accounts of cost centres begin.
pub(crate) const CENTRE: &str = "centre:";

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CostCentre { namespace, team } => write!(f, "{CENTRE}{namespace}/{team}"),
            Self::Provider { resource } => write!(f, "provider:{resource}"),
        }
    }
}

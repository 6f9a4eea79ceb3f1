//! Why a statement was not answered, in the words of who wrote it.

use bedplate_types::{ErrorKind, Explained};
use datafusion::error::DataFusionError;

use crate::QueryError;
use crate::delta::TableError;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("only statements that read are answered: SELECT, WITH, EXPLAIN, SHOW TABLES, DESCRIBE; {what} is none")]
    NotARead { what: String },
    #[error("{what} is not to be had: rows come from the datasets of the namespace alone")]
    NotATable { what: String },
    #[error("{text:?} is neither a version nor a moment")]
    NoMoment { text: String },
    #[error("the statement has {has} {what}; {most} is the most")]
    TooLong { what: &'static str, has: usize, most: usize },
    #[error(
        "row filter {filter:?} of dataset {dataset} cannot be applied, and without it nothing of the dataset is shown: {why}"
    )]
    Filter { dataset: String, filter: String, why: String },
    #[error("{most} statements run already")]
    Busy { most: usize },
    #[error("it took longer than {seconds} s")]
    Slow { seconds: u64 },
    #[error("{wanted} is no engine of this platform, which has {}", known.join(" and "))]
    NoSuchEngine { wanted: String, known: Vec<String> },
    #[error("the SQL engine {cluster} cannot be used: {why}")]
    Away { cluster: String, why: String },
    #[error("{what} is not to be had on a Ballista cluster")]
    NotOnCluster { what: String },
    #[error("the statement's plan nests too deep to be sent to a Ballista cluster")]
    TooDeep,
    #[error("the engine ended while it worked on the statement")]
    Ended,
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Table(#[from] TableError),
}

impl ReadError {
    pub(super) fn of(error: DataFusionError) -> Self {
        Self::Query(QueryError::of(error, &[]))
    }
}

impl Explained for ReadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotARead { .. } | Self::NotATable { .. } | Self::NoMoment { .. } => ErrorKind::Invalid,
            Self::NotOnCluster { .. } | Self::NoSuchEngine { .. } => ErrorKind::Invalid,
            Self::TooLong { .. } | Self::TooDeep => ErrorKind::TooLarge,
            Self::Away { .. } => ErrorKind::NotReady,
            Self::Filter { .. } => ErrorKind::Refused,
            Self::Busy { .. } => ErrorKind::Busy,
            Self::Slow { .. } => ErrorKind::Timeout,
            Self::Ended => ErrorKind::Internal,
            Self::Query(error) => error.kind(),
            Self::Table(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::NotARead { .. } => Some("write one SELECT; datasets are changed by their manifests alone".into()),
            Self::NotATable { .. } => Some("SHOW TABLES names the datasets".into()),
            Self::NoMoment { .. } => Some(
                "write VERSION AS OF 3, or TIMESTAMP AS OF '2026-01-31 08:00:00Z'; without a zone it is UTC".into(),
            ),
            Self::NoSuchEngine { known, .. } => Some(format!(
                "--engine {}, or none; others are for the platform to be started with",
                known.join(" or --engine ")
            )),
            Self::Away { cluster, .. } => Some(away(cluster)),
            Self::NotOnCluster { what } => {
                Some(format!("write it without {what}, or ask with --engine local, where the platform has that"))
            }
            Self::TooDeep => Some("nest fewer expressions and subqueries within others".into()),
            Self::TooLong { .. } => Some("ask for less in one statement".into()),
            Self::Filter { .. } => Some("correct spec.rowFilters of the dataset and apply it again".into()),
            Self::Busy { .. } => Some("try again when others are done".into()),
            Self::Slow { .. } => Some("ask for fewer rows, or aggregate them".into()),
            Self::Ended => None,
            Self::Query(error) => error.fix(),
            Self::Table(error) => error.fix(),
        }
    }
}

fn away(cluster: &str) -> String {
    let scheduler = cluster.trim_start_matches("ballista://");
    format!(
        "start what is missing of bedplate scheduler --bind {scheduler} and bedplate executor --scheduler {scheduler}; or start the platform with --engine local too, and ask with that"
    )
}

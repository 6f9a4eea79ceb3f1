//! Facets, each with the latest word about it.

use bedplate_db::{DbError, Tx};

use crate::dataset::Side;
use crate::event::Facets;
use crate::run_state::Stamp;

/// What a facet is about, spelled so that no two things have one spelling.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    Job {
        namespace: &'a str,
        name: &'a str,
    },
    Dataset {
        namespace: &'a str,
        name: &'a str,
    },
    Run(RunKey<'a>),
    /// A dataset as one run used it.
    Use {
        run: RunKey<'a>,
        side: Side,
        namespace: &'a str,
        dataset: &'a str,
    },
}

/// A run of a job: an id that another job's run has too is another run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunKey<'a> {
    pub id: &'a str,
    pub namespace: &'a str,
    pub job: &'a str,
}

impl Subject<'_> {
    pub fn key(&self) -> String {
        let parts: Vec<&str> = match self {
            Self::Job { namespace, name } => vec!["job", namespace, name],
            Self::Dataset { namespace, name } => vec!["dataset", namespace, name],
            Self::Run(run) => vec!["run", run.id, run.namespace, run.job],
            Self::Use { run, side, namespace, dataset } => {
                vec!["use", run.id, run.namespace, run.job, side.as_str(), namespace, dataset]
            }
        };
        serde_json::Value::from(parts).to_string()
    }
}

pub(crate) fn put(tx: &mut dyn Tx, subject: Subject<'_>, facets: &Facets, stamp: &Stamp) -> Result<(), DbError> {
    let key = subject.key();
    for (name, body) in facets {
        tx.execute(
            "INSERT INTO openlineage_facets AS known (subject, name, body, told_at, told_by) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (subject, name) DO UPDATE
             SET body = excluded.body, told_at = excluded.told_at, told_by = excluded.told_by
             WHERE excluded.told_at > known.told_at
                OR (excluded.told_at = known.told_at AND excluded.told_by > known.told_by)",
            &[(&key).into(), name.into(), body.clone().into(), stamp.at.into(), (&stamp.event).into()],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_subjects_share_a_key() {
        let job = Subject::Job { namespace: "a\",\"b", name: "c" }.key();
        assert_ne!(job, Subject::Job { namespace: "a", name: "b\",\"c" }.key());
        assert_ne!(job, Subject::Dataset { namespace: "a\",\"b", name: "c" }.key());
    }
}

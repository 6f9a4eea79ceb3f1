//! Sources on other machines: when they are looked at, and with what.
//!
//! Looking at one costs another machine work, so it is done when it is due, when the Dataset or what it names says something
//! else, or when somebody asks; not at each reconcile. What went wrong a moment ago is told again without a new attempt.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bedplate_kinds::{Dataset, DatasetStatus};
use bedplate_query::{Access, Credentials, Pending};
use bedplate_types::{NamespacedName, Problem, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use tokio::sync::Semaphore;

use crate::core::Platform;
use crate::dataset::{held, whose};
use crate::digest;
use crate::hold::Hold;

/// Whoever writes something new there wants the source to be looked at now.
pub const ASKED: &str = "bedplate.dev/load-asked";

/// Sources that are read at the same time. They do not take the turns of what reads and writes tables: another machine may
/// let one wait.
static READERS: Semaphore = Semaphore::const_new(4);

/// What cannot be reached is tried again after this.
pub const SOON_AGAIN: Duration = Duration::from_secs(30);

/// What a source is looked at for: all that is declared of just this object, what it is judged by, and who asked for it when.
pub fn sought(dataset: &Dataset, judged_by: &dyn digest::erased::Json) -> String {
    let (spec, asked, uid) = (&dataset.spec, dataset.annotations().get(ASKED), &dataset.metadata.uid);
    digest::of(&[uid, &spec.source, &spec.schema, &spec.time_column, judged_by, &asked]).to_string()
}

/// Whether it was looked at for the same not long ago.
pub fn is_fresh(dataset: &Dataset, status: &DatasetStatus, sought: &str, now: Timestamp) -> bool {
    let Ok(looked) = status.looked_at.parse::<Timestamp>() else { return false };
    let age = now.micros().saturating_sub(looked.micros());
    status.looked_for == sought && (0..dataset.spec.source.interval().micros()).contains(&age)
}

/// Finds out what there is to read, and reads it where that is the only way to know.
pub async fn pending(platform: &Arc<Platform>, dataset: &Arc<Dataset>, name: &NamespacedName) -> Result<Pending, Hold> {
    let access = access(platform, dataset, name).await?;
    let closed = |_| Hold::waiting("the platform stops");
    let _reader = READERS.acquire().await.map_err(closed)?;
    let (platform, dataset, name) = (platform.clone(), dataset.clone(), name.clone());
    let runtime = tokio::runtime::Handle::current();
    let cancel = platform.cancel.child_token();
    // Whoever waits no longer stops it.
    let _stop = cancel.clone().drop_guard();
    let what = format!("the source of dataset {name}");
    let reading = tokio::task::spawn_blocking(move || {
        let whose = whose(&platform, &dataset, &name);
        runtime.block_on(platform.lake.pending_elsewhere(whose, &dataset.spec, &access, &cancel))
    });
    match reading.await {
        Ok(pending) => pending.map_err(|error| held(what, error)),
        Err(error) => {
            let why = format!("ended abnormally: {error}");
            Err(Hold::Failed(Problem::new(bedplate_types::ErrorKind::Internal, what, why)))
        }
    }
}

async fn access(platform: &Platform, dataset: &Dataset, name: &NamespacedName) -> Result<Access, Hold> {
    let source = &dataset.spec.source;
    let secret = match &source.postgres {
        Some(postgres) => Some(&postgres.connection.secret),
        None => source.store.as_ref().and_then(|store| store.credentials.as_ref()),
    };
    let credentials = match secret {
        Some(secret) => Some(credentials(platform, &name.namespace, secret).await?),
        None => None,
    };
    Ok(Access { hosts: platform.sites.source_hosts.clone(), credentials })
}

async fn credentials(platform: &Platform, namespace: &str, name: &str) -> Result<Credentials, Hold> {
    let secret = platform.need::<Secret>(namespace, name).await?;
    let values: BTreeMap<String, Vec<u8>> =
        secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
    Ok(Credentials::new(name, values))
}

/// What went wrong when sources were last looked at, for as long as it is not tried again.
#[derive(Clone, Default)]
pub struct Attempts(Arc<Mutex<HashMap<NamespacedName, Attempt>>>);

struct Attempt {
    sought: String,
    until: Timestamp,
    hold: Again,
}

enum Again {
    Failed(Problem),
    Unreached(Problem),
}

impl Attempts {
    /// What is told of a source that was tried for the same a moment ago.
    pub fn told(&self, name: &NamespacedName, sought: &str, now: Timestamp) -> Option<Hold> {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|_, attempt| attempt.until > now);
        let attempt = attempts.get(name).filter(|attempt| attempt.sought == sought)?;
        Some(match &attempt.hold {
            Again::Failed(problem) => Hold::Failed(problem.clone()),
            Again::Unreached(problem) => Hold::Unreached(problem.clone()),
        })
    }

    /// Keeps how an attempt ended, when it is to be told again.
    pub fn keep<T>(&self, name: &NamespacedName, sought: &str, now: Timestamp, outcome: &Result<T, Hold>) {
        let (hold, after) = match outcome {
            Err(Hold::Failed(problem)) => (Again::Failed(problem.clone()), crate::core::PERIOD),
            Err(Hold::Unreached(problem)) => (Again::Unreached(problem.clone()), SOON_AGAIN),
            _ => return,
        };
        // A little less than what is waited for: it must be over by then.
        let micros = i64::try_from(after.as_micros()).unwrap_or_default() * 9 / 10;
        let until = Timestamp::from_micros(now.micros().saturating_add(micros));
        let attempt = Attempt { sought: sought.to_owned(), until, hold };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), attempt);
    }
}

#[cfg(test)]
mod tests {
    use bedplate_types::ErrorKind;
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    fn dataset(annotation: &str) -> Dataset {
        let source = json!({ "postgres": { "connection": { "secret": "db" }, "table": "t" }, "every": "1m" });
        let spec = json!({ "owner": "o", "source": source, "schema": [{ "name": "n", "type": "int64" }] });
        let metadata = json!({ "name": "d", "annotations": { ASKED: annotation } });
        serde_json::from_value(json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset",
            "metadata": metadata, "spec": spec }))
        .unwrap()
    }

    #[test]
    fn a_source_is_looked_at_when_it_is_due_or_asked_for() {
        let (one, other) = (dataset("1"), dataset("2"));
        let status = DatasetStatus {
            looked_at: at(0).to_string(),
            looked_for: sought(&one, &"suite"),
            ..DatasetStatus::default()
        };
        let fresh = |dataset: &Dataset, suite: &str, now| is_fresh(dataset, &status, &sought(dataset, &suite), now);
        assert!(fresh(&one, "suite", at(59)));
        assert!(!fresh(&one, "suite", at(60)));
        assert!(!fresh(&one, "suite", at(-1)), "a clock that was set back");
        assert!(!fresh(&one, "another", at(1)) && !fresh(&other, "suite", at(1)));
        assert!(!is_fresh(&one, &DatasetStatus::default(), "", at(0)));
    }

    #[test]
    fn what_went_wrong_is_told_again_until_it_is_tried_again() {
        let (attempts, name) = (Attempts::default(), NamespacedName::new("n", "d"));
        let problem = Problem::new(ErrorKind::NotReady, "x", "y");
        attempts.keep::<()>(&name, "a", at(0), &Err(Hold::Unreached(problem.clone())));
        assert!(matches!(attempts.told(&name, "a", at(1)), Some(Hold::Unreached(_))));
        assert!(attempts.told(&name, "b", at(1)).is_none(), "something else is sought");
        assert!(attempts.told(&name, "a", at(30)).is_none());
        attempts.keep::<()>(&name, "a", at(0), &Err(Hold::Failed(problem)));
        assert!(matches!(attempts.told(&name, "a", at(200)), Some(Hold::Failed(_))));
        attempts.keep(&name, "c", at(0), &Ok(()));
        assert!(attempts.told(&name, "c", at(1)).is_none());
    }
}

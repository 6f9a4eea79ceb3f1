//! A view and what was served of it in the last day, for who looks again and again: nothing of it is written down, and it is worked
//! out once for as long as nothing new is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use bedplate_controllers::{declared, source_columns};
use bedplate_identity::Principal;
use bedplate_kinds::{FeatureView, Window};
use bedplate_policy::{Action, Question, Resource};
use bedplate_statistics::FeatureStatistics;
use bedplate_types::{ErrorKind, NamespacedName, Problem, Timestamp};
use parking_lot::Mutex;

use super::statistics::Shown;
use super::{Features, KIND, not_there};
use crate::surface::sql::Caller;

/// What was served is kept once a minute.
const STANDS: i64 = 60_000_000;
/// Versions of views that are kept in mind.
const MOST: usize = 64;

/// What was served of a version of a view in the last day.
#[derive(Clone, Debug)]
pub struct Lately {
    pub rows: u64,
    /// Rows that the statistics are of.
    pub looked_at: u64,
    pub features: Vec<FeatureStatistics>,
}

/// What was worked out, and when. Clones share one.
#[derive(Clone, Default)]
pub struct Known(Arc<Mutex<BTreeMap<String, (Timestamp, Lately)>>>);

impl Known {
    fn get(&self, id: &str, now: Timestamp) -> Option<Lately> {
        let known = self.0.lock();
        known.get(id).filter(|(at, _)| now.micros_since(*at) < STANDS).map(|(_, lately)| lately.clone())
    }

    fn keep(&self, id: String, now: Timestamp, lately: &Lately) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id, (now, lately.clone()));
    }
}

impl Features {
    /// The view, for who may get it.
    pub async fn known(&self, who: &Principal, name: &NamespacedName) -> Result<FeatureView, Problem> {
        let (view, tags) = self.found(name).await?;
        let resource = Resource { namespace: Some(&name.namespace), kind: KIND, name: Some(&name.name) };
        let question = Question::new(&who.name, &who.groups, Action::Get, resource).tagged(&tags);
        if self.facts.policy.still(&question).allowed { Ok(view) } else { Err(not_there(name)) }
    }

    /// What was served of the view, of features whose values the caller may know; none of one that they may not read, or that is
    /// not ready.
    pub async fn lately(&self, caller: &Caller, view: &FeatureView) -> Result<Option<Lately>, Problem> {
        let Some(shown) = self.shown_quietly(caller, view).await? else { return Ok(None) };
        let (id, now) = (shown.declared.online_id(), self.facts.clock.now());
        let lately = match self.lately.get(&id, now) {
            Some(lately) => lately,
            None => {
                let lately = self.worked_out(&shown).await?;
                self.lately.keep(id, now, &lately);
                lately
            }
        };
        let features = lately.features.into_iter().filter(|feature| shown.clear.contains(&feature.profile.name));
        Ok(Some(Lately { features: features.collect(), ..lately }))
    }

    async fn shown_quietly(&self, caller: &Caller, view: &FeatureView) -> Result<Option<Shown>, Problem> {
        if !self.may_read(caller, view).await? {
            return Ok(None);
        }
        let shown = async {
            let declared = declared(&self.platform, view).await?;
            let datasets = self.datasets(caller, &view.spec.source.datasets).await?;
            let columns = source_columns(&self.platform, &declared.view).await?;
            let clear = self.clear(caller, &datasets, declared.definition(), &columns);
            Ok(Shown { declared, clear })
        };
        match shown.await {
            Ok(shown) => Ok(Some(shown)),
            Err(Problem { kind: ErrorKind::NotReady, .. }) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    async fn may_read(&self, caller: &Caller, view: &FeatureView) -> Result<bool, Problem> {
        let name = view.metadata.name.clone().unwrap_or_default();
        let tags = self.tags(&NamespacedName::new(caller.namespace.clone(), name.clone()), view).await?;
        let resource = Resource { namespace: Some(&caller.namespace), kind: KIND, name: Some(&name) };
        let who = &caller.principal;
        let question = Question::new(&who.name, &who.groups, Action::ReadData, resource).tagged(&tags);
        Ok(self.facts.policy.still(&question).allowed)
    }

    async fn worked_out(&self, shown: &Shown) -> Result<Lately, Problem> {
        let served = self.kept_in(&shown.declared, &Window::default()).await?;
        let features = served.told(shown.names()).map_err(|error| Problem::of("what was served", &error))?;
        Ok(Lately { rows: served.served, looked_at: served.sample.len() as u64, features })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_for_a_minute_and_not_of_every_view_there_ever_was() {
        let (known, at) = (Known::default(), |second: i64| Timestamp::from_micros(second * 1_000_000));
        let lately = Lately { rows: 7, looked_at: 7, features: Vec::new() };
        known.keep("a".into(), at(0), &lately);
        assert_eq!(known.get("a", at(59)).map(|lately| lately.rows), Some(7));
        assert!(known.get("a", at(60)).is_none() && known.get("b", at(0)).is_none());
        (0..MOST).for_each(|n| known.keep(format!("v{n}"), at(1), &lately));
        assert!(known.0.lock().len() <= MOST);
        assert!(known.get(&format!("v{}", MOST - 1), at(2)).is_some());
    }
}
